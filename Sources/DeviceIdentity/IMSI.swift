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

  /// Off the wire, read in place; nil for anything but 5 to 15 digits.
  package init?(signalled bytes: UnsafeRawBufferPointer) {
    guard let packed = PackedDigits.packed(bytes, lengths: Self.lengths) else { return nil }
    self.packed = packed
  }

  /// Nil where the number is no length and digits.
  package init?(packed: UInt64) {
    guard PackedDigits.isWellFormed(packed, lengths: Self.lengths) else { return nil }
    self.packed = packed
  }

  package static func < (left: IMSI, right: IMSI) -> Bool { left.packed < right.packed }

  package var length: Int { Int(packed / PackedDigits.lengthUnit) }

  /// The digits, for the database and for a signalling answer only.
  package var digits: String { PackedDigits.text(packed) }

  var value: UInt64 { packed % PackedDigits.lengthUnit }
}

extension IMSI: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
