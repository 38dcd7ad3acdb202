/// A moment in UTC, in whole seconds, as it is stored and exchanged.
package struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// 0000-01-01T00:00:00Z to 9999-12-31T23:59:59Z: what RFC 3339 can write.
  private static let writable: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

  package let secondsSinceEpoch: Int64

  /// A number beyond the years 0000 to 9999 becomes the nearest moment within, so that no number
  /// from outside can overflow a difference.
  package init(secondsSinceEpoch: Int64) {
    self.secondsSinceEpoch = min(
      max(secondsSinceEpoch, Self.writable.lowerBound), Self.writable.upperBound)
  }

  package static func < (left: Instant, right: Instant) -> Bool {
    left.secondsSinceEpoch < right.secondsSinceEpoch
  }

  package func adding(seconds: Int64) -> Instant {
    let (sum, overflow) = secondsSinceEpoch.addingReportingOverflow(seconds)
    return Instant(secondsSinceEpoch: overflow ? (seconds < 0 ? .min : .max) : sum)
  }

  package func seconds(since earlier: Instant) -> Int64 {
    secondsSinceEpoch - earlier.secondsSinceEpoch
  }

  /// `2026-11-23T06:23:17Z`. RFC 3339.
  package var description: String {
    let (days, second) = secondsSinceEpoch.flooredDivision(by: 86_400)
    let date = CivilDate(daysSinceEpoch: days)
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(date)T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
  }

  /// Reads what ``description`` writes; nil for anything else.
  package init?(_ text: some StringProtocol) {
    guard text.utf8.count == 20 else { return nil }
    let bytes = Array(text.utf8)
    guard bytes[10] == 0x54, bytes[19] == 0x5A else { return nil }
    guard bytes[13] == 0x3A, bytes[16] == 0x3A else { return nil }
    guard let date = CivilDate(String(decoding: bytes[..<10], as: UTF8.self)) else { return nil }
    func two(_ at: Int, below limit: Int64) -> Int64? {
      guard 0x30...0x39 ~= bytes[at], 0x30...0x39 ~= bytes[at + 1] else { return nil }
      let number = Int64(bytes[at] & 15) * 10 + Int64(bytes[at + 1] & 15)
      return number < limit ? number : nil
    }
    guard let hour = two(11, below: 24), let minute = two(14, below: 60) else { return nil }
    guard let second = two(17, below: 60) else { return nil }
    secondsSinceEpoch = date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second
  }
}

extension Int64 {
  func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
