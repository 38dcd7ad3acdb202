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
    /// Of what is no IMEI; else empty.
    var text: String
    var imsi: UInt64
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
    guard let imsi = query.imsi, let identity = ReportedIdentity(query.identity) else { return }
    let key = Key(identity, imsi, answer)
    state.withLock { state in
      guard key.isWanted(state.amount), state.isNew(key, day: now.secondsSinceEpoch / 86_400)
      else { return }
      // Grey and black have the rest of the room on disk.
      let hasRoom = key.isAlwaysWanted || !state.isDiskFull
      guard hasRoom, state.pending.count < Self.mostPending else {
        state.counts.dropped += 1
        return
      }
      state.remember(key)
      state.counts.noted += 1
      state.pending.append(
        Sighting(
          identity: identity, imsi: imsi, msisdn: query.msisdn, status: answer, seenAt: now))
    }
  }

  /// The oldest that are pending; they stay until ``wrote(_:)``.
  func oldest(_ most: Int) -> [Sighting] {
    state.withLock { Array($0.pending.prefix(most)) }
  }

  func wrote(_ count: Int) { state.withLock { $0.pending.removeFirst(count) } }
}

extension ReportedIdentity {
  /// Nil where nothing was given that could be told apart.
  fileprivate init?(_ identity: CheckedIdentity) {
    switch identity {
    case .device(let device): self = .device(device)
    case .unusable(let text) where !text.text.isEmpty: self = .unusable(text)
    case .unusable, .none: return nil
    }
  }
}

extension SightingNotes.Key {
  fileprivate init(_ identity: ReportedIdentity, _ imsi: IMSI, _ answer: CheckAnswer) {
    switch identity {
    case .device(let device): self.init(device.imei.number, "", imsi, answer)
    case .unusable(let identity): self.init(0, identity.text, imsi, answer)
    }
  }

  private init(_ imei: UInt64, _ text: String, _ imsi: IMSI, _ answer: CheckAnswer) {
    self.init(imei: imei, text: text, imsi: imsi.packed, answer: answer)
  }

  fileprivate var isAlwaysWanted: Bool { answer == .grey || answer == .black }

  /// The same at every node and after every start, which a hash of the library is not.
  private var number: UInt64 { text.utf8.reduce(imei) { $0 &* 31 &+ UInt64($1) } }

  fileprivate func isWanted(_ amount: ExchangeParameters.Sightings) -> Bool {
    switch amount.send {
    case .off: false
    case .all: true
    // By the numbers alone, so that a restart and every node of the operator choose alike.
    case .sampled:
      isAlwaysWanted
        || (((number ^ imsi) &* 0x9E37_79B9_7F4A_7C15) >> 32) % UInt64(amount.oneIn) == 0
    }
  }
}

extension SightingNotes.State {
  fileprivate mutating func isNew(_ key: SightingNotes.Key, day: Int64) -> Bool {
    if day != self.day {
      (young, old, self.day) = ([], [], day)
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
