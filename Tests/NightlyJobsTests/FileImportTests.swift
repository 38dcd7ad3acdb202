import Crypto
import DeviceIdentity
import DeviceLists
import Foundation
import NightlyJobs
import PostgreSQL
import RegistryFiles
import RegistryStore
import Simulation
import Testing

/// Files from authorities, dirty ones above all, into a real registry.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct FileImportTests {
  /// TS 23.003, annex B has 35-209900-176148-1 as its example; the others differ in their serial.
  static let good = ["352099001761481", "352099001761499"]

  /// A line of its own, how it is refused, and at which column.
  static let badLines: [(line: [UInt8], code: RefusalCode)] =
    badTexts.map { (Array($0.utf8), $1) } + badBytes

  private static let badTexts: [(String, RefusalCode)] = [
    ("352099001761480,,stolen", .checkDigit),
    ("3520990017614,,stolen", .identityLength),
    ("35209900176148123,,stolen", .identityLength),
    ("35209900176148A,,stolen", .notADigit),
    ("３５２０９９００１７６１４８１,,stolen", .notASCII),
    ("3.5E+13,,stolen", .spreadsheetNumber),
    ("2099001761481,,stolen", .identityLength),
    (",,stolen", .emptyIdentity),
    ("000000000000000,,stolen", .placeholder),
    ("\(good[0]),20261124,stolen", .dateInFuture),
    ("\(good[0]),20260230,stolen", .notADate),
    ("\(good[0]),19900101,stolen", .dateTooEarly),
    ("\(good[0]),,mislaid", .unknownStatus),
    ("\(good[0]),", .fieldCount),
    ("\(good[0]),,stolen,more", .fieldCount),
    ("\"\(good[0])\"x,,stolen", .strayQuote),
    ("\"\(good[0])\n\",,stolen", .notADigit),
  ]

  private static let badBytes: [([UInt8], RefusalCode)] = [
    (Array("\(good[0]),,stol".utf8) + [0xE9], .notUTF8),
    (Array("\(good[0]),,stolen".utf8) + [0], .nulByte),
    (Array(String(repeating: "3", count: 9_000).utf8) + Array(",,stolen".utf8), .fieldTooLong),
  ]

  @Test func `every bad line is refused for its reason and the good ones are kept`() async throws {
    try await withImport { registry, directory in
      var file = Array("imei,reporting_date,status\n".utf8)
      for bad in Self.badLines { file += bad.line + [0x0A] }
      file += Array("\(Self.good[0]),20261123,stolen\n\(Self.good[1]),,lost\n".utf8)
      file += Array("\(Self.good[1]),,lost\n\(Self.good[0]),,lost\n".utf8)
      let expected = Self.badLines.map(\.code) + [.duplicateLine, .conflictingLine]

      let (strict, _) = try await take(file, isStrict: true, registry, directory)
      guard case .refused(let report) = strict else {
        Issue.record("\(strict)")
        return
      }
      #expect(report.rowsKept == 2)
      #expect(try await state(registry) == [], "A strict import leaves nothing.")

      let (outcome, refusals) = try await take(file, registry, directory)
      guard case .imported(let imported, let whole) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(refusals.map(\.code) == expected)
      #expect(refusals.allSatisfy { $0.fileName == "file.csv" && $0.line > 1 })
      #expect((imported.added, imported.changed, imported.unchanged) == (2, 0, 0))
      #expect(
        (whole.rowsRead, whole.rowsKept, whole.rowsRepeated, whole.rowsRefused)
          == (expected.count + 2, 2, 1, expected.count - 1))
      #expect(
        try await state(registry) == [
          "ground 35209900176148 stolen 1 by police", "ground 35209900176149 lost 1 by police",
          "import stolen file.csv police dialled \(expected.count + 2) 2 1 \(expected.count - 1)",
          "mark 35209900176148 2", "mark 35209900176149 2", "trail anna import.stolen",
        ])
      let (again, _) = try await take(file, registry, directory)
      guard case .repeated = again else {
        Issue.record("\(again)")
        return
      }
    }
  }

  /// What is unusual and still good, and what is wrong with the file as a whole.
  @Test(arguments: [
    ("\u{FEFF}imei\r\n\(good[0])\r\n\(good[1])\r\n", 2, true),
    ("imei,reporting_date\n\"\(good[0])\",\"2026-11-23\"\n\(good[1]),20261123", 2, true),
    ("imei;owner\n\(good[0]);Jane\n", 1, false),
    ("imei\n35-209900-176148-1\n", 1, true),
    ("imei\n\(good[0])\n3520990017", 1, false),
    ("imei\n\(good[0])\n\"35209900176149", 1, false),
    ("imei\n", 0, true),
  ])
  func `an unusual file is read, a spotless one strictly too`(
    text: String, added: Int, isSpotless: Bool
  ) async throws {
    try await withImport { registry, directory in
      let (strict, _) = try await take(Array(text.utf8), isStrict: true, registry, directory)
      switch strict {
      case .imported(let outcome, _):
        #expect(isSpotless)
        #expect(outcome.added == added)
      case .refused:
        #expect(!isSpotless)
        #expect(try await state(registry) == [])
        let (loose, _) = try await take(Array(text.utf8), registry, directory)
        guard case .imported(let outcome, _) = loose else {
          Issue.record("\(loose)")
          return
        }
        #expect(outcome.added == added)
      case .tried: Issue.record("Nothing was to be tried only.")
      case .repeated: Issue.record("Nothing was imported before.")
      }
    }
  }

  @Test(
    arguments: [
      (Array("".utf8), .empty), (Array("\n\n".utf8), .empty),
      (Array("\(good[0])\n".utf8), .dataInsteadOfHeader),
      (Array("number\n\(good[0])\n".utf8), .missingHeader(column: "imei", linesLookedAt: 1)),
      (Array("imei,imei\n1,2\n".utf8), .repeatedColumn("imei")),
      ([0xFF, 0xFE, 0x69, 0x00, 0x6D, 0x00], .utf16),
    ] as [([UInt8], RegistryFileError.Code)])
  func `a file that cannot be read says why and changes nothing`(
    bytes: [UInt8], code: RegistryFileError.Code
  ) async throws {
    try await withImport { registry, directory in
      let error = await #expect(throws: RegistryFileError.self) {
        _ = try await take(bytes, registry, directory)
      }
      #expect(error?.code == code)
      let left = try await state(registry)
      #expect(left == [])
    }
  }

  @Test func `what is no file, or changes while it is read, is refused`() async throws {
    try await withImport { registry, directory in
      let job = job(registry, isStrict: false)
      for path in ["\(directory)/none.csv", directory] {
        await #expect(throws: UnreadableFile.self) {
          _ = try await job.importStolen(path: path, listener: .init())
        }
      }
      let path = "\(directory)/file.csv"
      try Data("imei\n\(Self.good[0])\n1\n".utf8).write(to: URL(filePath: path))
      let error = await #expect(throws: UnreadableFile.self) {
        _ = try await job.importStolen(
          path: path,
          listener: .init(refused: { _ in
            try Data("imei\n\(Self.good[1])\n".utf8).write(to: URL(filePath: path))
          }))
      }
      #expect(error?.description.contains("changed while it was read") == true)
      #expect(try await state(registry) == [])
    }
  }

  @Test func `the same file read otherwise is another`() async throws {
    try await withImport { registry, directory in
      let file = Array("imei\n352099001761480\n".utf8)
      var options = options(isStrict: false)
      let path = "\(directory)/file.csv"
      try Data(file).write(to: URL(filePath: path))
      var added: [Int] = []
      for form in [StolenListFile.IMEIForm.dialled, .signalled] {
        options.imeiForm = form
        let outcome = try await FileImport(store: registry.store, options: options)
          .importStolen(path: path, listener: .init())
        guard case .imported(let imported, _) = outcome else { continue }
        added.append(imported.added)
      }
      #expect(added == [0, 1])
    }
  }

  /// Osmocom's list of type allocations, whole.
  @Test func `a real list of types is taken in, each refusal with its reason`() async throws {
    try await withImport { registry, directory in
      let path = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Simulation/Data/tac/osmocom-tac.csv").standardized.path
      var reasons: [RefusalCode: Int] = [:]
      let job = job(registry, isStrict: false)
      let first = try await job.importTACs(
        path: path, listener: .init(refused: { reasons[$0.code, default: 0] += 1 }))
      guard case .imported(let outcome, let report) = first else {
        Issue.record("\(first)")
        return
      }
      #expect(report.refused == reasons)
      #expect(report.rowsRead == report.rowsKept + report.rowsRepeated + report.rowsRefused)
      #expect(report.rowsKept > 20_000)
      #expect((outcome.added, outcome.changed, outcome.unchanged) == (report.rowsKept, 0, 0))
      let stored = try await registry.owner.withConnection {
        try await $0.query(
          """
          SELECT manufacturer || ' ' || model || ' ' || (attributes ->> 'contributor') AS line
            FROM ceir.tac_allocation WHERE tac = 35675904 AND until IS NULL
          """
        ).only().string("line")
      }
      #expect(stored == "Oppo N1 Kévin Redon")
      guard case .repeated = try await job.importTACs(path: path, listener: .init()) else {
        Issue.record("The same file was not recognised.")
        return
      }
      // The same lines in another file: nothing is new.
      let copy = "\(directory)/copy.csv"
      try (Data(contentsOf: URL(filePath: path)) + Data("\n".utf8)).write(to: URL(filePath: copy))
      guard case .imported(let second, _) = try await job.importTACs(path: copy, listener: .init())
      else {
        Issue.record("Another file was taken for the same.")
        return
      }
      #expect((second.added, second.changed, second.unchanged) == (0, 0, report.rowsKept))
    }
  }

  // MARK: - What the tests are made of

  private func withImport(
    _ body: (TestRegistry, String) async throws -> Void
  ) async throws {
    let registry = try await TestRegistry.make()
    let directory = try temporaryDirectory("import-test")
    let result: Result<Void, any Error>
    do { result = .success(try await body(registry, directory)) } catch { result = .failure(error) }
    await registry.close()
    try FileManager.default.removeItem(atPath: directory)
    try result.get()
  }

  private func options(isStrict: Bool) -> FileImport.Options {
    var options = FileImport.Options(
      source: "police", actor: "anna", today: CivilDate(daysSinceEpoch: 20780))
    options.isStrict = isStrict
    return options
  }

  private func job(_ registry: TestRegistry, isStrict: Bool) -> FileImport {
    FileImport(store: registry.store, options: options(isStrict: isStrict))
  }

  private func take(
    _ bytes: [UInt8], isStrict: Bool = false, _ registry: TestRegistry, _ directory: String
  ) async throws -> (FileImport.Outcome, [Refusal]) {
    let path = "\(directory)/file.csv"
    try Data(bytes).write(to: URL(filePath: path))
    var refusals: [Refusal] = []
    let outcome = try await job(registry, isStrict: isStrict).importStolen(
      path: path, listener: .init(refused: { refusals.append($0) }))
    return (outcome, refusals)
  }

  /// Everything that an import may leave, a line each. The trail's hash must be that of its
  /// payload.
  private func state(_ registry: TestRegistry) async throws -> [String] {
    try await registry.owner.withConnection { connection in
      try await connection.script(RegistryStore.searchPath)
      return try await connection.query(
        """
        SELECT format('ground %s %s %s by %s', subject_key1, code, status, source) AS line
          FROM ground
        UNION ALL
        SELECT format('import %s %s %s %s %s %s %s %s', kind, file_name, source, form, rows_read,
                      rows_kept, rows_repeated, rows_refused)
          FROM import
        UNION ALL
        SELECT format('mark %s %s', subject_key1, priority) FROM dirty
        UNION ALL
        SELECT format('trail %s %s', actor, action)
          FROM trail JOIN trail_payload USING (trail_id)
         WHERE payload_hash = sha256(salt || convert_to(payload, 'UTF8'))
           AND payload::json IS NOT NULL
         ORDER BY line
        """
      ).map { try $0.string("line") }
    }
  }
}
