/// What an `accept` header allows. RFC 9110, 12.5.1.
struct MediaRanges {
  private struct Range {
    let type: Substring
    let isRefused: Bool
  }

  /// More than this many ranges are not looked at.
  private static let rangesMax = 16

  private var ranges: [Range] = []

  init(_ accept: String) {
    for part in accept.split(separator: ",").prefix(Self.rangesMax) {
      let pieces = part.split(separator: ";", omittingEmptySubsequences: false)
      guard let type = pieces.first else { continue }
      let isRefused = pieces.dropFirst().contains { Self.isZeroQuality(Self.trimmed($0)) }
      ranges.append(Range(type: Self.trimmed(type), isRefused: isRefused))
    }
  }

  /// The most specific range that names the type decides; an empty header allows all.
  func allow(_ type: String) -> Bool {
    if ranges.isEmpty { return true }
    let group = type.prefix { $0 != "/" } + "/*"
    for candidate in [Substring(type), group, "*/*"] {
      let range = ranges.first { $0.type.lowercased() == candidate }
      if let range { return !range.isRefused }
    }
    return false
  }

  private static func isZeroQuality(_ parameter: Substring) -> Bool {
    let text = parameter.lowercased()
    guard text.hasPrefix("q=0") else { return false }
    return text.dropFirst(3).allSatisfy { $0 == "." || $0 == "0" }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while text.first == " " || text.first == "\t" { text.removeFirst() }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }
}
