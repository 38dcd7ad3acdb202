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

  init(_ limits: NodeLimits) { self.limits = limits }

  func take(from node: NodeIdentity) throws(ExchangeError) {
    try Self.take(from: node, in: requests, limits.requests)
  }

  func takeMessage(from node: NodeIdentity) throws(ExchangeError) {
    try Self.take(from: node, in: messages, limits.messages)
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
