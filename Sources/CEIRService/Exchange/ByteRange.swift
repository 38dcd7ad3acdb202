/// What part of a file a `Range` header asks for. RFC 9110, 14.1.2 and 14.2.
package enum ByteRange: Hashable, Sendable {
  /// No header, one that means nothing to us, or several ranges: the whole file is sent.
  case whole
  /// The places of the first byte and of the one behind the last.
  case part(Range<Int>)
  /// Nothing of the file lies there.
  case unsatisfiable

  package init(_ header: String?, of byteCount: Int) {
    self = .whole
    guard let header, header.utf8.count <= Self.longestHeader,
      header.lowercased().hasPrefix(Self.unit), !header.contains(",")
    else { return }
    let ends = header.dropFirst(Self.unit.count).split(
      separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard ends.count == 2 else { return }
    let (first, last) = (Self.number(ends[0]), Self.number(ends[1]))
    switch (ends[0].isEmpty, ends[1].isEmpty, first, last) {
    case (false, true, .some(let first), _):
      self = first < byteCount ? .part(first..<byteCount) : .unsatisfiable
    case (false, false, .some(let first), .some(let last)) where first <= last:
      self = first < byteCount ? .part(first..<min(last, byteCount - 1) + 1) : .unsatisfiable
    case (true, false, _, .some(let count)):
      guard count > 0, byteCount > 0 else {
        self = .unsatisfiable
        return
      }
      self = .part(max(0, byteCount - count)..<byteCount)
    default: return
    }
  }

  private static let unit = "bytes="
  private static let longestHeader = 64
  /// Beyond any file, and `last + 1` cannot overflow.
  private static let greatest = 1 << 60

  /// Digits alone; a number too large for a file counts as the greatest.
  private static func number(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
    return min(Int(text) ?? greatest, greatest)
  }
}
