package import DeviceIdentity

/// A subscriber, the device that it was last seen with, and the day of that: two numbers.
package struct KnownDevice: Hashable, Sendable {
  /// Fourteen digits are less than 2^47; days have the 17 bits above, enough until 2328.
  private static let imeiBits: UInt64 = 47
  private static let imeiMask: UInt64 = 1 << imeiBits - 1
  private static let dayMask: UInt64 = 1 << 17 - 1

  /// A packed IMSI; 0 where a place of a table is free.
  let subscriber: UInt64
  fileprivate(set) var device: UInt64

  static let none = KnownDevice(subscriber: 0, device: 0)

  private init(subscriber: UInt64, device: UInt64) {
    self.subscriber = subscriber
    self.device = device
  }

  /// - Parameter day: since 1970.
  package init(_ imsi: IMSI, _ imei: IMEI, day: Int64) {
    let days = UInt64(truncatingIfNeeded: day) & Self.dayMask
    self.init(subscriber: imsi.packed, device: days << Self.imeiBits | imei.number)
  }

  var isNone: Bool { subscriber == 0 }
  package var imei: UInt64 { device & Self.imeiMask }
  package var day: Int64 { Int64(device >> Self.imeiBits) }

  /// Spreads numbers that follow one another over all 64 bits.
  var hash: UInt64 { Self.mixed(subscriber) }

  private static func mixed(_ number: UInt64) -> UInt64 {
    let first = (number ^ (number >> 32)) &* 0xD6E8_FEB8_6659_FD93
    return (first ^ (first >> 32)) &* 0x9E37_79B9_7F4A_7C15
  }
}

// MARK: - On disk

extension KnownDevice {
  static let bytes = 16
  /// A packed IMSI is less than 2^54; above it stand ten bits that prove the rest.
  private static let subscriberMask: UInt64 = 1 << 54 - 1

  private var proof: UInt64 { Self.mixed(hash ^ device) >> 54 }

  func write(into bytes: inout [UInt8]) {
    for word in [subscriber | proof << 54, device] {
      withUnsafeBytes(of: word.littleEndian) { bytes += $0 }
    }
  }

  /// Nil where it was not written whole.
  init?(_ bytes: UnsafeRawBufferPointer) {
    let first = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    let second = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    self.init(subscriber: first & Self.subscriberMask, device: second)
    guard IMSI(packed: subscriber) != nil, IMEI(number: imei) != nil, proof == first >> 54 else {
      return nil
    }
  }
}

/// Known devices by their subscribers: open addressing with linear probing.
///
/// Where there are as many as may be, the one of some that was not seen for longest makes room.
struct KnownDeviceTable: Sendable {
  enum Seen: Hashable, Sendable {
    /// Today, with the same device.
    case again
    /// On another day, with the same device.
    case onAnotherDay
    case first
    case changed(from: UInt64)
  }

  /// At most three quarters of the places are taken.
  private static let fewestPlaces = 16
  /// Looked at to find the one that makes room.
  private static let mostCompared = 32

  private var places = [KnownDevice](repeating: .none, count: fewestPlaces)
  private(set) var count = 0
  /// How many had to make room.
  private(set) var displacedCount = 0
  private let most: Int

  init(most: Int) { self.most = most }

  var placeCount: Int { places.count }
  var all: [KnownDevice] { places.filter { !$0.isNone } }

  private var mask: Int { places.count - 1 }

  private func home(_ known: KnownDevice) -> Int {
    Int(truncatingIfNeeded: known.hash) & mask
  }

  mutating func see(_ seen: KnownDevice) -> Seen {
    var place = home(seen)
    while !places[place].isNone {
      let before = places[place]
      guard before.subscriber == seen.subscriber else {
        place = (place + 1) & mask
        continue
      }
      guard before.imei == seen.imei else {
        places[place] = seen
        return .changed(from: before.imei)
      }
      // A clock that was set back makes nobody older.
      guard seen.day > before.day else { return .again }
      places[place] = seen
      return .onAnotherDay
    }
    insert(seen, at: place)
    return .first
  }

  private mutating func insert(_ known: KnownDevice, at place: Int) {
    guard count < most else {
      displaceOne(near: place)
      put(known)
      return
    }
    if (count + 1) * 4 > places.count * 3 {
      rebuild(all, places: places.count * 2)
      put(known)
    } else {
      places[place] = known
      count += 1
    }
  }

  /// A subscriber that is not there yet.
  private mutating func put(_ known: KnownDevice) {
    var place = home(known)
    while !places[place].isNone { place = (place + 1) & mask }
    places[place] = known
    count += 1
  }

  private mutating func rebuild(_ known: [KnownDevice], places placeCount: Int) {
    places = [KnownDevice](repeating: .none, count: placeCount)
    count = 0
    for known in known { put(known) }
  }

  private mutating func displaceOne(near start: Int) {
    var oldest: Int?
    var compared = 0
    var place = start
    while compared < Self.mostCompared || oldest == nil {
      place = (place + 1) & mask
      compared += 1
      guard !places[place].isNone else { continue }
      if let found = oldest, places[found].day <= places[place].day { continue }
      oldest = place
    }
    if let oldest { remove(at: oldest) }
    displacedCount += 1
  }

  /// Moves up what is found only by way of the place that becomes free.
  private mutating func remove(at place: Int) {
    var free = place
    var next = (place + 1) & mask
    while !places[next].isNone {
      if (next - home(places[next])) & mask >= (next - free) & mask {
        places[free] = places[next]
        free = next
      }
      next = (next + 1) & mask
    }
    places[free] = .none
    count -= 1
  }

  /// How many were forgotten.
  mutating func forget(notSeenSince day: Int64) -> Int {
    let before = count
    guard places.contains(where: { !$0.isNone && $0.day < day }) else { return 0 }
    let kept = all.filter { $0.day >= day }
    var needed = Self.fewestPlaces
    while kept.count * 4 > needed * 3 { needed *= 2 }
    rebuild(kept, places: needed)
    return before - count
  }
}
