import DeviceLists
import Foundation
import NightlyJobs
import PostgreSQL
import RegistryFiles
import RegistryStore
import Simulation
import Testing

/// Operators' files into a real registry. K and D are rows of the peer's defects, which these tests
/// show not to be here.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct OperatorImportTests {
  private static let header = "date,imei,imsi,msisdn,rat\n"
  /// TS 23.003, annex B has 35-209900-176148-1 as its example.
  private static let imei = "352099001761481"

  @Test func `lines of a month are put together by device, subscriber and number`() async throws {
    try await withOperators { country in
      let lines = [
        "20261003,\(Self.imei),001010000000001,9990000000001,EUTRAN",
        "20261001,\(Self.imei),001010000000001,9990000000001,GERAN",
        "2026-10-31,35209900176148,001010000000001,9990000000001,NR",
        "20261003,\(Self.imei),001010000000002,,006",
      ]
      let summary = try await country.imported(
        "alfa", "alfa_20261001_20261031.csv", lines, accept: ["missing-any", "missing-msisdn"])
      #expect(summary.rows == 2)
      #expect(
        try await country.rows() == [
          "alfa 2026-10 35209900176148 001010000000001 9990000000001 1,3,31 37",
          "alfa 2026-10 35209900176148 001010000000002 – 3 4",
        ])
    }
  }

  /// K1, D1.
  @Test func `a file over the end of a month fills both months`() async throws {
    try await withOperators { country in
      let lines = [
        "20260120,\(Self.imei),001010000000001,1,", "20260205,\(Self.imei),001010000000001,1,",
      ]
      try await country.imported(
        "alfa", "alfa_20260120_20260205.csv", lines, accept: ["missing-technology", "missing-any"])
      #expect(
        try await country.rows() == [
          "alfa 2026-01 35209900176148 001010000000001 1 20 0",
          "alfa 2026-02 35209900176148 001010000000001 1 5 0",
        ])
    }
  }

  @Test func `a corrected file replaces its own days and leaves the others`() async throws {
    try await withOperators { country in
      try await country.imported(
        "alfa", "alfa_20261001_20261031.csv",
        [
          "20261001,\(Self.imei),001010000000001,1,4G",
          "20261020,\(Self.imei),001010000000001,1,4G",
          "20261021,\(Self.imei),001010000000002,2,4G",
          "20261005,\(Self.imei),001010000000003,3,4G",
        ])
      let accept = ["correction"]
      try await country.imported(
        "alfa", "alfa_20261020_20261031.csv", ["20261022,\(Self.imei),001010000000001,1,5G"],
        accept: accept)
      #expect(
        try await country.rows() == [
          "alfa 2026-10 35209900176148 001010000000001 1 1,22 36",
          "alfa 2026-10 35209900176148 001010000000003 3 5 4",
        ])
      #expect(try await country.pending() == ["-1", "35209900176148"])
    }
  }

  /// K3, D3.
  @Test func `a file of another operator is known by its name and by its content`() async throws {
    try await withOperators { country in
      let lines = (1...20).map { "20261001,\(Self.imei),0010200000000\(10 + $0),1,4G" }
      await #expect(throws: ImportRefusal.self) {
        _ = try await country.take("alfa", "beta_20261001_20261031.csv", lines)
      }
      let outcome = try await country.take("alfa", "october_20261001_20261031.csv", lines)
      #expect(Self.failing(outcome) == ["other-network", "wrong-operator"])
      #expect(try await country.rows() == [])
    }
  }

  /// What a check finds, by the lines that make it fail; the names of the checks stand in the
  /// registry's records.
  static let bad: [(check: [String], lines: [String])] = [
    (["days"], ["20260930,\(imei),001010000000001,1,4G"]),
    (["missing-any", "missing-imei"], ["20261001,,001010000000001,1,4G"]),
    (["missing-any", "missing-imsi"], ["20261001,\(imei),,1,4G"]),
    (["missing-any", "missing-msisdn"], ["20261001,\(imei),001010000000001,,4G"]),
    (["missing-any", "missing-technology"], ["20261001,\(imei),001010000000001,1,"]),
    (["unclean-either", "unclean-imei"], ["20261001,ABC,001010000000001,1,4G"]),
    (["unclean-either", "unclean-imsi"], ["20261001,\(imei),0010112,1,4G"]),
    (
      ["foreign-either", "foreign-imsi", "other-network"],
      ["20261001,\(imei),262010000000001,1,4G"]
    ),
    // A spreadsheet's export: digits that are lost, and a zero.
    (["refused"], ["20261001,3.5E+13,001010000000001,1,4G"]),
    (["leading-zeros"], ["20261001,12345678901234,001010000000001,1,4G"]),
    (["refused", "unclean-imsi"], ["20261001,\(imei),12,1,4G"]),
    (["refused"], ["20261301,\(imei),,1,4G"]),
    (["refused"], ["20261001,\(imei),001010000000001,1,6G"]),
  ]

  @Test(arguments: bad)
  func `a file that fails a check changes nothing`(
    check: [String], lines: [String]
  ) async throws {
    try await withOperators { country in
      let good = "20261001,\(Self.imei),001010000000009,1,4G"
      let outcome = try await country.take(
        "alfa", "alfa_20261001_20261031.csv", [good] + lines)
      #expect(Self.failing(outcome) == check)
      #expect(try await country.rows() == [])
      #expect(try await country.pending() == [])

      let accepted = try await country.take(
        "alfa", "alfa_20261001_20261031.csv", [good] + lines, accept: check)
      guard case .imported(let number, _) = accepted else {
        Issue.record("\(accepted)")
        return
      }
      #expect(try await country.accepted(number) == check.joined(separator: " ") + ": a test")
    }
  }

  @Test func `a day with much less than the days before is noticed`() async throws {
    try await withOperators { country in
      func lines(_ day: String, _ count: Int) -> [String] {
        (0..<count).map { "\(day),3520990017\(10000 + $0),0010100000\(10000 + $0),\($0 + 1),4G" }
      }
      try await country.imported(
        "alfa", "alfa_20261001_20261001.csv", lines("20261001", 100))
      let outcome = try await country.take(
        "alfa", "alfa_20261002_20261002.csv", lines("20261002", 80))
      #expect(Self.failing(outcome) == ["volume-imei", "volume-imsi", "volume-triplet"])
      let corrected = try await country.take(
        "alfa", "alfa_20261001_20261001.v2.csv", lines("20261001", 80))
      #expect(Self.failing(corrected) == ["correction"])
    }
  }

  @Test func `the same file twice is known`() async throws {
    try await withOperators { country in
      let lines = ["20261001,\(Self.imei),001010000000001,1,4G"]
      try await country.imported("alfa", "alfa_20261001_20261031.csv", lines)
      let again = try await country.take("alfa", "alfa_20261001_20261031.csv", lines)
      guard case .repeated = again else {
        Issue.record("\(again)")
        return
      }
    }
  }

  @Test func `a file that takes back what another said since is no repetition`() async throws {
    try await withOperators { country in
      let name = "alfa_20261001_20261031.csv"
      let first = ["20261001,\(Self.imei),001010000000001,1,4G"]
      try await country.imported("alfa", name, first)
      try await country.imported(
        "alfa", name, ["20261002,\(Self.imei),001010000000002,2,4G"])
      try await country.imported("alfa", name, first)
      #expect(
        try await country.rows() == ["alfa 2026-10 35209900176148 001010000000001 1 1 4"])
      let again = try await country.take("alfa", name, first)
      guard case .repeated = again else {
        Issue.record("\(again)")
        return
      }
    }
  }

  @Test func `what does not fit into memory gives the same rows`() async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let lines = (0..<2_000).map { _ in
      let day = 1 + Int(generator.next() % 31)
      let device = 35_209_900_176_000 + generator.next() % 50
      let subscriber = 10 + generator.next() % 90
      return "202610\(day < 10 ? "0" : "")\(day),\(device),0010100000000\(subscriber),"
        + "\(generator.next() % 3 + 1),4G"
    }
    let whole = try await withOperators { country in
      try await country.imported("alfa", "alfa_20261001_20261031.csv", lines)
      return try await country.rows()
    }
    let inParts = try await withOperators { country in
      try await country.imported(
        "alfa", "alfa_20261001_20261031.csv", lines, rowsInMemory: 150)
      return try await country.rows()
    }
    #expect(whole.count > 1_000)
    #expect(whole == inParts)
  }

  /// K4, K5, K6: a mark of UTF-8, a byte of Latin-1, and line ends of both kinds.
  @Test func `marks and line ends do not matter, other bytes are named`() async throws {
    try await withOperators { country in
      let text =
        "\u{FEFF}IMEI;Date;MSISDN;IMSI\r\n\(Self.imei);20261001;1;001010000000001\r\n"
      let bytes = Array(text.utf8) + Array("\(Self.imei);20261001;1;00101".utf8) + [0xE9, 0x0A]
      let outcome = try await country.take(
        "alfa", "alfa_20261001_20261031.csv", bytes: bytes, accept: ["refused"])
      guard case .imported(_, let summary) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(summary.file.refused == [.notUTF8: 1])
      #expect(summary.rows == 1)
    }
  }

  @Test func `two operators at once do not disturb each other`() async throws {
    try await withOperators { country in
      func lines(_ network: String) -> [String] {
        (0..<5_000).map { "20261001,3520990017\(10000 + $0),\(network)00000\(10000 + $0),1,4G" }
      }
      async let alfa = country.imported("alfa", "alfa_20261001_20261031.csv", lines("00101"))
      async let beta = country.imported("beta", "beta_20261001_20261031.csv", lines("00102"))
      let rows = try await [alfa.rows, beta.rows]
      #expect(rows == [5_000, 5_000])
      #expect(try await country.rows().count == 10_000)
    }
  }

  @Test func `a trial says what it would do and does nothing`() async throws {
    try await withOperators { country in
      let outcome = try await country.take(
        "alfa", "alfa_20261001_20261031.csv", ["20261001,\(Self.imei),001010000000001,1,4G"],
        isTrial: true)
      guard case .tried(let summary) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(summary.rows == 1)
      #expect(try await country.rows() == [])
    }
  }

  @Test func `a file about days to come is refused`() async throws {
    try await withOperators { country in
      await #expect(throws: ImportRefusal.self) {
        _ = try await country.take("alfa", "alfa_20991001_20991031.csv", [])
      }
      await #expect(throws: ImportRefusal.self) { _ = try await country.take("alfa", "x.csv", []) }
    }
  }

  private static func failing(_ outcome: OperatorImport.Outcome) -> [String] {
    guard case .stopped(let results, _) = outcome else { return [] }
    return results.map(\.check.rawValue).sorted()
  }
}
