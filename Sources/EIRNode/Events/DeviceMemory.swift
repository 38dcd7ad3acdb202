import DeviceIdentity
import DeviceLists
import Synchronization

/// Which device each subscriber was last seen with. A check is compared with it in memory, under a
/// lock that few others want; what is new waits there for the disk.
final class DeviceMemory: Sendable {
  /// Events that are not yet on disk.
  static let mostPending = 100_000
  /// Records that are not yet on disk; when there are more, the whole table is written instead.
  static let mostUnwritten = 1_000_000
  /// A table of this size is rebuilt, when it grows, within some 100 microseconds.
  private static let usualSubscribersOfPart = 4_096
  private static let mostParts = 1_024
  private static let secondsOfDay: Int64 = 86_400

  struct Counts: Hashable, Sendable {
    var made = 0
    /// There was no room for them in memory.
    var dropped = 0
  }

  private struct PartState {
    var table: KnownDeviceTable
    var unwritten: [KnownDevice] = []
  }

  private final class Part: Sendable {
    let state: Mutex<PartState>

    init(most: Int) { state = Mutex(PartState(table: KnownDeviceTable(most: most))) }
  }

  private struct Outbox {
    var pending: [DeviceEvent] = []
    var counts = Counts()
  }

  private let parts: [Part]
  private let mostUnwrittenOfPart: Int
  private let tellsFirst: Bool
  private let outbox = Mutex(Outbox())
  /// What is on disk cannot be completed by adding to it.
  private let isWholeUnwritten = Atomic<Bool>(false)

  init(mostSubscribers: Int, tellsFirst: Bool) {
    var count = 1
    while count < Self.mostParts, mostSubscribers / count > Self.usualSubscribersOfPart {
      count *= 2
    }
    let most = (mostSubscribers + count - 1) / count
    parts = (0..<count).map { _ in Part(most: most) }
    mostUnwrittenOfPart = Self.mostUnwritten / count
    self.tellsFirst = tellsFirst
  }

  var counts: Counts { outbox.withLock { $0.counts } }
  var subscriberCount: Int { sum { $0.count } }
  var displacedCount: Int { sum { $0.displacedCount } }
  /// Bytes of the tables.
  var tableBytes: Int { sum { $0.placeCount } * KnownDevice.bytes }

  private func sum(_ number: (KnownDeviceTable) -> Int) -> Int {
    parts.reduce(0) { sum, part in sum + part.state.withLock { number($0.table) } }
  }

  private func part(of known: KnownDevice) -> Part {
    // By the upper bits: the lower ones find the place in the part's table.
    parts[Int(truncatingIfNeeded: known.hash >> 48) & (parts.count - 1)]
  }

  func note(
    _ query: CheckQuery, _ answer: CheckAnswer, from interface: CheckInterface,
    asOf now: Instant
  ) {
    guard let imsi = query.imsi, case .device(let device) = query.identity else { return }
    let day = now.secondsSinceEpoch / Self.secondsOfDay
    let known = KnownDevice(imsi, device.imei, day: day)
    part(of: known).state.withLock { state in
      let seen = state.table.see(known)
      guard seen != .again else { return }
      if state.unwritten.count < mostUnwrittenOfPart {
        state.unwritten.append(known)
      } else {
        isWholeUnwritten.store(true, ordering: .relaxed)
      }
      switch seen {
      case .again, .onAnotherDay: return
      case .first where !tellsFirst: return
      case .first: tell(DeviceEvent(imsi, device, nil, interface, answer, now))
      case .changed(let before):
        tell(DeviceEvent(imsi, device, IMEI(number: before), interface, answer, now))
      }
    }
  }

  /// Within the lock of the subscriber's part, so that its events are in order.
  private func tell(_ event: DeviceEvent) {
    outbox.withLock { outbox in
      outbox.counts.made += 1
      if outbox.pending.count < Self.mostPending {
        outbox.pending.append(event)
      } else {
        outbox.counts.dropped += 1
      }
    }
  }

  // MARK: Events

  var pendingCount: Int { outbox.withLock { $0.pending.count } }

  /// The oldest that are pending; they stay until ``wrote(_:)``.
  func oldest(_ most: Int) -> [DeviceEvent] { outbox.withLock { Array($0.pending.prefix(most)) } }

  func wrote(_ count: Int) { outbox.withLock { $0.pending.removeFirst(count) } }

  // MARK: What is known

  /// What was read from disk.
  func recall(_ known: KnownDevice) {
    part(of: known).state.withLock { _ = $0.table.see(known) }
  }

  /// What is new since it was taken last, or nil where the whole table must be written. The events
  /// of what is taken are pending already.
  func takeUnwritten() -> [KnownDevice]? {
    let isWhole = isWholeUnwritten.exchange(false, ordering: .relaxed)
    let taken = parts.flatMap { part in
      part.state.withLock { state in
        defer { state.unwritten = [] }
        return state.unwritten
      }
    }
    return isWhole ? nil : taken
  }

  /// What was taken last did not reach the disk, or what is there should be no more.
  func writeWholeNext() { isWholeUnwritten.store(true, ordering: .relaxed) }

  /// Everything, some of it at a time.
  func eachPart<Failure>(
    _ body: ([KnownDevice]) throws(Failure) -> Void
  ) throws(Failure) {
    for part in parts { try body(part.state.withLock { $0.table.all }) }
  }

  /// How many subscribers were forgotten.
  func forget(notSeenFor days: Int, asOf now: Instant) -> Int {
    let day = now.secondsSinceEpoch / Self.secondsOfDay - Int64(days)
    return parts.reduce(0) { sum, part in
      sum + part.state.withLock { $0.table.forget(notSeenSince: day) }
    }
  }
}

extension DeviceEvent {
  fileprivate init(
    _ imsi: IMSI, _ device: IMEISV, _ previous: IMEI?, _ interface: CheckInterface,
    _ answer: CheckAnswer, _ at: Instant
  ) {
    self.init(
      imsi: imsi, device: device, previous: previous, interface: interface, answer: answer, at: at)
  }
}
