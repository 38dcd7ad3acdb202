import DeviceIdentity
package import DeviceLists

/// A list of stolen and lost devices, row by row. Columns: `imei`, which must be there;
/// `reporting_date`, `status` (`stolen` or `lost`; stolen if empty), `case_reference` or `case`.
///
/// Other columns are left out, with a notice: such lists hold names and addresses. Of several lines
/// for one IMEI the first is kept. Memory grows by some 50 bytes a row, to know them again.
package struct StolenListFile: ~Copyable, Sendable, RowFile {
  package typealias IMEIForm = RegistryFiles.IMEIForm

  package struct Options: Sendable {
    /// Later dates are refused.
    package var asOf: CivilDate
    package var imeiForm: IMEIForm
    /// Whether each line says what is to change, in `change_type`.
    package var isDelta = false
    /// Found out from the header if nil.
    package var delimiter: Delimiter?
    package var limits: FileLimits

    package init(
      asOf: CivilDate, imeiForm: IMEIForm = .dialled, delimiter: Delimiter? = nil,
      limits: FileLimits = FileLimits()
    ) {
      self.asOf = asOf
      self.imeiForm = imeiForm
      self.delimiter = delimiter
      self.limits = limits
    }
  }

  /// No GSM network was on the air before.
  static let earliestYear: Int64 = 1991
  static let longestCaseReferenceBytes = 64

  var table: TableReader
  let options: Options
  let columns: Columns
  private var firstLines = FirstLines<UInt64>()

  /// Reads as far as the header.
  package init(
    _ source: consuming ByteSource, fileName: String, options: Options
  ) throws(RegistryFileError) {
    let kind = TableReader.Kind(mandatoryColumns: ["imei"], allowsPreamble: false) {
      $0.utf8.filter { 0x30...0x39 ~= $0 }.count >= 13
    }
    var table = try TableReader.opened(
      source, fileName: fileName, kind: kind, delimiter: options.delimiter,
      limits: options.limits)
    let columns = try Columns(table, isDelta: options.isDelta, fileName: fileName)
    table.noticeLeftOut(columns.unknown(in: table.header))
    self.table = table
    self.columns = columns
    self.options = options
  }

  /// Complete once ``next()`` has returned nil.
  package var report: FileReport { table.report }

  /// Nil at the end of the file.
  package mutating func next() throws(RegistryFileError) -> FileLine<StolenReport>? {
    try nextRow()
  }

  mutating func parse() throws(FieldFault) -> StolenReport {
    let row = StolenReport(
      imei: try table.imei(columns.imei, form: options.imeiForm), ground: try parseStatus(),
      reportedOn: try parseDate(),
      caseReference: try parseCaseReference(), change: try parseChange(),
      line: table.reader.line)
    var content = ContentDigest()
    content.combine(row.reportedOn?.daysSinceEpoch)
    content.combine(row.ground == .stolen ? 0 : 1)
    content.combine(row.caseReference)
    content.combine(row.change.map { Int64($0.rawValue) })
    if let fault = firstLines.note(
      row.imei.number, content: content, line: row.line, column: columns.imei)
    {
      throw fault
    }
    return row
  }
}
