/// Reads a file whose first line, or one of the first, names the columns; keeps the books.
struct TableReader: ~Copyable, Sendable {
  enum Line {
    case record
    case refused(Refusal)
    case end
  }

  /// What the header of a kind of file must have.
  struct Kind {
    /// One of them must be there; in normal form.
    let mandatoryColumns: [String]
    /// Whether other lines, such as a licence, may stand before the header.
    let allowsPreamble: Bool
    /// Whether a field is a value of such a column: then the header is missing.
    let isValue: (String) -> Bool
  }

  var reader: DelimitedTextReader
  private(set) var header = Header(written: [], line: 0)
  private(set) var report: FileReport

  private init(_ reader: consuming DelimitedTextReader) {
    report = FileReport(fileName: reader.fileName)
    self.reader = reader
  }

  /// Reads as far as the header.
  static func opened(
    _ source: consuming ByteSource, fileName: String, kind: Kind, delimiter: Delimiter?,
    limits: FileLimits
  ) throws(RegistryFileError) -> TableReader {
    var table = TableReader(
      try DelimitedTextReader(source, fileName: fileName, limits: limits))
    try table.findHeader(kind, delimiter.map { [$0] } ?? Delimiter.allCases)
    return table
  }

  /// The next record that has as many fields as the header.
  mutating func next() throws(RegistryFileError) -> Line {
    while true {
      switch try reader.read() {
      case .end:
        finish()
        return .end
      case .fault(let fault):
        let column = fault.field.flatMap { $0 < header.written.count ? $0 : nil }
        return .refused(refuse(fault.code, fault.reason, column: column))
      case .record:
        if reader.isBlank {
          report.blankLines += 1
          continue
        }
        noticeLineEnd()
        guard reader.fieldCount == header.names.count else {
          return .refused(refuse(.fieldCount, reasonOfFieldCount, column: nil))
        }
        return .record
      }
    }
  }

  mutating func refuse(
    _ code: RefusalCode, _ reason: String, column: Int?
  ) -> Refusal {
    let refusal = Refusal(
      fileName: report.fileName, line: reader.line, column: column.map { header.written[$0] },
      code: code, reason: reason)
    report.refused[code, default: 0] += 1
    if report.firstRefusals.count < reader.limits.mostRefusalsKept {
      report.firstRefusals.append(refusal)
    }
    return refusal
  }

  mutating func keep() { report.rowsKept += 1 }

  mutating func notice(_ code: Notice.Code, _ reason: String, line: Int) {
    guard report.notices.count < reader.limits.mostNoticesKept else { return }
    report.notices.append(
      Notice(fileName: report.fileName, line: line, code: code, reason: reason))
  }

  /// Columns that the kind of file does not know.
  mutating func noticeLeftOut(_ columns: [Int]) {
    for column in columns {
      notice(
        .unknownColumn, "names the column \(header.written[column]), which is not known: left out",
        line: header.line)
    }
  }

  private var reasonOfFieldCount: String {
    let reason = "has \(reader.fieldCount) fields instead of \(header.names.count)"
    return reader.hasLineEnd ? reason : reason + "; no line end follows: the file was cut"
  }

  private mutating func noticeLineEnd() {
    guard !reader.hasLineEnd else { return }
    notice(
      .noFinalLineEnd, "has no line end: this is the last line, or the file was cut here",
      line: reader.line)
  }

  private mutating func finish() {
    report.bytes = reader.bytesRead
    report.lines = reader.line - 1
    report.isComplete = true
  }
}

extension TableReader {
  private mutating func findHeader(
    _ kind: Kind, _ delimiters: [Delimiter]
  ) throws(RegistryFileError) {
    let mostPreambleLines = kind.allowsPreamble ? reader.limits.mostPreambleLines : 0
    var linesLookedAt = 0
    while linesLookedAt <= mostPreambleLines {
      reader.delimiter = delimiters[0]
      let outcome = try reader.look()
      if case .end = outcome { break }
      if case .record = outcome, reader.isBlank { continue }
      linesLookedAt += 1
      if let fields = headerFields(kind.mandatoryColumns, delimiters) {
        return try use(Header(written: fields, line: reader.line))
      }
      try refuseLookalike(kind, outcome)
      noticePreamble(kind)
    }
    let code: RegistryFileError.Code =
      linesLookedAt == 0
      ? .empty : .missingHeader(column: kind.mandatoryColumns[0], linesLookedAt: linesLookedAt)
    throw RegistryFileError(code, fileName: report.fileName)
  }

  private mutating func use(_ header: Header) throws(RegistryFileError) {
    guard header.names.count <= reader.limits.mostColumns else {
      throw RegistryFileError(
        .tooManyColumns(limit: reader.limits.mostColumns), fileName: report.fileName)
    }
    self.header = header
    for (plain, name) in zip(header.plainNames, header.names) where plain != name {
      notice(
        .repeatedColumnName, "names the column \(plain) again: here it is \(name)",
        line: header.line)
    }
  }

  /// The fields of the current line under the delimiter that makes most of them, if the column
  /// that must be there is among them.
  private mutating func headerFields(
    _ columns: [String], _ delimiters: [Delimiter]
  ) -> [String]? {
    let extent = reader.extent
    var best: (delimiter: Delimiter, fields: [String])?
    for delimiter in delimiters {
      reader.delimiter = delimiter
      guard reader.lookAgain() else { continue }
      let fields = (0..<reader.fieldCount).map { reader.text($0) }
      guard fields.contains(where: { columns.contains(Header.normalForm(of: $0)) }) else {
        continue
      }
      if fields.count > best?.fields.count ?? 0 { best = (delimiter, fields) }
    }
    guard let best else {
      reader.extent = extent
      return nil
    }
    reader.delimiter = best.delimiter
    guard reader.lookAgain() else { return nil }
    return best.fields
  }

  private func refuseLookalike(
    _ kind: Kind, _ outcome: DelimitedTextReader.Outcome
  ) throws(RegistryFileError) {
    guard !kind.allowsPreamble else { return }
    if case .fault(let fault) = outcome {
      throw RegistryFileError(
        .badHeader(fault.code, line: reader.line), fileName: report.fileName)
    }
    if (0..<reader.fieldCount).contains(where: { kind.isValue(reader.text($0)) }) {
      throw RegistryFileError(.dataInsteadOfHeader, fileName: report.fileName)
    }
  }

  private mutating func noticePreamble(_ kind: Kind) {
    guard kind.allowsPreamble else { return }
    notice(.preambleSkipped, "stands before the header and was skipped", line: reader.line)
  }
}
