/// Reads ASCII digits into numbers; everything else is refused with its place.
enum Digits {
  /// The digits of `text` without the separators that people write between groups.
  static func dialled(
    _ text: some StringProtocol, expected: ClosedRange<Int>
  ) throws(IdentityError) -> (value: UInt64, count: Int) {
    let bytes = trimmed(text)
    try refuseSpreadsheetNumber(bytes)
    var value: UInt64 = 0
    var count = 0
    var position = 0
    for byte in bytes {
      position += 1
      switch byte {
      case 0x30...0x39:
        count += 1
        if count <= expected.upperBound { value = value * 10 + UInt64(byte & 0x0F) }
      case 0x20, 0x2D, 0x2E, 0x2F: continue  // space - . /
      case 0x80...: throw IdentityError(.notASCII(position: position))
      default: throw IdentityError(.notADigit(position: position))
      }
    }
    guard position > 0 else { throw IdentityError(.empty) }
    guard expected.contains(count) else {
      throw IdentityError(.length(digits: count, expected: expected))
    }
    return (value, count)
  }

  /// The digits of `bytes`, which must hold nothing else.
  static func exact(
    _ bytes: some Collection<UInt8>, expected: ClosedRange<Int>
  ) throws(IdentityError) -> (value: UInt64, count: Int) {
    var value: UInt64 = 0
    var count = 0
    for byte in bytes {
      count += 1
      guard byte & 0xF0 == 0x30, byte <= 0x39 else {
        throw IdentityError(
          byte < 0x80 ? .notADigit(position: count) : .notASCII(position: count))
      }
      if count <= expected.upperBound { value = value &* 10 &+ UInt64(byte & 0x0F) }
    }
    guard count > 0 else { throw IdentityError(.empty) }
    guard expected.contains(count) else {
      throw IdentityError(.length(digits: count, expected: expected))
    }
    return (value, count)
  }

  /// `3.5E+13` and `3,5E+13`: what a spreadsheet makes of a long number. Told apart from other
  /// refusals because the digits are lost and only a new export brings them back.
  private static func refuseSpreadsheetNumber(
    _ bytes: some Collection<UInt8>
  ) throws(IdentityError) {
    guard let exponent = bytes.firstIndex(where: { $0 == 0x45 || $0 == 0x65 }) else { return }
    let mantissa = bytes[..<exponent]
    let power = bytes[bytes.index(after: exponent)...]
    let isMantissa = mantissa.allSatisfy { 0x30...0x39 ~= $0 || $0 == 0x2E || $0 == 0x2C }
    let isPower = power.allSatisfy { 0x30...0x39 ~= $0 || $0 == 0x2B }
    if isMantissa, isPower, !mantissa.isEmpty, !power.isEmpty {
      throw IdentityError(.spreadsheetNumber)
    }
  }

  /// Without the spaces and tabs at both ends, which are no part of a field.
  private static func trimmed(_ text: some StringProtocol) -> some Collection<UInt8> {
    let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
    let bytes = Array(text.utf8)
    let start = bytes.firstIndex { !isBlank($0) } ?? bytes.endIndex
    let end = bytes.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? start
    return bytes[start..<end]
  }

  /// `value` in decimal with leading zeros up to `width` digits.
  static func padded(_ value: some BinaryInteger, width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
