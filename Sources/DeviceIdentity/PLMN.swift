/// Public Land Mobile Network: MCC (3 digits) and MNC (2 or 3 digits). TS 23.003, 2.2.
package struct PLMN: Hashable, Sendable, CustomStringConvertible {
  private static let hyphenOffset = 3

  package let prefix: IMSIPrefix

  /// `99970`, or `999-70` with the hyphen between MCC and MNC.
  package init(_ text: some StringProtocol) throws(IdentityError) {
    var digits = Array(text.utf8)
    if digits.count > Self.hyphenOffset, digits[Self.hyphenOffset] == 0x2D {
      digits.remove(at: Self.hyphenOffset)
    }
    let (value, count) = try Digits.exact(digits, expected: 5...6)
    prefix = IMSIPrefix(value: value, length: count)
  }

  package func contains(_ imsi: IMSI) -> Bool { prefix.contains(imsi) }

  package var description: String { prefix.description }
}
