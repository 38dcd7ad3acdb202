/// An IMEI as signalled, with the software version where the network sent one. TS 23.003, 6.2.2.
package struct IMEISV: Hashable, Sendable {
  package let imei: IMEI
  /// SVN, 00 to 99; absent when 14 or 15 digits came.
  package let softwareVersion: UInt8?

  package init(imei: IMEI, softwareVersion: UInt8? = nil) {
    self.imei = imei
    self.softwareVersion = softwareVersion
  }

  /// 14 digits (IMEI), 15 (IMEI and a check or spare digit, never looked at) or 16 (IMEISV), then
  /// any number of the fillers that a conversion from TBCD leaves behind: F, space, NUL.
  package init(signalled bytes: UnsafeRawBufferPointer) throws(IdentityError) {
    var digits = SignalledDigits()
    for byte in bytes { try digits.take(byte) }
    self = try digits.identity()
  }

  /// The same for bytes of any kind. A generic loop would cost microseconds where the compiler
  /// cannot see both modules, so those in one piece are read in place and others are copied.
  package init(signalled bytes: some Collection<UInt8>) throws(IdentityError) {
    self = try Self.read(bytes) { (bytes) throws(IdentityError) in
      try IMEISV(signalled: bytes)
    }
  }

  /// Telephony binary coded decimal: two digits an octet, the first in the low half; a half of F
  /// is filler, A to E are no digits. TS 29.002, 17.7.8 (`IMEI`); TS 23.003 gives the digits.
  package init(tbcd octets: some Collection<UInt8>) throws(IdentityError) {
    self = try Self.read(octets) { (octets) throws(IdentityError) in
      var digits = SignalledDigits()
      for octet in octets {
        try digits.take(half: octet & 0x0F)
        try digits.take(half: octet >> 4)
      }
      return try digits.identity()
    }
  }

  private static func read(
    _ bytes: some Collection<UInt8>,
    _ body: (UnsafeRawBufferPointer) throws(IdentityError) -> IMEISV
  ) throws(IdentityError) -> IMEISV {
    let inPlace = bytes.withContiguousStorageIfAvailable { bytes in
      Result { () throws(IdentityError) in try body(UnsafeRawBufferPointer(bytes)) }
    }
    if let inPlace { return try inPlace.get() }
    return try Array(bytes).withUnsafeBytes { bytes in
      Result { () throws(IdentityError) in try body(bytes) }
    }.get()
  }
}

/// Digits as they come off the wire, taken in one pass and without memory of their own.
private struct SignalledDigits {
  static let lengths = 14...16

  private var value: UInt64 = 0
  private var count = 0
  private var fillers = 0

  mutating func take(_ byte: UInt8) throws(IdentityError) {
    let digit = byte &- 0x30
    if digit <= 9 {
      guard fillers == 0 else { throw IdentityError(.notADigit(position: count + 1)) }
      count += 1
      if count <= Self.lengths.upperBound { value = value * 10 + UInt64(digit) }
    } else if Self.isFiller(byte) {
      fillers += 1
    } else {
      let position = count + fillers + 1
      throw IdentityError(
        byte < 0x80 ? .notADigit(position: position) : .notASCII(position: position))
    }
  }

  /// A half octet: 0 to 9 as the characters `0` to `9`, 15 as the filler `F`.
  mutating func take(half: UInt8) throws(IdentityError) {
    try take(half <= 9 ? 0x30 + half : 0x37 + half)
  }

  func identity() throws(IdentityError) -> IMEISV {
    switch count {
    case 14: return IMEISV(imei: IMEI(unchecked: value))
    case 15: return IMEISV(imei: IMEI(unchecked: value / 10))
    case 16:
      return IMEISV(imei: IMEI(unchecked: value / 100), softwareVersion: UInt8(value % 100))
    case 0: throw IdentityError(.empty)
    default: throw IdentityError(.length(digits: count, expected: Self.lengths))
    }
  }

  private static func isFiller(_ byte: UInt8) -> Bool {
    byte == 0x46 || byte == 0x66 || byte == 0x20 || byte == 0x00
  }
}
