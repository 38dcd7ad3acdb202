/// The name of a Diameter node or realm: a domain name. RFC 6733, 4.3.1.
///
/// Compared without regard to case, as names of the DNS are; kept as it came.
package struct DiameterIdentity: Hashable, Sendable, CustomStringConvertible {
  static let longest = 255

  package let description: String
  private let folded: String

  /// Nil for what is no name: empty, too long, or with other characters than letters, digits,
  /// hyphens, underscores and dots.
  package init?(_ text: some StringProtocol) {
    guard 1...Self.longest ~= text.utf8.count, text.utf8.allSatisfy(Self.isAllowed) else {
      return nil
    }
    description = String(text)
    folded = description.lowercased()
  }

  init?(_ bytes: RawSpan) {
    guard 1...Self.longest ~= bytes.byteCount else { return nil }
    self.init(bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
    default: false
    }
  }

  package static func == (left: DiameterIdentity, right: DiameterIdentity) -> Bool {
    left.folded == right.folded
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(folded) }

  /// Whether the bytes are this name, without making one of them.
  package func isNamed(by bytes: RawSpan) -> Bool {
    guard bytes.byteCount == folded.utf8.count else { return false }
    var offset = 0
    for byte in folded.utf8 {
      var other = bytes.byte(at: offset)
      if 0x41...0x5A ~= other { other |= 0x20 }
      guard other == byte else { return false }
      offset += 1
    }
    return true
  }

  /// Whether this name ends in `.` and the other.
  package func isBelow(_ domain: DiameterIdentity) -> Bool {
    folded.hasSuffix("." + domain.folded)
  }
}
