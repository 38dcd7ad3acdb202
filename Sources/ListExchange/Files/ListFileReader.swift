import DeviceIdentity
package import DeviceLists

/// Reads the text of a list file as its bytes arrive: exactly what ``ListFileWriter`` writes.
///
/// What it hands out is not to be believed before the last line has come and the hash of all bytes
/// is that of the checkpoint.
package struct ListFileReader {
  /// One line: in a full file the position is ``Position/start`` and there is an entry.
  package typealias Row = Change

  private let kind: ReplicationName.Kind
  private let feed: Feed
  private var partial: [UInt8] = []
  private var lineNumber = 0
  private var last: RowOrder?
  private var endings = LineEndings()

  package init(_ kind: ReplicationName.Kind, feed: Feed) {
    self.kind = kind
    self.feed = feed
  }

  /// Lines without the header.
  package var records: Int { max(0, lineNumber - 1) }

  /// Takes the next bytes, cut anywhere, and returns the lines that are whole by now.
  package mutating func rows(in bytes: [UInt8]) throws(ExchangeError) -> [Row] {
    var rows: [Row] = []
    var start = 0
    while let end = bytes[start...].firstIndex(of: 0x0A) {
      let line = bytes[start..<end]
      start = end + 1
      guard partial.count + line.count <= FileLimits.longestLineBytes else { throw tooLong() }
      if partial.isEmpty {
        try take(line, into: &rows)
      } else {
        partial += line
        try take(partial[...], into: &rows)
        partial.removeAll(keepingCapacity: true)
      }
    }
    partial += bytes[start...]
    guard partial.count <= FileLimits.longestLineBytes else { throw tooLong() }
    return rows
  }

  /// Called once after the last byte.
  package func finish() throws(ExchangeError) {
    guard partial.isEmpty, lineNumber > 0 else {
      throw ExchangeError(.cutShort, "after line \(lineNumber)")
    }
  }

  private func tooLong() -> ExchangeError {
    ExchangeError(
      .lineTooLong, "line \(lineNumber + 1), over \(FileLimits.longestLineBytes) bytes")
  }

  private mutating func take(
    _ line: ArraySlice<UInt8>, into rows: inout [Row]
  ) throws(ExchangeError) {
    lineNumber += 1
    do throws(ExchangeError) {
      if lineNumber == 1 {
        guard line.elementsEqual(ListFile.header(of: kind).dropLast()) else {
          throw ExchangeError(.malformed, "the header names other columns")
        }
        return
      }
      let row = try row(line)
      guard feed.contains(row.scope) else {
        throw ExchangeError(.wrongScope, "scope \(row.scope) in the feed of \(feed)")
      }
      let order = RowOrder(row, in: kind)
      if let last, order <= last {
        throw ExchangeError(.wrongOrder, "this line must not follow the one before")
      }
      last = order
      rows.append(row)
    } catch {
      throw ExchangeError(error.code, "line \(lineNumber): \(error.detail)")
    }
  }

  private mutating func row(_ line: ArraySlice<UInt8>) throws(ExchangeError) -> Row {
    var fields = Fields(line)
    var position = Position.start
    var isRemoval = false
    if kind == .incremental {
      position = try Self.position(fields.next())
      isRemoval = try Self.isRemoval(fields.next())
    }
    guard let scope = Scope(try fields.text()) else { throw unusable("scope") }
    let subject = try Self.subject(&fields)
    let entryClass = try endings.entryClass(fields.rest)
    guard isRemoval == (entryClass == nil) else {
      throw ExchangeError(.malformed, "the operation and the entry do not fit")
    }
    return Row(position: position, subject: subject, scope: scope, entryClass: entryClass)
  }

  private static func position(_ digits: ArraySlice<UInt8>) throws(ExchangeError) -> Position {
    guard (1...18).contains(digits.count), digits.first != 0x30,
      let number = number(digits)
    else { throw unusable("position") }
    return Position(number)
  }

  private static func isRemoval(_ word: ArraySlice<UInt8>) throws(ExchangeError) -> Bool {
    if word.elementsEqual("set".utf8) { return false }
    if word.elementsEqual("remove".utf8) { return true }
    throw ExchangeError(.unknownWord, "an operation that this version does not know")
  }

  private static func subject(_ fields: inout Fields) throws(ExchangeError) -> Subject {
    let word = try fields.next()
    let first = try fields.next()
    let second = try fields.next()
    if word.elementsEqual("imei".utf8), second.isEmpty { return .imei(try imei(first, "first")) }
    if word.elementsEqual("range".utf8) {
      guard
        let range = IMEIRange(first: try imei(first, "first"), last: try imei(second, "second"))
      else { throw unusable("second") }
      return .range(range)
    }
    if word.elementsEqual("pairing".utf8) {
      let imei = try imei(first, "first")
      do throws(IdentityError) {
        return .pairing(Pairing(imei: imei, imsi: try IMSI(digits: second)))
      } catch {
        throw unusable("second")
      }
    }
    guard word.elementsEqual("tac".utf8) || word.elementsEqual("imei".utf8) else {
      throw ExchangeError(.unknownWord, "a kind that this version does not know")
    }
    guard second.isEmpty else { throw unusable("second") }
    guard first.count == 8, let number = number(first), let tac = TAC(number: UInt32(number))
    else { throw unusable("first") }
    return .tac(tac)
  }

  private static func imei(
    _ digits: ArraySlice<UInt8>, _ column: String
  ) throws(ExchangeError) -> IMEI {
    guard digits.count == 14, let number = number(digits), let imei = IMEI(number: number) else {
      throw unusable(column)
    }
    return imei
  }

  /// Of at most 18 digits.
  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var number: UInt64 = 0
    for byte in digits {
      guard 0x30...0x39 ~= byte else { return nil }
      number = number * 10 + UInt64(byte & 15)
    }
    return number
  }

  private static func unusable(_ column: String) -> ExchangeError {
    ExchangeError(.malformed, "no usable \"\(column)\"")
  }

  private func unusable(_ column: String) -> ExchangeError { Self.unusable(column) }
}

/// A line up to its comma, and so on.
private struct Fields {
  private(set) var rest: ArraySlice<UInt8>

  init(_ line: ArraySlice<UInt8>) { rest = line }

  mutating func next() throws(ExchangeError) -> ArraySlice<UInt8> {
    guard let comma = rest.firstIndex(of: 0x2C) else {
      throw ExchangeError(.malformed, "too few fields")
    }
    let field = rest[..<comma]
    rest = rest[(comma + 1)...]
    return field
  }

  mutating func text() throws(ExchangeError) -> String {
    String(decoding: try next(), as: UTF8.self)
  }
}

/// What must rise from line to line: the position, or the subject and then its scope.
private struct RowOrder: Comparable {
  private let key: (UInt64, UInt64, UInt64, UInt8)

  init(_ row: ListFileReader.Row, in kind: ReplicationName.Kind) {
    switch kind {
    case .incremental: key = (row.position.number, 0, 0, 0)
    case .full:
      let keys = row.subject.keys
      key = (
        UInt64(row.subject.kind.rawValue), keys.first, keys.second, row.scope == .all ? 0 : 1
      )
    }
  }

  static func < (left: RowOrder, right: RowOrder) -> Bool { left.key < right.key }
  static func == (left: RowOrder, right: RowOrder) -> Bool { left.key == right.key }
}

/// The three last columns, read once for each of the few forms that they have.
private struct LineEndings {
  private static let most = 1_024
  private var known: [ArraySlice<UInt8>: EntryClass] = [:]
  private var last: (bytes: ArraySlice<UInt8>, entryClass: EntryClass)?

  /// Nil where the three are empty.
  mutating func entryClass(_ bytes: ArraySlice<UInt8>) throws(ExchangeError) -> EntryClass? {
    if let last, last.bytes == bytes { return last.entryClass }
    if bytes.elementsEqual([0x2C, 0x2C]) { return nil }
    let entryClass: EntryClass
    if let seen = known[bytes] {
      entryClass = seen
    } else {
      entryClass = try Self.read(bytes)
      // A copy: the slice would keep the whole piece.
      if known.count < Self.most { known[ArraySlice(Array(bytes))] = entryClass }
    }
    last = (ArraySlice(Array(bytes)), entryClass)
    return entryClass
  }

  private static func read(_ bytes: ArraySlice<UInt8>) throws(ExchangeError) -> EntryClass {
    let fields = bytes.split(separator: 0x2C, omittingEmptySubsequences: false)
    guard fields.count == 3 else { throw ExchangeError(.malformed, "the wrong number of fields") }
    guard let status = ListStatus(word: String(decoding: fields[0], as: UTF8.self)) else {
      throw ExchangeError(.unknownWord, "a status that this version does not know")
    }
    let isOverridable = fields[1].elementsEqual([0x31])
    guard isOverridable || (fields[1].elementsEqual([0x30]) && status == .black) else {
      throw ExchangeError(.malformed, "no usable \"overridable\"")
    }
    var codes = GroundCodeSet()
    for word in fields[2].split(separator: 0x20) {
      guard let code = GroundCode(word: String(decoding: word, as: UTF8.self)) else {
        throw ExchangeError(.unknownWord, "a ground that this version does not know")
      }
      codes.formUnion(GroundCodeSet(code))
    }
    return EntryClass(status: status, codes: codes, isOverridable: isOverridable)
  }
}
