/// Reads a node's file as its bytes arrive. A line that cannot be understood is refused alone.
package struct InboundFileReader {
  /// A line, and what it says or why it is refused.
  package enum Row: Hashable, Sendable {
    case record(line: Int, InboundRecord)
    case refusal(LineRefusal)
  }

  private let kind: InboundName.Kind
  private var partial: [UInt8] = []
  /// The line that is being read is longer than any may be; its bytes are passed over.
  private var isTooLong = false
  private var lineNumber = 0

  package init(_ kind: InboundName.Kind) { self.kind = kind }

  /// Lines without the header.
  package var records: Int { max(0, lineNumber - 1) }

  /// Takes the next bytes, cut anywhere, and returns the lines that are whole by now.
  package mutating func rows(in bytes: [UInt8]) throws(ExchangeError) -> [Row] {
    var rows: [Row] = []
    var start = 0
    while let end = bytes[start...].firstIndex(of: 0x0A) {
      keep(bytes[start..<end])
      start = end + 1
      try takeLine(into: &rows)
    }
    keep(bytes[start...])
    return rows
  }

  /// Called once after the last byte: a last line may lack its line feed.
  package mutating func finish() throws(ExchangeError) -> [Row] {
    var rows: [Row] = []
    if !partial.isEmpty || isTooLong { try takeLine(into: &rows) }
    guard lineNumber > 0 else { throw wrongHeader() }
    return rows
  }

  private mutating func keep(_ bytes: ArraySlice<UInt8>) {
    guard partial.count + bytes.count <= FileLimits.longestLineBytes else {
      isTooLong = true
      return
    }
    partial += bytes
  }

  private mutating func takeLine(into rows: inout [Row]) throws(ExchangeError) {
    let line = partial.last == 0x0D ? partial.dropLast() : partial[...]
    let wasTooLong = isTooLong
    defer {
      partial.removeAll(keepingCapacity: true)
      isTooLong = false
    }
    lineNumber += 1
    if lineNumber == 1 {
      let header = kind.columns.joined(separator: ",")
      guard !wasTooLong, line.elementsEqual(header.utf8) else { throw wrongHeader() }
      return
    }
    guard records <= FileLimits.mostInboundRecords else {
      throw ExchangeError(.fileTooLong, "over \(FileLimits.mostInboundRecords) lines")
    }
    guard !wasTooLong else {
      rows.append(.refusal(LineRefusal(line: lineNumber, .invalid, "the line is too long")))
      return
    }
    rows.append(row(line))
  }

  private func wrongHeader() -> ExchangeError {
    ExchangeError(
      .malformed, "line 1 must be the header \(kind.columns.joined(separator: ","))")
  }

  private func row(_ line: ArraySlice<UInt8>) -> Row {
    do throws(LineFault) {
      guard let text = String(validating: line, as: UTF8.self) else {
        throw LineFault(.unreadable, "the line is not UTF-8")
      }
      let fields = try QuotedFields.split(text)
      guard fields.count == kind.columns.count else { throw LineFault(.fieldCount) }
      let values = FieldValues(columns: kind.columns, fields: fields)
      return .record(line: lineNumber, try values.record(of: kind))
    } catch {
      return .refusal(LineRefusal(line: lineNumber, error.code, error.detail))
    }
  }
}

/// Why a line is refused, before it is known which line it is.
struct LineFault: Error {
  let code: LineCode
  let detail: String

  init(_ code: LineCode, _ detail: String = "") {
    self.code = code
    self.detail = detail
  }
}

/// A line of comma-separated fields; one with a comma or a quote in it stands in quotes. RFC 4180,
/// without line feeds in fields.
enum QuotedFields {
  static func split(_ line: String) throws(LineFault) -> [String] {
    var fields: [String] = []
    var rest = line.unicodeScalars[...]
    while true {
      fields.append(try rest.first == "\"" ? quoted(&rest) : plain(&rest))
      guard let comma = rest.popFirst() else { return fields }
      guard comma == "," else { throw LineFault(.invalid, "something follows a quote") }
    }
  }

  /// The field as it is written, in quotes where it needs them.
  static func written(_ field: String) -> String {
    guard field.unicodeScalars.contains(where: { $0 == "," || $0 == "\"" }) else { return field }
    var text = "\""
    for scalar in field.unicodeScalars {
      if scalar == "\"" { text.unicodeScalars.append("\"") }
      text.unicodeScalars.append(scalar)
    }
    return text + "\""
  }

  private static func plain(
    _ rest: inout String.UnicodeScalarView.SubSequence
  ) throws(LineFault) -> String {
    let field = rest.prefix { $0 != "," }
    guard !field.contains("\"") else { throw LineFault(.invalid, "a quote within a field") }
    rest = rest[field.endIndex...]
    return String(field)
  }

  private static func quoted(
    _ rest: inout String.UnicodeScalarView.SubSequence
  ) throws(LineFault) -> String {
    var field = String.UnicodeScalarView()
    rest.removeFirst()
    while let scalar = rest.popFirst() {
      if scalar != "\"" {
        field.append(scalar)
      } else if rest.first == "\"" {
        field.append("\"")
        rest.removeFirst()
      } else {
        return String(field)
      }
    }
    throw LineFault(.invalid, "a quote is not closed")
  }
}
