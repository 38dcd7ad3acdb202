import DeviceIdentity
import DeviceLists
import Glibc
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Files as the store takes them: all or nothing, one after the other.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct ImportTests {
  @Test func `a list of types adds, changes and keeps`() async throws {
    try await withRegistry { registry in
      let first = try await importTACs(
        [(35_000_000, "Acme", "One"), (35_000_001, "Acme", "Two")], hash: 1, registry)
      #expect((first.added, first.changed, first.unchanged) == (2, 0, 0))
      let second = try await importTACs(
        [(35_000_001, "Acme", "Two"), (35_000_000, "Acme", "Uno"), (35_000_002, "Zeta", "")],
        hash: 2, registry)
      #expect((second.added, second.changed, second.unchanged) == (1, 1, 1))
      #expect(
        try await lines(
          """
          SELECT format('%s %s %s %s%s', tac, manufacturer, model, import_id,
                        CASE WHEN until IS NOT NULL THEN ' ended' END) AS line
            FROM tac_allocation ORDER BY tac, since
          """, registry) == [
            "35000000 Acme One 1 ended", "35000000 Acme Uno 2", "35000001 Acme Two 1",
            "35000002 Zeta  2",
          ])
      let record = try await registry.store.read { try await $0.device(imei(1)) }
      #expect((record.manufacturer, record.model) == ("Acme", "Uno"))
    }
  }

  @Test func `a stolen list adds what its source has not said, on every IMEI of a device`()
    async throws
  {
    try await withRegistry { registry in
      try await registry.store.write {
        _ = try await $0.link([imei(1), imei(2)], source: "customs", by: "anna")
        for source in ["police", "court"] {
          _ = try await $0.block(
            imei(3), with: NewGround(on: .imei(imei(3)), code: .stolen, source: source),
            by: "anna")
        }
        _ = try await $0.unblock(imei(3), source: "police", reason: "found", by: "anna")
      }
      let day = try #require(CivilDate("2026-01-02"))
      let rows = [
        StolenRow(imei: imei(1), code: .stolen, caseReference: "a", reported: day),
        StolenRow(imei: imei(2), code: .stolen, caseReference: "b", reported: nil),
        StolenRow(imei: imei(3), code: .stolen, caseReference: "c", reported: nil),
        StolenRow(imei: imei(4), code: .lost, caseReference: "d", reported: nil),
      ]
      let outcome = try await importStolen(rows, hash: 1, registry)
      #expect((outcome.added, outcome.changed, outcome.unchanged) == (4, 0, 0))
      let again = try await importStolen(rows, hash: 2, registry)
      #expect((again.added, again.changed, again.unchanged) == (0, 0, 4))
      #expect(
        try await RegistryState(of: registry)
          == RegistryState(
            grounds: [
              "1 35000000000003/0 @0 stolen 1 by police, ended",
              "1 35000000000003/0 @0 stolen 1 by court, in force",
              "1 35000000000001/0 @0 stolen 1 by police, in force",
              "1 35000000000002/0 @0 stolen 1 by police, in force",
              "1 35000000000003/0 @0 stolen 1 by police, in force",
              "1 35000000000004/0 @0 lost 1 by police, in force",
            ],
            dirty: [
              "1 35000000000003/0 @0 !1", "1 35000000000003/0 @0 !1", "1 35000000000003/0 @0 !0",
              "1 35000000000001/0 @0 !2", "1 35000000000002/0 @0 !2", "1 35000000000003/0 @0 !2",
              "1 35000000000004/0 @0 !2",
            ]))
      // The registry of the tests lies in Tunis, an hour before UTC.
      #expect(
        try await lines(
          """
          SELECT format('%s %s', case_reference,
                        CASE WHEN started_at < '2026-02-01' THEN started_at AT TIME ZONE 'UTC' END)
                   AS line
            FROM ground WHERE import_id IS NOT NULL ORDER BY ground_id
          """, registry) == ["a 2026-01-01 23:00:00", "b ", "c ", "d "])
    }
  }

  @Test func `the same bytes are known again, from the same source and read in the same way`()
    async throws
  {
    try await withRegistry { registry in
      _ = try await importStolen([row(1)], hash: 1, refused: 0, registry)
      _ = try await importStolen([row(2)], hash: 2, refused: 1, registry)
      func isKnown(_ hash: UInt8, source: String = "police", form: String = "") async throws -> Bool
      {
        try await registry.store.read {
          try await $0.earlierImport(
            of: .stolen, sha256: bytes(hash), source: source, form: form) != nil
        }
      }
      #expect(try await isKnown(1))
      #expect(try await isKnown(2))
      #expect(try await !isKnown(3))
      #expect(try await !isKnown(1, source: "court"))
      #expect(try await !isKnown(1, form: "signalled"))
      try await registry.script("UPDATE import SET imported_at = now() - interval '25 hours'")
      #expect(try await isKnown(1))
      #expect(try await !isKnown(2), "What was refused may be good on another day.")
      try await registry.expectRefusal(.alreadyImported) { _ in
        _ = try await importStolen([row(1), row(5)], hash: 1, registry)
      }
    }
  }

  @Test func `one file brought by four at once is taken in once`() async throws {
    try await withRegistry { registry in
      let outcomes = await withTaskGroup(of: String.self) { group in
        for _ in 0..<4 {
          group.addTask {
            do {
              return try await "\(importTACs([(1, "Acme", "One")], hash: 1, registry).added) added"
            } catch { return "\((error as? StoreError)?.code == .alreadyImported)" }
          }
        }
        return await group.reduce(into: []) { $0 += [$1] }
      }
      #expect(outcomes.sorted() == ["1 added", "true", "true", "true"])
      let imports = try await registry.number("SELECT count(*) FROM import")
      let allocations = try await registry.number("SELECT count(*) FROM tac_allocation")
      #expect((imports, allocations) == (1, 1))
    }
  }

  @Test func `two files on the same types at once leave one allocation each`() async throws {
    try await withRegistry { registry in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for file in UInt8(1)...4 {
          group.addTask {
            let rows = (0..<500).map { (UInt32($0), "Acme", "Model \(file)") }
            _ = try await importTACs(rows, hash: file, registry)
          }
        }
        try await group.waitForAll()
      }
      #expect(
        try await registry.number("SELECT count(*) FROM tac_allocation WHERE until IS NULL") == 500)
      #expect(
        try await registry.number(
          "SELECT count(DISTINCT model) FROM tac_allocation WHERE until IS NULL") == 1)
    }
  }

  @Test func `an IMEI that joins during an import is stolen with its device`() async throws {
    try await withRegistry { registry in
      for round in UInt64(0)..<10 {
        let (one, other) = (imei(round * 2), imei(round * 2 + 1))
        async let linked: Void = registry.store.write {
          _ = try await $0.link([one, other], source: "customs", by: "anna")
        }
        let stolen = StolenRow(imei: one, code: .stolen, caseReference: "", reported: nil)
        _ = try await importStolen([stolen], hash: UInt8(round), registry)
        try await linked
      }
      let grounds = try await RegistryState(of: registry).grounds.sorted()
      #expect(
        grounds
          == (UInt64(0)..<20).map {
            "1 \(imei($0))/0 @0 stolen 1 by police, in force"
          })
    }
  }

  enum Cut: Int, CaseIterable { case firstRow, lastRow, merge }

  @Test(arguments: Cut.allCases)
  func `a connection that is cut during an import leaves nothing of it`(cut: Cut) async throws {
    try await withRegistry { registry in
      _ = try await importStolen([row(1)], hash: 1, registry)
      let before = try await RegistryState(of: registry)
      var rows = (2..<20_000).map { row($0) }[...]
      let count = rows.count
      // SIGTERM is what pg_terminate_backend sends, without a connection to wait for.
      let error = await #expect(throws: PostgreSQLError.self) {
        try await registry.service.transaction { connection in
          let process = try await connection.query("SELECT pg_backend_pid()").only().int32(0)
          let isCutBefore = { (place: Int) in
            cut == .firstRow && place == count || cut == .lastRow && place == 1
          }
          _ = try await RegistryTransaction(connection: connection).importStolen(
            by: "anna",
            next: {
              if isCutBefore(rows.count) { kill(process, SIGTERM) }
              return rows.popFirst()
            }, file: { file(hash: 2, kept: count) })
          if cut == .merge { try await terminate(process, registry) }
        }
      }
      #expect(error?.code == .connectionLost || error?.sqlState == "57P01" || cut == .merge)
      #expect(try await RegistryState(of: registry) == before)
      #expect(try await registry.number("SELECT count(*) FROM import") == 1)
      let outcome = try await importStolen((1..<20_000).map { row($0) }, hash: 2, registry)
      #expect((outcome.added, outcome.unchanged) == (19_998, 1))
    }
  }

  private func terminate(_ process: Int32, _ registry: TestRegistry) async throws {
    try await registry.owner.withConnection { connection in
      try await connection.query("SELECT pg_terminate_backend($1)", process)
      try await eventually("The server has ended the connection") {
        try await connection.query(
          "SELECT count(*) FROM pg_stat_activity WHERE pid = $1", process
        ).only().int(0) == 0
      }
    }
  }

  // MARK: - What the tests are made of

  private func row(_ serial: UInt64) -> StolenRow {
    StolenRow(imei: imei(serial), code: .stolen, caseReference: "", reported: nil)
  }

  private func bytes(_ hash: UInt8) -> [UInt8] { Array(repeating: hash, count: 32) }

  private func file(
    _ kind: ImportedFile.Kind = .stolen, hash: UInt8, kept: Int, refused: Int = 0
  ) -> ImportedFile {
    ImportedFile(
      kind: kind, fileName: "file.csv", sha256: bytes(hash), source: "police",
      rowsRead: kept + refused, rowsKept: kept, rowsRepeated: 0, rowsRefused: refused)
  }

  private func importStolen(
    _ rows: [StolenRow], hash: UInt8, refused: Int = 0, _ registry: TestRegistry
  ) async throws -> ImportOutcome {
    var rest = rows[...]
    return try await registry.store.write {
      try await $0.importStolen(by: "anna", next: { rest.popFirst() }) {
        file(hash: hash, kept: rows.count, refused: refused)
      }
    }
  }

  private func importTACs(
    _ rows: [(UInt32, String, String)], hash: UInt8, _ registry: TestRegistry
  ) async throws -> ImportOutcome {
    var rest = try rows.map { number, manufacturer, model in
      TACRow(
        tac: try #require(TAC(number: number)), manufacturer: manufacturer, model: model,
        attributes: "{}")
    }[...]
    return try await registry.store.write {
      try await $0.importTACs(by: "anna", next: { rest.popFirst() }) {
        file(.tac, hash: hash, kept: rows.count)
      }
    }
  }

  private func lines(_ sql: String, _ registry: TestRegistry) async throws -> [String] {
    try await registry.owner.withConnection { connection in
      try await connection.script(RegistryStore.searchPath)
      return try await connection.query(sql).map { try $0.string("line") }
    }
  }
}
