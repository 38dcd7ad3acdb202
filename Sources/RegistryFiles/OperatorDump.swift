package import DeviceIdentity
package import DeviceLists

/// What an operator's networks saw, row by row. Columns by name, in any order: `date`, `imei`,
/// `imsi`, `msisdn`, and `rat` or `technology` if the operator records it. Other columns are left
/// out, with a notice.
///
/// An identity that is no IMEI is kept as it came; an IMSI that is none is refused, for nobody can
/// be told by it. Memory does not grow with the file.
package struct OperatorDump: ~Copyable, Sendable, RowFile {
  package struct Options: Sendable {
    /// Lines of other days are refused.
    package var days: ClosedRange<CivilDate>
    package var delimiter: Delimiter?
    package var limits: FileLimits

    package init(
      days: ClosedRange<CivilDate>, delimiter: Delimiter? = nil, limits: FileLimits = FileLimits()
    ) {
      self.days = days
      self.delimiter = delimiter
      self.limits = limits
    }
  }

  private struct Columns: Sendable {
    let date: Int
    let imei: Int
    let imsi: Int
    let msisdn: Int
    let technology: Int?
  }

  var table: TableReader
  private let options: Options
  private let columns: Columns
  private let expected: OperatorNetworks
  /// What the lines that were read have in common; complete once ``next()`` has returned nil.
  package private(set) var counts = DumpCounts()
  /// Days that were read before, by their digits: a file has few different ones.
  private var knownDays: [(digits: UInt64, day: CivilDate?)] = Array(
    repeating: (0, nil), count: knownDayCount)
  private static let knownDayCount = 64
  private var lastTechnologies: (word: UInt64, technologies: RadioTechnology)?

  /// Reads as far as the header.
  package init(
    _ source: consuming ByteSource, fileName: String, options: Options, expected: OperatorNetworks
  ) throws(RegistryFileError) {
    let kind = TableReader.Kind(mandatoryColumns: ["imei"], allowsPreamble: false) {
      $0.utf8.filter { 0x30...0x39 ~= $0 }.count >= 13
    }
    var table = try TableReader.opened(
      source, fileName: fileName, kind: kind, delimiter: options.delimiter,
      limits: options.limits)
    let columns = try Self.columns(of: table.header, fileName: fileName)
    let known = [columns.date, columns.imei, columns.imsi, columns.msisdn, columns.technology]
    table.noticeLeftOut(table.header.names.indices.filter { !known.contains($0) })
    self.table = table
    self.columns = columns
    self.options = options
    self.expected = expected
    counts.hasTechnology = columns.technology != nil
  }

  private static func columns(
    of header: Header, fileName: String
  ) throws(RegistryFileError) -> Columns {
    do throws(RegistryFileError) {
      return Columns(
        date: try header.mandatoryIndex(of: "date"), imei: try header.mandatoryIndex(of: "imei"),
        imsi: try header.mandatoryIndex(of: "imsi"),
        msisdn: try header.mandatoryIndex(of: "msisdn"),
        technology: try header.index(of: ["rat", "technology"]))
    } catch {
      throw error.named(fileName)
    }
  }

  package var report: FileReport { table.report }

  /// Nil at the end of the file.
  package mutating func next() throws(RegistryFileError) -> FileLine<SeenLine>? {
    let line = try nextRow()
    if line != nil { counts.rows += 1 }
    return line
  }

  mutating func parse() throws(FieldFault) -> SeenLine {
    let day = try parseDate()
    let imsi = try parseIMSI()
    let msisdn = try parseMSISDN()
    let technologies = try parseTechnologies()
    let identity = try parseIdentity()
    counts.note(
      identity: identity, imsi: imsi, msisdn: msisdn,
      isTechnologyMissing: columns.technology != nil && technologies.isEmpty)
    if case .imei(let imei, let digits) = identity {
      counts.note(imei, digits: digits, types: expected.types)
    }
    counts.note(expected.home(imsi: imsi, msisdn: msisdn))
    return SeenLine(
      identity: identity, imsi: imsi, msisdn: msisdn, day: day, technologies: technologies)
  }

  /// `20261123` or `2026-11-23`.
  private mutating func parseDate() throws(FieldFault) -> CivilDate {
    let digits = table.reader.number(columns.date, digits: 8)
    if let digits {
      let known = knownDays[Int(digits % UInt64(Self.knownDayCount))]
      if known.digits == digits, let day = known.day { return day }
    }
    let day: CivilDate? =
      if let digits {
        CivilDate(
          year: Int64(digits / 10_000), month: Int64(digits / 100 % 100),
          day: Int64(digits % 100))
      } else {
        CivilDate(table.reader.text(columns.date))
      }
    guard let day else {
      throw FieldFault(
        .notADate, "is not a day written as YYYYMMDD or YYYY-MM-DD", column: columns.date)
    }
    guard options.days.contains(day) else {
      counts.otherDays += 1
      throw FieldFault(
        .dateOutside,
        "is not among the days of the file, \(options.days.lowerBound) to "
          + "\(options.days.upperBound)", column: columns.date)
    }
    if let digits { knownDays[Int(digits % UInt64(Self.knownDayCount))] = (digits, day) }
    return day
  }

  private mutating func parseIMSI() throws(FieldFault) -> UInt64 {
    if table.reader.isEmpty(columns.imsi) { return 0 }
    let packed = table.reader.withBytes(columns.imsi) { IMSI(signalled: $0)?.packed }
    guard let packed else {
      counts.uncleanIMSIs += 1
      throw fault("is no IMSI: 5 to 15 digits are", column: columns.imsi)
    }
    return packed
  }

  private func parseMSISDN() throws(FieldFault) -> UInt64 {
    if table.reader.isEmpty(columns.msisdn) { return 0 }
    let packed = table.reader.withBytes(columns.msisdn) { bytes in
      let isInternational = bytes.first == 0x2B
      return MSISDN(
        signalled: UnsafeRawBufferPointer(rebasing: bytes[(isInternational ? 1 : 0)...]))?.packed
    }
    guard let packed else {
      throw fault("is no MSISDN: 1 to 15 digits are", column: columns.msisdn)
    }
    return packed
  }

  private mutating func parseTechnologies() throws(FieldFault) -> RadioTechnology {
    guard let column = columns.technology, !table.reader.isEmpty(column) else { return [] }
    let word = table.reader.shortWord(column)
    if let word, let lastTechnologies, lastTechnologies.word == word {
      return lastTechnologies.technologies
    }
    let parsed = table.reader.withBytes(column) { RadioTechnology(words: $0) }
    if let word, let parsed { lastTechnologies = (word, parsed) }
    guard let parsed else {
      throw FieldFault(
        .unknownTechnology, "is no radio technology that is known", column: column)
    }
    return parsed
  }

  private func parseIdentity() throws(FieldFault) -> SeenLine.Identity {
    let column = columns.imei
    let read: (imei: IMEI, digits: Int)? = table.reader.withBytes(column) { bytes in
      guard let imei = try? IMEISV(signalled: bytes).imei else { return nil }
      return (imei, bytes.count)
    }
    if let read { return .imei(read.imei, digits: read.digits) }
    guard !table.reader.holdsControlCharacter(column) else {
      throw FieldFault(
        .controlCharacter, "holds a line break or another control character", column: column)
    }
    let text = table.reader.text(column)
    guard !text.isEmpty else { return .unusable("-") }
    // The digits are lost, and those of another device may have taken their place.
    if let fault = Spreadsheet.damage(of: text, column: column) { throw fault }
    return .unusable(UnusableIdentity(text).text)
  }

  private func fault(_ reason: String, column: Int) -> FieldFault {
    Spreadsheet.damage(of: table.reader.text(column), column: column)
      ?? FieldFault(.notADigit, reason, column: column)
  }
}

/// What a spreadsheet makes of a long number: `3.5E+13`.
enum Spreadsheet {
  static func damage(of text: String, column: Int) -> FieldFault? {
    do throws(IdentityError) {
      _ = try IMEI(dialled: text)
      return nil
    } catch {
      guard case .spreadsheetNumber = error.code else { return nil }
      return FieldFault(error, column: column)
    }
  }
}

/// One line of an operator's dump.
package struct SeenLine: Hashable, Sendable {
  package enum Identity: Hashable, Sendable {
    /// `digits` as they came.
    case imei(IMEI, digits: Int)
    /// What came in the place of an IMEI; a hyphen where nothing came.
    case unusable(String)
  }

  package let identity: Identity
  /// Packed; 0 where there is none.
  package let imsi: UInt64
  package let msisdn: UInt64
  package let day: CivilDate
  package let technologies: RadioTechnology
}
