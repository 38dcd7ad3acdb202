/// What became of the lines of a file.
package struct FileReport: Hashable, Sendable {
  package let fileName: String
  package internal(set) var bytes = 0
  /// Ends of lines, and a last line without one.
  package internal(set) var lines = 0
  package internal(set) var blankLines = 0
  package internal(set) var rowsKept = 0
  package internal(set) var refused: [RefusalCode: Int] = [:]
  /// The first of them, up to ``FileLimits/mostRefusalsKept``.
  package internal(set) var firstRefusals: [Refusal] = []
  package internal(set) var notices: [Notice] = []
  /// True once the last line has been read.
  package internal(set) var isComplete = false

  init(fileName: String) { self.fileName = fileName }

  package var rowsRead: Int { rowsKept + rowsRefused + rowsRepeated }

  /// Lines refused for what they hold; identical repetitions are counted apart.
  package var rowsRefused: Int { refused.values.reduce(0, +) - rowsRepeated }

  /// Lines that say again what an earlier line of the file said.
  package var rowsRepeated: Int { refused[.duplicateLine, default: 0] }

  /// What a strict import asks for: every line read and kept, every column known.
  package var isSpotless: Bool {
    isComplete && refused.isEmpty && !notices.contains { $0.code == .unknownColumn }
  }
}

/// What reading on has found.
package enum FileLine<Row: Hashable & Sendable>: Hashable, Sendable {
  case row(Row)
  case refused(Refusal)
}
