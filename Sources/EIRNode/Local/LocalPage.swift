/// Which local entries a person wants to see.
package struct LocalQuestion: Hashable, Sendable {
  package var isWithEnded = false
  /// Those behind this one; nil for all, with those of the settings.
  package var after: LocalID?

  package init(isWithEnded: Bool = false, after: LocalID? = nil) {
    self.isWithEnded = isWithEnded
    self.after = after
  }
}

/// Some local entries, in order.
package struct LocalPage: Hashable, Codable, Sendable {
  /// Besides those of the settings, which the first page has. Each is below two kilobytes.
  package static let mostEntries = 1_000

  package var entries: [LocalEntry]
  /// Where the next page begins; nil after the last.
  package var next: LocalID?

  /// - Parameter entries: one more than a page holds where another follows.
  init(_ entries: [LocalEntry]) {
    let count = entries.count { $0.source == .local }
    self.entries = count > Self.mostEntries ? entries.dropLast() : entries
    next = count > Self.mostEntries ? self.entries.last?.id : nil
  }
}

/// Local entries for a person or a program.
package struct LocalReport: Hashable, Codable, Sendable {
  package var entries: [LocalEntry]

  package init(entries: [LocalEntry]) { self.entries = entries }

  /// A line for each.
  package var text: String {
    entries.isEmpty ? "there are none" : entries.map(\.line).joined(separator: "\n")
  }

  /// All that is known of each.
  package var longText: String {
    entries.map { entry in
      var lines = [entry.line]
      if let added = entry.added { lines.append("  added    \(added.text)") }
      if let text = entry.caseReference { lines.append("  case     \(text)") }
      if let ended = entry.ended { lines.append("  ended    \(ended.text)") }
      return lines.joined(separator: "\n")
    }.joined(separator: "\n")
  }
}

extension LocalEntry {
  var line: String {
    var line = "\(id?.description ?? source.rawValue)  \(subject)"
    if let svn { line += "  SVN \(svn)" }
    if !overridable { line += "  not overridable" }
    if let added { line += "  \(added.at)  \(added.by): \(added.reason)" }
    if suspended == true { line += "  (suspended)" }
    if let ended { line += "  (ended \(ended.at))" }
    return line
  }
}

extension LocalNote {
  fileprivate var text: String {
    let account = account.map { " (account \($0))" } ?? ""
    return "\(at) by \(by)\(account): \(reason)"
  }
}
