/// Up to fifteen digits whose leading zeros count, as one number. The base of IMSI and MSISDN.
enum PackedDigits {
  static let lengthUnit: UInt64 = 1_000_000_000_000_000

  static let powersOfTen: [UInt64] = (0...15).map { exponent in
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  static func isWellFormed(_ packed: UInt64, lengths: ClosedRange<Int>) -> Bool {
    let length = Int(packed / lengthUnit)
    return lengths.contains(length) && packed % lengthUnit < powersOfTen[length]
  }

  /// Length × 10^15 + digits; nil for anything but so many digits.
  static func packed(_ bytes: UnsafeRawBufferPointer, lengths: ClosedRange<Int>) -> UInt64? {
    guard lengths.contains(bytes.count) else { return nil }
    var value: UInt64 = 0
    for byte in bytes {
      let digit = byte &- 0x30
      guard digit <= 9 else { return nil }
      value = value * 10 + UInt64(digit)
    }
    return UInt64(bytes.count) * lengthUnit + value
  }

  static func text(_ packed: UInt64) -> String {
    Digits.padded(packed % lengthUnit, width: Int(packed / lengthUnit))
  }
}
