/// Up to fifteen digits whose leading zeros count, as one number. The base of IMSI and MSISDN.
private enum PackedDigits {
  static let lengthUnit: UInt64 = 1_000_000_000_000_000

  static func text(_ packed: UInt64) -> String {
    Digits.padded(packed % lengthUnit, width: Int(packed / lengthUnit))
  }
}

/// International Mobile Subscriber Identity: MCC, MNC and MSIN. TS 23.003, 2.2.
///
/// Personal data: it has no description, so that it cannot reach a log by accident.
package struct IMSI: Hashable, Comparable, Sendable {
  package static let lengths = 5...15

  /// Length × 10^15 + digits: exact, ordered, and fits PostgreSQL's bigint.
  package let packed: UInt64

  package init(_ text: some StringProtocol) throws(IdentityError) {
    try self.init(digits: text.utf8)
  }

  package init(digits bytes: some Collection<UInt8>) throws(IdentityError) {
    let (value, count) = try Digits.exact(bytes, expected: Self.lengths)
    packed = UInt64(count) * PackedDigits.lengthUnit + value
  }

  package init?(packed: UInt64) {
    let length = Int(clamping: packed / PackedDigits.lengthUnit)
    guard Self.lengths.contains(length) else { return nil }
    guard packed % PackedDigits.lengthUnit < IMSIPrefix.powersOfTen[length] else { return nil }
    self.packed = packed
  }

  package static func < (left: IMSI, right: IMSI) -> Bool { left.packed < right.packed }

  package var length: Int { Int(packed / PackedDigits.lengthUnit) }

  /// The digits, for the database and for a signalling answer only.
  package var digits: String { PackedDigits.text(packed) }

  var value: UInt64 { packed % PackedDigits.lengthUnit }
}

/// The leading digits of IMSIs: an MCC, a PLMN, or a narrower range of subscribers.
package struct IMSIPrefix: Hashable, Sendable, CustomStringConvertible {
  package let length: Int
  let value: UInt64

  static let powersOfTen: [UInt64] = (0...15).map { exponent in
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  package init(_ text: some StringProtocol) throws(IdentityError) {
    let (value, count) = try Digits.exact(text.utf8, expected: 1...15)
    self.value = value
    length = count
  }

  package func contains(_ imsi: IMSI) -> Bool {
    imsi.length >= length && imsi.value / Self.powersOfTen[imsi.length - length] == value
  }

  package var description: String { Digits.padded(value, width: length) }
}

/// Public Land Mobile Network: MCC (3 digits) and MNC (2 or 3 digits). TS 23.003, 2.2.
package struct PLMN: Hashable, Sendable, CustomStringConvertible {
  package let prefix: IMSIPrefix

  package init(_ text: some StringProtocol) throws(IdentityError) {
    let digits = text.utf8.filter { $0 != 0x2D }
    _ = try Digits.exact(digits, expected: 5...6)
    prefix = try IMSIPrefix(String(decoding: digits, as: UTF8.self))
  }

  package func contains(_ imsi: IMSI) -> Bool { prefix.contains(imsi) }

  package var description: String { prefix.description }
}

/// Mobile Station international ISDN number: up to fifteen digits. ITU-T E.164; TS 23.003, 3.3.
///
/// Personal data: it has no description, so that it cannot reach a log by accident.
package struct MSISDN: Hashable, Sendable {
  package static let lengths = 1...15

  /// Length × 10^15 + digits.
  package let packed: UInt64

  /// With or without the leading `+` of the international form.
  package init(_ text: some StringProtocol) throws(IdentityError) {
    let bytes = text.utf8
    let digits = bytes.first == 0x2B ? bytes.dropFirst() : bytes[...]
    let (value, count) = try Digits.exact(digits, expected: Self.lengths)
    packed = UInt64(count) * PackedDigits.lengthUnit + value
  }

  /// The digits, for the database and for a notice to the subscriber only.
  package var digits: String { PackedDigits.text(packed) }
}

extension IMSI: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension MSISDN: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
