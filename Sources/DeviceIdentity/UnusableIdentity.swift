/// What networks report where an IMEI should be: letters, `*#`, too few digits, mangled text.
///
/// Kept as it came, so that it can be counted and reported; it is on no list.
package struct UnusableIdentity: Hashable, Sendable {
  package static let longestText = 16

  /// At most ``longestText`` characters; longer ones are cut.
  package let text: String

  package init(_ text: some StringProtocol) { self.text = String(text.prefix(Self.longestText)) }
}
