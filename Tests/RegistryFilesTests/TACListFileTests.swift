import DeviceIdentity
import RegistryFiles
import Testing

@Suite struct TACListFileTests {
  /// The column names of the GSMA's device database export, in part; values made up.
  @Test func `the form of the GSMA is read, other columns become attributes`() throws {
    let reading = try readTACs(
      """
      TAC|Marketing Name|Manufacturer (or) Applicant|Bands|Bands 5G|Brand Name|Model Name
      35209900|The "Nine"|Nokia Corporation|GSM 900, GSM 1800||Nokia|N-9

      """)
    let allocation = TACAllocation(
      tac: try TAC("35209900"), manufacturer: "Nokia Corporation", model: "N-9",
      attributes: [
        .init(name: "marketing_name", value: "The \"Nine\""),
        .init(name: "bands", value: "GSM 900, GSM 1800"),
        .init(name: "brand_name", value: "Nokia"),
      ], line: 2)
    #expect(reading.rows == [allocation])
    #expect(reading.report.isSpotless)
  }

  @Test func `the form of Osmocom is read, its licence line is noticed`() throws {
    let reading = try readTACs(
      """
      Osmocom TAC database under CC-BY-SA v3.0 (c) Harald Welte 2016\n\
      tac,name,name,contributor,comment,gsmarena,gsmarena,aka\r\n\
      35440005, ASUS, ME370TG,,,,http://example.com/,Nexus 7 GSM (tilapia)\r\n\
      49013920,Nokia,1610,OsmoDevCon 2014,,,,"1610+,1611"\r\n
      """)
    let asus = TACAllocation(
      tac: try TAC("35440005"), manufacturer: "ASUS", model: "ME370TG",
      attributes: [
        .init(name: "gsmarena_2", value: "http://example.com/"),
        .init(name: "aka", value: "Nexus 7 GSM (tilapia)"),
      ], line: 3)
    #expect(reading.rows.first == asus)
    #expect(reading.rows.last?.attributes.last?.value == "1610+,1611")
    #expect(
      reading.report.notices.map(\.description) == [
        "tac.csv, line 1: stands before the header and was skipped (2501)",
        "tac.csv, line 2: names the column name again: here it is name_2 (2503)",
        "tac.csv, line 2: names the column gsmarena again: here it is gsmarena_2 (2503)",
        "tac.csv, line 2: names columns without a field of their own, kept as attributes: "
          + "contributor, comment, gsmarena, gsmarena_2, aka (2505)",
      ])
  }

  @Test(arguments: [
    ("1130000", "identityLength", "has 7 digits instead of 8 (was a leading zero lost?)"),
    ("352099001", "identityLength", "has 9 digits instead of 8"),
    ("3520990X", "notADigit", "has something other than a digit at place 8"),
    ("", "emptyIdentity", "is empty"),
    ("35209900", "duplicateLine", "repeats line 2, which is kept"),
  ])
  func `a bad type code is refused with its reason`(
    tac: String, code: String, reason: String
  ) throws {
    let reading = try readTACs("tac,model\n35209900,N\n\(tac),N\n35209901,N\n")
    #expect(reading.places == ["3:\(code)"])
    #expect(reading.refusals.first?.reason == reason)
    #expect(reading.rows.map(\.line) == [2, 4])
  }

  @Test func `of two lines for one type the first is kept`() throws {
    let reading = try readTACs("tac,brand,model\n35209900,A,B\n35209900,A,C\n")
    #expect(reading.rows.map(\.model) == ["B"])
    #expect(
      reading.refusals.map(\.description) == [
        "tac.csv, line 3, column tac: says otherwise than line 2, which is kept (2402)"
      ])
  }

  @Test func `a list whose columns are not named is refused`() {
    let text = String(repeating: "35209900,Nokia,N-9\n", count: 30)
    let error = #expect(throws: RegistryFileError.self) { try readTACs(text) }
    #expect(
      error?.description
        == "tac.csv has no column tac in its first 21 lines: one of them must name the columns")
  }

  /// Counted independently with Python's csv module.
  @Test func `the whole list of Osmocom is accounted for line by line`() throws {
    let reading = try readTACs(ByteSource(path: osmocomList))
    let report = reading.report
    #expect(report.lines == 25_177)
    #expect(report.bytes == 3_328_935)
    #expect(report.rowsRead == 25_175)
    #expect(report.rowsKept == 24_392)
    #expect(report.refused == [.identityLength: 780, .conflictingLine: 3])
    #expect(
      report.notices.map(\.code) == [
        .preambleSkipped, .repeatedColumnName, .repeatedColumnName, .keptAsAttributes,
      ])
    #expect(Set(reading.rows.map(\.tac)).count == 24_392)
    let sevenDigits = reading.refusals.filter { $0.reason.hasPrefix("has 7 digits") }
    #expect(sevenDigits.count == 779)
    let sagem = try TAC("33205600")
    #expect(reading.rows.filter { $0.tac == sagem }.map(\.model) == ["DMC 830"])
    let asus = try #require(reading.rows.last)
    #expect((asus.manufacturer, asus.model) == ("ASUS", "ME370TG"))
  }
}

/// Beside this target: Tests/Simulation/Data/tac, with its notice.
private let osmocomList =
  #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" }
  + "/Simulation/Data/tac/osmocom-tac.csv"
