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

  /// Off the wire, read in place; nil for anything but 1 to 15 digits.
  package init?(signalled bytes: UnsafeRawBufferPointer) {
    guard let packed = PackedDigits.packed(bytes, lengths: Self.lengths) else { return nil }
    self.packed = packed
  }

  /// Nil where the number is no length and digits.
  package init?(packed: UInt64) {
    guard PackedDigits.isWellFormed(packed, lengths: Self.lengths) else { return nil }
    self.packed = packed
  }

  /// The digits, for the database and for a notice to the subscriber only.
  package var digits: String { PackedDigits.text(packed) }
}

extension MSISDN: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
