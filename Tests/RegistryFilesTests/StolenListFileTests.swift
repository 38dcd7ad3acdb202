import DeviceIdentity
import DeviceLists
import RegistryFiles
import Testing

/// 49015420323751 with check digit 8: TS 23.003, annex B. 35209900176148 with 1: the example of
/// GSMA TS.06. The third was computed with the rule of annex B.
private let first = "490154203237518"
private let second = "352099001761481"
private let third = "352099001761499"

@Suite struct StolenListFileTests {
  @Test func `a list is read with dates, grounds and cases`() throws {
    let reading = try readStolen(
      """
      imei,reporting_date,status,case_reference
      \(first),20251231,stolen,C-1
      \(second),2026-03-01,Lost,
      35-209900-176149-9,,,C 3

      """)
    let rows = [
      StolenReport(
        imei: try IMEI(dialled: first), ground: .stolen,
        reportedOn: CivilDate(year: 2025, month: 12, day: 31), caseReference: "C-1", line: 2),
      StolenReport(
        imei: try IMEI(dialled: second), ground: .lost, reportedOn: firstOfMarch2026,
        caseReference: nil, line: 3),
      StolenReport(
        imei: try IMEI(dialled: third), ground: .stolen, reportedOn: nil, caseReference: "C 3",
        line: 4),
    ]
    #expect(reading.rows == rows)
    #expect(reading.report.isSpotless)
    #expect(reading.report.lines == 4)
    #expect(reading.report.rowsRead == 3)
  }

  /// The lines of the table of bad input; each stands between two good lines.
  @Test(arguments: [
    ("352099001761482,,,", "checkDigit", "has the check digit 2 where 1 is right"),
    ("3520990017614,,,", "identityLength", "has 13 digits instead of 15"),
    ("35209900176148107,,,", "identityLength", "has 17 digits instead of 15"),
    (
      "52099001761481,,,", "identityLength",
      "has 14 digits instead of 15 (was a leading zero or the check digit lost?)"
    ),
    ("35209900I761481,,,", "notADigit", "has something other than a digit at place 9"),
    (
      "３５２０９９００１７６１４８１,,,", "notASCII",
      "has a character outside ASCII at place 1: only the digits 0 to 9 are meant"
    ),
    (
      "3.5E+13,,,", "spreadsheetNumber",
      "is a rounded number in scientific notation: format the column as text and export again"
    ),
    (
      "\"3,5E+13\",,,", "spreadsheetNumber",
      "is a rounded number in scientific notation: format the column as text and export again"
    ),
    (" ,,,", "emptyIdentity", "is empty"),
    (
      "000000000000000,,,", "placeholder",
      "is a placeholder that many devices send, not the identity of one"
    ),
    ("352099001761481,20260302,,", "dateInFuture", "lies after 2026-03-01"),
    ("352099001761481,2099-01-01,,", "dateInFuture", "lies after 2026-03-01"),
    (
      "352099001761481,20260229,,", "notADate",
      "is not a day written as YYYYMMDD or YYYY-MM-DD"
    ),
    (
      "352099001761481,01.03.2025,,", "notADate",
      "is not a day written as YYYYMMDD or YYYY-MM-DD"
    ),
    ("352099001761481,02026-01-01,,", "notADate", "is not a day written as YYYYMMDD or YYYY-MM-DD"),
    ("352099001761481,19901231,,", "dateTooEarly", "lies before 1991"),
    ("352099001761481,,borrowed,", "unknownStatus", "is neither stolen nor lost nor empty"),
    (
      "352099001761481,,,\"C\r\n1\"", "controlCharacter",
      "holds a line break or another control character"
    ),
    ("352099001761481,,", "fieldCount", "has 3 fields instead of 4"),
    ("352099001761481,,,,", "fieldCount", "has 5 fields instead of 4"),
    (
      "352099001761481,,,\"C\"1", "strayQuote",
      "has something after a closing quote; read on from the next line"
    ),
    (
      "490154203237518,,,C-1", "duplicateLine", "repeats line 2, which is kept"
    ),
    (
      "490154203237518,,lost,C-1", "conflictingLine", "says otherwise than line 2, which is kept"
    ),
  ])
  func `a bad line is refused with its place and reason, and good lines are kept`(
    line: String, code: String, reason: String
  ) throws {
    let reading = try readStolen(
      """
      imei,reporting_date,status,case_reference
      \(first),,,C-1
      \(line)
      \(third),,,C-3

      """)
    #expect(reading.rows.map(\.imei.dialled) == [first, third])
    #expect(reading.places == ["3:\(code)"])
    #expect(reading.refusals.map(\.reason) == [reason])
    #expect(reading.report.firstRefusals == reading.refusals)
    #expect(!reading.report.isSpotless)
    let sentence = try #require(reading.refusals.first?.description)
    #expect(sentence.hasPrefix("stolen.csv, line 3"))
    #expect(!sentence.contains("3520990"))
  }

  @Test func `a refusal names file, line and column as the file writes it`() throws {
    let refusal = try #require(try readStolen("IMEI\n3520990017614\n").refusals.first)
    #expect(
      refusal.description
        == "stolen.csv, line 2, column IMEI: has 13 digits instead of 15 (2202)")
  }

  /// What a network sends: digit 15 is not looked at, the IMEISV has 16. TS 23.003, 6.2.
  @Test(arguments: [
    ("49015420323751", ""), ("490154203237510", ""), ("4901542032375107", ""),
    ("490154203237518F", ""), ("4901542032375", "2:identityLength"),
    ("49015420323751801", "2:identityLength"), ("49-015420-323751", "2:notADigit"),
    ("00000000000000", "2:placeholder"),
  ])
  func `the signalled form has no check digit`(imei: String, place: String) throws {
    let reading = try readStolen("imei\n\(imei)\n", form: .signalled)
    #expect(reading.places.joined() == place)
    #expect(reading.rows.map(\.imei.dialled) == (place.isEmpty ? [first] : []))
  }

  @Test func `a repeated IMEI is compared by what its line says`() throws {
    let reading = try readStolen(
      """
      imei,reporting_date,status
      \(first),20251231,stolen
      49-015420-323751-8,2025-12-31,
      \(first),20251230,stolen
      \(first),,stolen

      """)
    #expect(reading.places == ["3:duplicateLine", "4:conflictingLine", "5:conflictingLine"])
    #expect(reading.report.rowsRepeated == 1)
    #expect(reading.report.rowsRefused == 2)
    #expect(reading.report.rowsRead == 4)
  }

  @Test func `an unknown column is noticed once and left out`() throws {
    let reading = try readStolen("imei,Owner Name\n\(first),X\n\(second),Y\n")
    #expect(reading.rows.count == 2)
    #expect(
      reading.report.notices.map(\.description) == [
        "stolen.csv, line 1: names the column Owner Name, which is not known: left out (2502)"
      ])
    #expect(!reading.report.isSpotless)
  }

  @Test(arguments: [
    ("", "stolen.csv is empty: not even a header is in it"),
    ("\u{FEFF}", "stolen.csv is empty: not even a header is in it"),
    ("\r\n\n", "stolen.csv is empty: not even a header is in it"),
    (
      "\(first),20260101,stolen\n",
      "stolen.csv has no header: line 1 holds values where the names of the columns should stand"
    ),
    (
      "number,date\n\(first),20260101\n",
      "stolen.csv has no column imei in line 1: the first line must name the columns"
    ),
    (
      "imei,status,IMEI\n",
      "stolen.csv has the column imei twice: which of them counts cannot be known"
    ),
    ("imei,\"sta", "stolen.csv has a bad header in line 1: a quote is opened and never closed"),
    ("imei\u{0},\n", "stolen.csv has a bad header in line 1: the line holds a NUL byte"),
  ])
  func `a file without a usable header is refused in one sentence`(
    text: String, sentence: String
  ) {
    let error = #expect(throws: RegistryFileError.self) { try readStolen(text) }
    #expect(error?.description == sentence)
  }

  @Test(arguments: [[0xFF, 0xFE, 0x69, 0x00], [0xFE, 0xFF, 0x00, 0x69]] as [[UInt8]])
  func `UTF-16 is refused with what to do`(bytes: [UInt8]) {
    let error = #expect(throws: RegistryFileError.self) { try readStolen(bytes) }
    #expect(
      error?.description == "stolen.csv is UTF-16: save it as UTF-8 and hand it over again")
  }

  @Test func `a header with more columns than allowed is refused`() {
    let header = "imei" + String(repeating: ",x", count: 256) + "\n"
    let error = #expect(throws: RegistryFileError.self) { try readStolen(header) }
    #expect(error?.description == "stolen.csv has more than 256 columns")
  }

  @Test(arguments: [
    ("/nonexistent/stolen.csv", "No such file or directory"), ("/", "Is a directory"),
  ])
  func `a file that cannot be read is named`(path: String, reason: String) throws {
    let asOf = try #require(firstOfMarch2026)
    let error = #expect(throws: RegistryFileError.self) {
      _ = try StolenListFile(
        ByteSource(path: path), fileName: path, options: .init(asOf: asOf))
    }
    #expect(error?.description == "\(path) cannot be read: \(reason)")
  }

  @Test func `refusals beyond the limit are handed out and counted but not kept`() throws {
    var limits = FileLimits()
    limits.mostRefusalsKept = 3
    let reading = try readStolen(
      "imei\n" + String(repeating: "1\n", count: 10), limits: limits)
    #expect(reading.refusals.count == 10)
    #expect(reading.report.firstRefusals.map(\.line) == [2, 3, 4])
    #expect(reading.report.refused == [.identityLength: 10])
  }
}
