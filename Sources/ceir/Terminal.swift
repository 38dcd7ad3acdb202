import Foundation

/// What a person sees: results on standard output, everything else on standard error.
enum Terminal {
  static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }

  static func output(_ text: String) { write(text + "\n", to: .standardOutput) }
  static func error(_ text: String) { write(text + "\n", to: .standardError) }

  /// Replaces the line that the last call wrote.
  static func progress(_ text: String) { write("\r\u{1B}[K\(text)", to: .standardError) }
  static func endProgress() { write("\r\u{1B}[K", to: .standardError) }

  static func json(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    output(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// Whoever reads us may have gone away, which is no failure of ours.
  private static func write(_ text: String, to file: FileHandle) {
    _ = try? file.write(contentsOf: Data(text.utf8))
  }
}

/// Tells a person at a terminal how far a long work is, once it has taken two seconds.
struct ProgressLine {
  static let silence = Duration.seconds(2)
  static let interval = Duration.milliseconds(200)

  private let what: String
  private let started = ContinuousClock.now
  private var shown: ContinuousClock.Instant?

  init(_ what: String) { self.what = what }

  mutating func update(_ count: Int) {
    let now = ContinuousClock.now
    guard Terminal.showsProgress, started.duration(to: now) > Self.silence else { return }
    if let shown, shown.duration(to: now) < Self.interval { return }
    shown = now
    Terminal.progress("\(what): \(count)")
  }

  mutating func end() {
    if shown != nil { Terminal.endProgress() }
    shown = nil
  }
}

/// Columns under a heading, as wide as they must be.
struct TextTable {
  private var rows: [[String]]

  init(_ heading: [String]) { rows = [heading] }

  mutating func add(_ row: [String]) { rows.append(row) }

  var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).map { text, width in
        text + String(repeating: " ", count: width - text.count)
      }.joined(separator: "  ").trimmingSuffix(" ")
    }.joined(separator: "\n")
  }
}

extension String {
  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var text = self[...]
    while text.last == character { text = text.dropLast() }
    return String(text)
  }
}
