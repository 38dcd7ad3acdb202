/// Walks over bytes as long as they are what is expected.
struct Scan {
  private let bytes: UnsafeRawBufferPointer
  private(set) var place = 0

  init(_ bytes: UnsafeRawBufferPointer, at place: Int = 0) {
    self.bytes = bytes
    self.place = place
  }

  mutating func take(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard bytes.count - place >= count else { return false }
    for index in 0..<count where bytes[place + index] != text.utf8Start[index] { return false }
    place += count
    return true
  }

  mutating func take(_ text: [UInt8]) -> Bool {
    guard bytes.count - place >= text.count else { return false }
    for index in text.indices where bytes[place + index] != text[index] { return false }
    place += text.count
    return true
  }

  /// Up to 18 digits without a leading zero.
  mutating func number() -> UInt64? {
    let start = place
    var number: UInt64 = 0
    while place < bytes.count, 0x30...0x39 ~= bytes[place], place - start < 19 {
      number = number &* 10 &+ UInt64(bytes[place] & 15)
      place += 1
    }
    let count = place - start
    guard (1...18).contains(count), count == 1 || bytes[start] != 0x30 else { return nil }
    return number
  }

  mutating func digits(_ count: Int) -> UInt64? {
    guard bytes.count - place >= count else { return nil }
    var number: UInt64 = 0
    for index in place..<place + count {
      guard 0x30...0x39 ~= bytes[index] else { return nil }
      number = number &* 10 &+ UInt64(bytes[index] & 15)
    }
    place += count
    return number
  }

  /// As many digits as there are, if that is one of `counts`; no more than 18.
  mutating func digits(_ counts: ClosedRange<Int>) -> (number: UInt64, count: Int)? {
    var count = 0
    var number: UInt64 = 0
    while place + count < bytes.count, count <= counts.upperBound {
      let digit = bytes[place + count] &- 0x30
      guard digit <= 9 else { break }
      number = number &* 10 &+ UInt64(digit)
      count += 1
    }
    guard counts.contains(count) else { return nil }
    place += count
    return (number, count)
  }
}
