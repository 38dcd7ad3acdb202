import DeviceIdentity
import DeviceLists

extension StolenListFile {
  struct Columns: Sendable {
    let imei: Int
    let date: Int?
    let status: Int?
    let caseReference: Int?
    let change: Int?

    init(
      _ table: borrowing TableReader, isDelta: Bool, fileName: String
    ) throws(RegistryFileError) {
      let header = table.header
      do throws(RegistryFileError) {
        imei = try header.mandatoryIndex(of: "imei")
        date = try header.index(of: ["reporting_date"])
        status = try header.index(of: ["status"])
        caseReference = try header.index(of: ["case_reference", "case"])
        change = try table.changeColumn(isDelta: isDelta)
      } catch {
        throw error.named(fileName)
      }
    }

    func unknown(in header: Header) -> [Int] {
      header.names.indices.filter { ![imei, date, status, caseReference, change].contains($0) }
    }
  }

  func parseChange() throws(FieldFault) -> ListChange? {
    guard let column = columns.change else { return nil }
    return try table.change(column, of: .stolen)
  }

  func parseStatus() throws(FieldFault) -> GroundCode {
    guard let column = columns.status, !table.reader.isEmpty(column) else { return .stolen }
    if table.reader.holds("stolen", column) { return .stolen }
    if table.reader.holds("lost", column) { return .lost }
    throw FieldFault(.unknownStatus, "is neither stolen nor lost nor empty", column: column)
  }

  /// `20261123` or `2026-11-23`.
  func parseDate() throws(FieldFault) -> CivilDate? {
    guard let column = columns.date, !table.reader.isEmpty(column) else { return nil }
    guard let date = date(in: column) else {
      throw FieldFault(
        .notADate, "is not a day written as YYYYMMDD or YYYY-MM-DD", column: column)
    }
    guard date <= options.asOf else {
      throw FieldFault(.dateInFuture, "lies after \(options.asOf)", column: column)
    }
    guard date.year >= Self.earliestYear else {
      throw FieldFault(.dateTooEarly, "lies before \(Self.earliestYear)", column: column)
    }
    return date
  }

  private func date(in column: Int) -> CivilDate? {
    if let digits = table.reader.number(column, digits: 8) {
      let number = Int64(digits)
      return CivilDate(year: number / 10_000, month: number / 100 % 100, day: number % 100)
    }
    guard table.reader.byteCount(column) == 10 else { return nil }
    return CivilDate(table.reader.text(column))
  }

  func parseCaseReference() throws(FieldFault) -> String? {
    guard let column = columns.caseReference, !table.reader.isEmpty(column) else { return nil }
    let count = table.reader.byteCount(column)
    guard count <= Self.longestCaseReferenceBytes else {
      throw FieldFault(
        .textTooLong, "has \(count) bytes; \(Self.longestCaseReferenceBytes) are allowed",
        column: column)
    }
    guard !table.reader.holdsControlCharacter(column) else {
      throw FieldFault(
        .controlCharacter, "holds a line break or another control character", column: column)
    }
    return table.reader.text(column)
  }
}
