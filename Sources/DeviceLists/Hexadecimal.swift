/// Hexadecimal digits in lower case, most significant first.
enum Hexadecimal {
  private static let digits = Array("0123456789abcdef".utf8)

  /// Sixteen digits.
  static func text(_ number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Two digits a byte.
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    let characters = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: characters, as: UTF8.self)
  }

  /// Nil for anything but digits; at most sixteen of them count.
  static func number(_ characters: some Collection<UInt8>) -> UInt64? {
    var number: UInt64 = 0
    for character in characters {
      guard let half = value(of: character) else { return nil }
      number = number << 4 | UInt64(half)
    }
    return number
  }

  private static func value(of character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x61...0x66: character - 0x61 + 10
    default: nil
    }
  }
}
