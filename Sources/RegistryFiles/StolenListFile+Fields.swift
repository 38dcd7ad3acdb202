import DeviceIdentity
import DeviceLists

extension StolenListFile {
  struct Columns: Sendable {
    let imei: Int
    let date: Int?
    let status: Int?
    let caseReference: Int?

    init(_ header: Header, fileName: String) throws(RegistryFileError) {
      do throws(RegistryFileError) {
        imei = try header.mandatoryIndex(of: "imei")
        date = try header.index(of: ["reporting_date"])
        status = try header.index(of: ["status"])
        caseReference = try header.index(of: ["case_reference", "case"])
      } catch {
        throw error.named(fileName)
      }
    }

    func unknown(in header: Header) -> [Int] {
      header.names.indices.filter { ![imei, date, status, caseReference].contains($0) }
    }
  }

  func parseIMEI() throws(FieldFault) -> IMEI {
    let column = columns.imei
    let imei = if let fast = fastIMEI() { fast } else { try slowIMEI() }
    guard !imei.isPlaceholder else {
      throw FieldFault(
        .placeholder, "is a placeholder that many devices send, not the identity of one",
        column: column)
    }
    return imei
  }

  /// Fifteen digits and nothing else, the last of them right where it counts.
  private func fastIMEI() -> IMEI? {
    guard let digits = table.reader.number(columns.imei, digits: 15) else { return nil }
    guard let imei = IMEI(number: digits / 10) else { return nil }
    return options.imeiForm == .signalled || imei.checkDigit == digits % 10 ? imei : nil
  }

  private func slowIMEI() throws(FieldFault) -> IMEI {
    let text = table.reader.text(columns.imei)
    do throws(IdentityError) {
      switch options.imeiForm {
      case .dialled: return try IMEI(dialled: text)
      case .signalled: return try IMEI(signalled: text)
      }
    } catch {
      throw FieldFault(error, column: columns.imei)
    }
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
