import DeviceLists
import ListExchange
import RegistryStore
import Synchronization

/// How much a node may ask. What is saved up in quiet times may be used at once, up to a limit.
struct Allowance: Hashable, Sendable {
  let rate: NodeLimits.Rate
  private var left: Double
  private var asOf: ContinuousClock.Instant

  init(_ rate: NodeLimits.Rate, asOf now: ContinuousClock.Instant) {
    self.rate = rate
    left = rate.burst
    asOf = now
  }

  /// Whether one more is allowed now.
  mutating func take(asOf now: ContinuousClock.Instant) -> Bool {
    let gained = Double(asOf.duration(to: now) / .milliseconds(1)) / 1_000 * rate.perSecond
    left = min(rate.burst, left + max(0, gained))
    asOf = now
    guard left >= 1 else { return false }
    left -= 1
    return true
  }
}

/// The allowances of all nodes.
final class Allowances: Sendable {
  private let limits: NodeLimits
  private let requests = Mutex<[Int32: Allowance]>([:])
  private let messages = Mutex<[Int32: Allowance]>([:])
  private let messagesUnderWay = Mutex<[OperatorCode: Int]>([:])
  private let bodyBytes = Mutex<[Int32: Int]>([:])

  init(_ limits: NodeLimits) { self.limits = limits }

  func take(from node: NodeIdentity) throws(ExchangeError) {
    try Self.take(from: node, in: requests, limits.requests)
  }

  func takeMessage(from node: NodeIdentity) throws(ExchangeError) {
    try Self.take(from: node, in: messages, limits.messages)
  }

  /// Does the work of one message, unless the operator has too many under way.
  func working<Value>(
    for node: NodeIdentity, _ work: () async throws -> Value
  ) async throws -> Value {
    let isAllowed = messagesUnderWay.withLock {
      $0.add(1, to: node.operatorCode, most: limits.messagesAtOnce)
    }
    guard isAllowed else {
      throw ExchangeError(.limitReached, "\(limits.messagesAtOnce) messages are under way")
    }
    defer { messagesUnderWay.withLock { $0.remove(1, from: node.operatorCode) } }
    return try await work()
  }

  /// Room for a body, to be given back by ``giveBack(_:to:)``.
  func takeBody(_ count: Int, of node: NodeIdentity) throws(ExchangeError) {
    let isAllowed = bodyBytes.withLock {
      $0.add(count, to: node.number, most: limits.bodyBytesAtOnce)
    }
    guard isAllowed else {
      throw ExchangeError(.limitReached, "\(limits.bodyBytesAtOnce) bytes are under way")
    }
  }

  func giveBack(_ count: Int, to node: NodeIdentity) {
    bodyBytes.withLock { $0.remove(count, from: node.number) }
  }

  private static func take(
    from node: NodeIdentity, in allowances: borrowing Mutex<[Int32: Allowance]>,
    _ rate: NodeLimits.Rate
  ) throws(ExchangeError) {
    let now = ContinuousClock.now
    let isAllowed = allowances.withLock {
      $0[node.number, default: Allowance(rate, asOf: now)].take(asOf: now)
    }
    guard isAllowed else {
      throw ExchangeError(.limitReached, "more than \(Int(rate.perSecond)) a second")
    }
  }
}

extension Dictionary where Value == Int {
  /// False, and nothing added, where it would be more than `most`.
  fileprivate mutating func add(_ count: Int, to key: Key, most: Int) -> Bool {
    let sum = self[key, default: 0] + count
    guard sum <= most else { return false }
    self[key] = sum
    return true
  }

  fileprivate mutating func remove(_ count: Int, from key: Key) {
    let left = self[key, default: count] - count
    self[key] = left == 0 ? nil : left
  }
}
