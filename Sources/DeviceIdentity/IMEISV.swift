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
  package init(signalled bytes: some Collection<UInt8>) throws(IdentityError) {
    var end = bytes.startIndex
    for index in bytes.indices where !Self.isFiller(bytes[index]) {
      end = bytes.index(after: index)
    }
    let (value, count) = try Digits.exact(bytes[..<end], expected: 14...16)
    switch count {
    case 14: self.init(imei: IMEI(unchecked: value))
    case 15: self.init(imei: IMEI(unchecked: value / 10))
    default: self.init(imei: IMEI(unchecked: value / 100), softwareVersion: UInt8(value % 100))
    }
  }

  /// Telephony binary coded decimal: two digits an octet, the first in the low half; a high half
  /// of F is filler. TS 29.002, 17.7.8 (`IMEI`); TS 23.003 gives the digits.
  package init(tbcd octets: some Collection<UInt8>) throws(IdentityError) {
    var digits: [UInt8] = []
    digits.reserveCapacity(octets.count * 2)
    for octet in octets {
      for half in [octet & 0x0F, octet >> 4] {
        digits.append(half <= 9 ? 0x30 + half : half == 0x0F ? 0x46 : 0x3F)
      }
    }
    try self.init(signalled: digits)
  }

  private static func isFiller(_ byte: UInt8) -> Bool {
    byte == 0x46 || byte == 0x66 || byte == 0x20 || byte == 0x00
  }
}
