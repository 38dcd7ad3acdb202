import DeviceIdentity
import DeviceLists
import RegistryFiles
import Simulation
import Testing

private let one = "490154203237518"  // TS 23.003, annex B
private let two = "352099001761481"  // GSMA TS.06

@Suite struct DelimitedTextTests {
  @Test(arguments: [
    ("imei,case\n\(one),A\n", "A"),
    ("imei;case\n\(one);A,B\n", "A,B"),
    ("imei|case\n\(one)|A,B;C\n", "A,B;C"),
    ("\u{FEFF}imei,case\r\n\(one),A\r\n", "A"),
    ("\n\r\nimei,case\n\n\(one),A\r\n\r\n", "A"),
    ("\"imei\",\"case\"\n\"\(one)\",\"A \"\"B\"\", C\"\n", "A \"B\", C"),
    ("\"imei\"|\"case\"\n\(one)|\"A|B\"\n", "A|B"),
    ("imei,case\n\(one),Café № 7\n", "Café № 7"),
    ("imei,case\n\(one),7\" pipe\n", "7\" pipe"),
    ("imei,case\n \t\(one) ,\tA \n", "A"),
    ("imei,case\n\(one),A", "A"),
    ("imei,case\n\(one),\"A\"", "A"),
    ("imei,case\n\(one),\"A\"\r", "A"),
    ("imei,case\n\(one),A\r", "A"),
    ("case,imei\n,\(one)", ""),
    ("imei,case\n\(one),", ""),
    ("imei,case\n\(one),\"\"\n", ""),
  ])
  func `delimiters, quotes, marks and line ends are understood`(
    text: String, caseReference: String
  ) throws {
    let reading = try readStolen(text)
    #expect(reading.refusals == [])
    #expect(reading.rows.map(\.imei.dialled) == [one])
    #expect(reading.rows.map { $0.caseReference ?? "" } == [caseReference])
  }

  @Test func `line numbers count physical lines`() throws {
    let reading = try readStolen(
      "imei,note\r\n\(one),\"a\nb\r\nc\"\n\n1,x\r\n\(two),\"\n\"\n2,y\n")
    #expect(reading.rows.map(\.line) == [2, 7])
    #expect(reading.places == ["6:identityLength", "9:identityLength"])
    #expect(reading.report.lines == 9)
    #expect(reading.report.blankLines == 1)
  }

  @Test func `Latin-1 refuses its line and names the byte`() throws {
    let bytes =
      Array("imei,case\n\(one),Caf".utf8) + [0xE9, 0x0A] + Array("\(two),A\n".utf8)
    let reading = try readStolen(bytes)
    #expect(reading.rows.map(\.imei.dialled) == [two])
    #expect(
      reading.refusals.map(\.description) == [
        "stolen.csv, line 2, column case: is not UTF-8 at its byte 20 (Latin-1?): "
          + "save the file as UTF-8 (2103)"
      ])
  }

  @Test func `a file that ends in the middle of a line says so`() throws {
    let reading = try readStolen("imei,reporting_date,case\n\(one),20250101,A\n\(two),2025")
    #expect(reading.rows.map(\.imei.dialled) == [one])
    #expect(
      reading.refusals.map(\.reason) == [
        "has 2 fields instead of 3; no line end follows: the file was cut"
      ])
    #expect(reading.report.notices.map(\.code) == [.noFinalLineEnd])
    #expect(reading.report.notices.map(\.line) == [3])
  }

  /// The quote opens in line 3 and nothing closes it; every other line is still good.
  @Test(arguments: ["\(two),\"A\n", "\(two),\"A\"B\n", "\"\n"])
  func `a stray quote costs its line, not the rest of the file`(line: String) throws {
    let good = "\(one),A\n"
    let reading = try readStolen("imei,case\n\(good)\(line)012345678901237,B\n")
    #expect(reading.rows.map(\.line) == [2, 4])
    #expect(reading.refusals.map(\.line) == [3])
  }

  @Test func `a line beyond the limit is passed over, however long`() throws {
    for length in [65_000, 65_536, 70_000, 262_144, 262_145, 1_000_000] {
      let reading = try readStolen(
        "imei,case\n\(one),A\n\(two),\(String(repeating: "B", count: length))\n\(two),C\n")
      let code = length == 65_000 ? "fieldTooLong" : "recordTooLong"
      #expect(reading.places == ["3:\(code)"], "length \(length)")
      #expect(reading.rows.map(\.line) == [2, 4], "length \(length)")
    }
  }

  @Test func `an unclosed quote longer than the limit costs one line`() throws {
    let goodLines = (0..<9_000).map { serial in
      "\(IMEI(number: 35_209_900_000_000 + UInt64(serial))?.dialled ?? ""),A\n"
    }
    let reading = try readStolen("imei,case\n\(one),\"A\n" + goodLines.joined())
    #expect(reading.places == ["2:recordTooLong"])
    #expect(reading.rows.count == 9_000)
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `pieces of any size give the same reading`(seed: UInt64) throws {
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    var bytes = Array("\u{FEFF}imei,status,case,note\r\n".utf8)
    for serial in 0..<800 {
      let imei = try #require(IMEI(number: 35_209_900_000_000 + UInt64(serial / 2 * 2)))
      let report = SampleReport(
        imei: imei, ground: .stolen, leavesStatusEmpty: true, reportedOn: nil, caseReference: "C")
      let kind = DirtyLine.allCases.randomElement(using: &generator) ?? .nulByte
      bytes +=
        serial % 2 == 0
        ? Array("\(imei.dialled),,C,\"n\n\"\"\"\r\n".utf8)
        : kind.bytes(unreported: imei, earlier: report) + [0x0A]
    }
    let whole = try readStolen(bytes)
    #expect(whole.lines.count > 799)
    for _ in 0..<4 {
      let pieces = (0..<50).map { _ in Int.random(in: 1...7_000, using: &generator) }
      #expect(try readStolen(bytes, pieces: pieces) == whole)
    }
    #expect(try readStolen(bytes, pieces: [1]) == whole)
  }

  /// Bytes that a parser cares about, in random order, behind a good header and without one.
  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func `random bytes never crash, always end, and every line is accounted for`(
    seed: UInt64
  ) throws {
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let alphabet: [UInt8] = [
      0x22, 0x22, 0x2C, 0x2C, 0x0A, 0x0D, 0x00, 0xEF, 0xBB, 0xBF, 0xC3, 0xA9, 0x3B, 0x7C, 0x20,
      0x30, 0x35, 0x45, 0x2B,
    ]
    var limits = FileLimits()
    limits.longestRecordBytes = 200
    limits.longestFieldBytes = 50
    let count = Int.random(in: 0...20_000, using: &generator)
    let noise = (0..<count).map { _ in
      seed % 2 == 0
        ? UInt8.random(in: .min ... .max, using: &generator)
        : alphabet.randomElement(using: &generator) ?? 0
    }
    for header in ["imei,case\n", "tac|name|name\n", ""] {
      let bytes = Array(header.utf8) + noise
      do {
        let stolen = try readStolen(bytes, pieces: [997], form: .signalled, limits: limits)
        #expect(stolen.report.isComplete)
        #expect(stolen.report.bytes == bytes.count)
        #expect(stolen.report.rowsRead == stolen.lines.count)
        #expect(stolen.report.lines >= stolen.lines.count)
      } catch let error as RegistryFileError {
        #expect(!header.hasPrefix("imei"), "\(error)")
      }
      do {
        let types = try readTACs(ByteSource(bytes: bytes, pieces: [13]), limits: limits)
        #expect(types.report.rowsRead == types.lines.count)
      } catch let error as RegistryFileError {
        #expect(!header.hasPrefix("tac"), "\(error)")
      }
    }
  }
}
