/// What networks report where an IMEI should be: letters, `*#`, too few digits, mangled text.
///
/// Kept as it came, so that it can be counted and reported; it is on no list. Only NUL, which no
/// database stores in a text, becomes the replacement character.
package struct UnusableIdentity: Hashable, Sendable {
  package static let longestText = 16

  /// At most ``longestText`` Unicode scalars, which is what a database counts as characters (what
  /// a reader sees as one may have any number of them); longer ones are cut, and where the rest
  /// could be read as an IMEI its last character is an ellipsis.
  package let text: String

  package init(_ text: some StringProtocol) {
    var kept = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(Self.longestText) {
      kept.append(scalar == "\0" ? "\u{FFFD}" : scalar)
    }
    let isCut = text.unicodeScalars.dropFirst(Self.longestText).first != nil
    if isCut, (try? IMEISV(signalled: String(kept).utf8)) != nil {
      kept.removeLast()
      kept.append("\u{2026}")
    }
    self.text = String(kept)
  }
}
