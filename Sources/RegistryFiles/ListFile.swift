import DeviceIdentity

/// A list, row by row: its columns are found by name, in any order. Of several lines for one
/// subject the first is kept. Memory grows by some 60 bytes a row, to know them again.
package struct ListFile: ~Copyable, Sendable, RowFile {
  package struct Options: Sendable {
    package var imeiForm = IMEIForm.dialled
    /// Whether each line says what is to change, in `change_type`.
    package var isDelta = false
    /// Found out from the header if nil.
    package var delimiter: Delimiter?
    package var limits = FileLimits()

    package init() {}
  }

  let kind: ListKind
  let options: Options
  var table: TableReader
  private let columns: Columns
  private var attributes: AttributeText
  private var firstLines = FirstLines<UInt128>()

  /// Reads as far as the header. Not for ``ListKind/stolen``: that is a ``StolenListFile``.
  package init(
    _ source: consuming ByteSource, of kind: ListKind, fileName: String, options: Options
  ) throws(RegistryFileError) {
    let shape = TableReader.Kind(mandatoryColumns: kind.keyColumns, allowsPreamble: false) {
      $0.utf8.filter { 0x30...0x39 ~= $0 }.count >= 8
    }
    var table = try TableReader.opened(
      source, fileName: fileName, kind: shape, delimiter: options.delimiter,
      limits: options.limits)
    do throws(RegistryFileError) {
      columns = try Columns(table, kind, isDelta: options.isDelta)
    } catch {
      throw error.named(fileName)
    }
    if !kind.keepsAttributes { table.noticeLeftOut(columns.others.sorted()) }
    attributes = AttributeText(columns.others, of: table.header)
    self.kind = kind
    self.options = options
    self.table = table
  }

  /// Complete once ``next()`` has returned nil.
  package var report: FileReport { table.report }

  /// Nil at the end of the file.
  package mutating func next() throws(RegistryFileError) -> FileLine<ListRow>? {
    try nextRow()
  }

  mutating func parse() throws(FieldFault) -> ListRow {
    let row = ListRow(
      subject: try subject(),
      attributes: kind.keepsAttributes ? try attributes.text(of: table) : "{}",
      change: try change(), line: table.reader.line)
    var content = ContentDigest()
    content.combine(row.attributes)
    content.combine(row.change.map { Int64($0.rawValue) })
    if let fault = firstLines.note(
      row.subject.number, content: content, line: row.line, column: columns.key)
    {
      throw fault
    }
    return row
  }

  private func change() throws(FieldFault) -> ListChange? {
    guard let column = columns.change else { return nil }
    return try table.change(column, of: kind)
  }

  private func subject() throws(FieldFault) -> ListSubject {
    switch kind {
    case .stolen, .barred, .golden, .registration, .monitoring:
      .imei(try table.imei(columns.key, form: options.imeiForm))
    case .barredTAC, .typeApproval: .tac(try table.tac(columns.key))
    case .goldenHashed: .hash(try table.hash(columns.key))
    case .pairing:
      .pairing(
        try table.imei(columns.key, form: options.imeiForm), try table.imsi(columns.second))
    case .subscribers:
      .subscriber(try table.imsi(columns.key), person: try table.person(columns.second))
    case .associations:
      .association(
        try table.imei(columns.key, form: options.imeiForm),
        person: try table.person(columns.second))
    }
  }
}

extension ListFile {
  private struct Columns {
    let key: Int
    /// The key again where a kind has no second column.
    let second: Int
    let change: Int?
    /// In the order of their names.
    let others: [Int]

    init(_ table: borrowing TableReader, _ kind: ListKind, isDelta: Bool) throws(RegistryFileError)
    {
      let header = table.header
      guard let key = try header.index(of: kind.keyColumns) else {
        throw RegistryFileError(
          .missingHeader(column: kind.keyColumns[0], linesLookedAt: header.line))
      }
      self.key = key
      second =
        try kind.secondColumn.map { name throws(RegistryFileError) in
          try header.mandatoryIndex(of: name)
        } ?? key
      change = try table.changeColumn(isDelta: isDelta)
      let known = [
        key, second, change,
        try kind.passedColumn.flatMap { name throws(RegistryFileError) in
          try header.index(of: [name])
        },
      ]
      others = header.names.indices.filter { !known.contains($0) }
        .sorted { header.names[$0] < header.names[$1] }
    }
  }
}

/// Writes the other columns of a record as a JSON object: the same text for the same values,
/// however the file orders its columns. RFC 8259, 7.
struct AttributeText: Sendable {
  private static let statusName = "status"
  private static let deviceName = "device_id"
  static let longestDeviceBytes = 64

  private let columns: [(place: Int, name: String, start: [UInt8])]
  private var buffer: [UInt8] = []

  init(_ columns: [Int], of header: Header) {
    self.columns = columns.map { column in
      var start = Array("\"".utf8)
      for byte in header.names[column].utf8 { Self.append(byte, to: &start) }
      start += Array("\":\"".utf8)
      return (column, header.names[column], start)
    }
  }

  mutating func text(of table: borrowing TableReader) throws(FieldFault) -> String {
    buffer.removeAll(keepingCapacity: true)
    buffer.append(UInt8(ascii: "{"))
    for column in columns where !table.reader.isEmpty(column.place) {
      if column.name == Self.deviceName { try check(table, column.place) }
      if buffer.count > 1 { buffer.append(UInt8(ascii: ",")) }
      buffer += column.start
      append(table.reader.bytes(column.place), isLowerCased: column.name == Self.statusName)
      buffer.append(.quote)
    }
    buffer.append(UInt8(ascii: "}"))
    return String(decoding: buffer, as: UTF8.self)
  }

  private mutating func append(_ bytes: ArraySlice<UInt8>, isLowerCased: Bool) {
    let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 != .quote && $0 != UInt8(ascii: "\\") }
    if isPlain, !isLowerCased {
      buffer += bytes
      return
    }
    for byte in bytes {
      Self.append(isLowerCased && 0x41...0x5A ~= byte ? byte | 0x20 : byte, to: &buffer)
    }
  }

  /// What ties the IMEIs of a device together must be one word.
  private func check(_ table: borrowing TableReader, _ column: Int) throws(FieldFault) {
    let bytes = table.reader.bytes(column)
    guard bytes.count <= Self.longestDeviceBytes, bytes.allSatisfy(\.isAlphanumeric) else {
      throw FieldFault(
        .malformedText, "is not up to \(Self.longestDeviceBytes) letters and digits",
        column: column)
    }
  }

  private static func append(_ byte: UInt8, to text: inout [UInt8]) {
    switch byte {
    case .quote, UInt8(ascii: "\\"):
      text.append(UInt8(ascii: "\\"))
      text.append(byte)
    case 0..<0x20:
      let digits = Array("0123456789abcdef".utf8)
      text += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    default: text.append(byte)
    }
  }
}
