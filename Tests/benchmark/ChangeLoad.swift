import DeviceIdentity
import DeviceLists
import Foundation
import ListIndex
import Synchronization

/// A thousand changes a second to a list, ten at a time, by a thread of its own, until it is told
/// to end.
final class ChangeLoad: Sendable {
  static let changesPerDelta = 10
  static let deltasPerSecond = 100

  private struct State {
    var changes = 0
    var seconds = 0.0
    var failure: (any Error)?
  }

  private let index: ListIndex
  private let imeis: [UInt64]
  private let state = Mutex(State())
  private let ending = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  /// - Parameter imeis: that become black and then leave the list, over and over.
  init(index: ListIndex, imeis: [UInt64]) {
    self.index = index
    self.imeis = imeis
  }

  /// Changes applied in a second.
  var rate: Double { state.withLock { Double($0.changes) / $0.seconds } }
  var summary: String { "\(Int(rate)) changes/s were applied" }

  /// Goes on while `body` runs.
  func run<Value>(_ body: () async throws -> Value) async throws -> Value {
    let thread = Thread { [self] in
      change()
      ended.signal()
    }
    thread.start()
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    ending.signal()
    await ended.signalled()
    if let failure = state.withLock({ $0.failure }) { throw failure }
    return try result.get()
  }

  private func change() {
    state.withLock { $0 = State() }
    let start = ContinuousClock.now
    var next = start
    var place = 0
    do {
      var wait = 0.0
      while ending.wait(timeout: .now() + max(0, wait)) == .timedOut {
        try apply(&place)
        next += .seconds(1) / Self.deltasPerSecond
        let rest = ContinuousClock.now.duration(to: next).components
        wait = Double(rest.seconds) + Double(rest.attoseconds) * 1e-18
      }
    } catch {
      state.withLock { $0.failure = error }
    }
    let taken = start.duration(to: .now).components
    state.withLock {
      $0.seconds = Double(taken.seconds) + Double(taken.attoseconds) * 1e-18
    }
  }

  private func apply(_ place: inout Int) throws {
    guard let head = index.current?.indexHead else { throw BenchmarkFailure("There is no list.") }
    var position = head.position
    let changes = (0..<Self.changesPerDelta).map { number in
      position = position.next
      let isBlack = place / imeis.count % 2 == 0
      defer { place += 1 }
      return Change(
        position: position, subject: .imei(IMEI(unchecked: imeis[place % imeis.count])),
        scope: .all,
        entryClass: isBlack
          ? EntryClass(status: .black, codes: GroundCodeSet(.stolen), isOverridable: false) : nil)
    }
    try index.apply(
      Delta(
        epoch: head.epoch, after: head.position, upTo: position, issuedAt: head.issuedAt,
        digest: nil, changes: changes))
    state.withLock { $0.changes += changes.count }
  }
}

/// The most memory of this process that no file backs, looked at fifty times a second.
final class MemoryWatch: Sendable {
  private let most = Mutex(0.0)
  private let ending = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  init() {
    Thread { [self] in
      repeat {
        let anonymous = (try? ProcessMemory(of: getpid()).anonymous) ?? .nan
        most.withLock { $0 = max($0, anonymous) }
      } while ending.wait(timeout: .now() + 0.02) == .timedOut
      ended.signal()
    }.start()
  }

  /// MiB.
  func stop() -> Double {
    ending.signal()
    ended.wait()
    return most.withLock { $0 }
  }
}

/// Writes a list anew over and over, by a thread of its own.
final class Compactor: Sendable {
  private let index: ListIndex
  private let state = Mutex((count: 0, isEnding: false, failure: (any Error)?.none))
  private let ended = DispatchSemaphore(value: 0)

  init(_ index: ListIndex) { self.index = index }

  var count: Int { state.withLock { $0.count } }

  /// Goes on while `body` runs; one that is under way then is waited for.
  func run<Value>(_ body: () async throws -> Value) async throws -> Value {
    Thread { [self] in
      do {
        while !state.withLock({ $0.isEnding }) {
          try index.compact(yielding: true)
          state.withLock { $0.count += 1 }
        }
      } catch {
        state.withLock { $0.failure = error }
      }
      ended.signal()
    }.start()
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    state.withLock { $0.isEnding = true }
    await ended.signalled()
    if let failure = state.withLock({ $0.failure }) { throw failure }
    return try result.get()
  }
}

extension DispatchSemaphore {
  /// Waits on a thread that may.
  fileprivate func signalled() async {
    await withCheckedContinuation { continuation in
      Thread { [self] in
        wait()
        continuation.resume()
      }.start()
    }
  }
}
