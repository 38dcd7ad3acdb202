import DeviceIdentity
import DeviceLists
import ListExchange
import Synchronization

/// Which devices the network has shown with which subscribers: noted once for each device,
/// subscriber, answer and day, until the disk takes it.
///
/// Noting is cheap and never waits for the disk. Everything has a limit: what is beyond is counted
/// and left out.
final class SightingNotes: Sendable {
  /// Noted and not yet on disk.
  static let mostPending = 100_000
  /// Remembered, so that they are not noted again; the older half goes when there are more. The
  /// registry knows a repetition when it gets one.
  static let mostRemembered = 1_000_000

  struct Counts: Hashable, Sendable {
    var noted = 0
    /// Beyond the limits, in memory or on disk.
    var dropped = 0
  }

  fileprivate struct Key: Hashable {
    var imei: UInt64
    var imsi: UInt64
    var day: Int64
    var answer: CheckAnswer
  }

  fileprivate struct State {
    var amount = ExchangeParameters.Sightings()
    var isDiskFull = false
    var day: Int64 = 0
    var young: Set<Key> = []
    var old: Set<Key> = []
    var pending: [Sighting] = []
    var counts = Counts()
  }

  private let state = Mutex(State())

  init() {}

  var counts: Counts { state.withLock { $0.counts } }
  var pendingCount: Int { state.withLock { $0.pending.count } }

  /// What the registry wants to hear of, and whether the queue on disk has room.
  func follow(_ amount: ExchangeParameters.Sightings, isDiskFull: Bool) {
    state.withLock { state in
      state.amount = amount
      state.isDiskFull = isDiskFull
    }
  }

  func note(_ query: CheckQuery, _ answer: CheckAnswer, asOf now: Instant) {
    guard let imsi = query.imsi, case .device(let device) = query.identity else { return }
    let key = Key(
      imei: device.imei.number, imsi: imsi.packed, day: now.secondsSinceEpoch / 86_400,
      answer: answer)
    state.withLock { state in
      guard key.isWanted(state.amount), state.isNew(key) else { return }
      // Grey and black have the rest of the room on disk.
      let hasRoom = key.isAlwaysWanted || !state.isDiskFull
      guard hasRoom, state.pending.count < Self.mostPending else {
        state.counts.dropped += 1
        return
      }
      state.remember(key)
      state.counts.noted += 1
      state.pending.append(
        Sighting(identity: .device(device), imsi: imsi, status: answer, seenAt: now))
    }
  }

  /// The oldest that are pending; they stay until ``wrote(_:)``.
  func oldest(_ most: Int) -> [Sighting] {
    state.withLock { Array($0.pending.prefix(most)) }
  }

  func wrote(_ count: Int) { state.withLock { $0.pending.removeFirst(count) } }
}

extension SightingNotes.Key {
  fileprivate var isAlwaysWanted: Bool { answer == .grey || answer == .black }

  fileprivate func isWanted(_ amount: ExchangeParameters.Sightings) -> Bool {
    switch amount.send {
    case .off: false
    case .all: true
    // By the numbers alone, so that a restart and every node of the operator choose alike.
    case .sampled:
      isAlwaysWanted
        || (((imei ^ imsi) &* 0x9E37_79B9_7F4A_7C15) >> 32) % UInt64(amount.oneIn) == 0
    }
  }
}

extension SightingNotes.State {
  fileprivate mutating func isNew(_ key: SightingNotes.Key) -> Bool {
    if key.day != day {
      (young, old, day) = ([], [], key.day)
    }
    return !young.contains(key) && !old.contains(key)
  }

  fileprivate mutating func remember(_ key: SightingNotes.Key) {
    if young.count >= SightingNotes.mostRemembered / 2 {
      (old, young) = (young, [])
    }
    young.insert(key)
  }
}
