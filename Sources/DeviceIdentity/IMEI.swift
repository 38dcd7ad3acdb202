/// International Mobile station Equipment Identity: TAC (8 digits) and serial (6 digits).
///
/// Fourteen digits: the check digit is computed when a person reads it and is never signalled, so
/// nothing is compared on it. TS 23.003, 6.2.1.
package struct IMEI: Hashable, Comparable, Sendable, CustomStringConvertible {
  static let serialsPerTAC: UInt64 = 1_000_000

  /// TAC and serial as one number: 0 to 99,999,999,999,999.
  package let number: UInt64

  package init?(number: UInt64) {
    guard number < 100_000_000_000_000 else { return nil }
    self.number = number
  }

  /// For fourteen digits that were counted.
  package init(unchecked number: UInt64) { self.number = number }

  package init?(tac: TAC, serial: UInt32) {
    guard serial < Self.serialsPerTAC else { return nil }
    number = UInt64(tac.number) * Self.serialsPerTAC + UInt64(serial)
  }

  /// As a person types it: 15 digits, the last of which is verified; spaces, hyphens, dots and
  /// slashes may stand between them.
  package init(dialled text: some StringProtocol) throws(IdentityError) {
    let value = try Digits.dialled(text, expected: 15...15).value
    let imei = IMEI(unchecked: value / 10)
    let found = UInt8(value % 10)
    guard imei.checkDigit == found else {
      throw IdentityError(.checkDigit(expected: imei.checkDigit, found: found))
    }
    self = imei
  }

  /// Off the wire: 14 to 16 digits, then perhaps filler; digit 15 is never looked at.
  package init(signalled text: some StringProtocol) throws(IdentityError) {
    self = try IMEISV(signalled: text.utf8).imei
  }

  package var tac: TAC { TAC(unchecked: UInt32(number / Self.serialsPerTAC)) }

  /// 0 to 999,999.
  package var serial: UInt32 { UInt32(number % Self.serialsPerTAC) }

  /// Luhn over the fourteen digits. TS 23.003, annex B.
  package var checkDigit: UInt8 {
    var rest = number
    var sum: UInt64 = 0
    for _ in 0..<7 {
      let doubled = (rest % 10) * 2
      sum += doubled / 10 + doubled % 10
      sum += rest / 10 % 10
      rest /= 100
    }
    return UInt8((10 - sum % 10) % 10)
  }

  /// All fourteen digits equal: what devices and networks send when they have no identity.
  package var isPlaceholder: Bool { number % 11_111_111_111_111 == 0 }

  /// Fifteen digits, with the check digit, as printed on the device.
  package var dialled: String { description + String(checkDigit) }

  package static func < (left: IMEI, right: IMEI) -> Bool { left.number < right.number }

  /// Fourteen digits.
  package var description: String { Digits.padded(number, width: 14) }
}
