import DeviceIdentity
import Foundation
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Lists taken in by the command, into a registry of a server that runs.
struct ImportTests {
  @Test func `a list is tried, taken in from standard input, and stopped when it shrinks`()
    async throws
  {
    try await withOffice { office in
      let path = try office.write("list.csv", serials: 1...100)
      let tried = try await office.ceir("registration", path, "--dry-run", "--format", "json")
      #expect(tried.status == 0, "\(tried.errors)")
      #expect(tried.output.contains(#""status" : "tried""#))
      #expect(tried.output.contains(#""added" : 100"#))
      #expect(try await office.rows() == 0)

      let taken = try await office.shell(
        "gzip -c '\(path)' | '\(Program.path(of: "ceir"))' import registration - "
          + "--source customs --database-url '\(office.url)' --data-directory '\(office.folder)'")
      #expect(taken.status == 0, "\(taken.errors)")
      #expect(taken.output.contains("100 rows read, 100 kept"), "\(taken.output)")
      #expect(try await office.rows() == 100)
      // A file of the same name may be left by nobody.
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: office.folder)
          .filter { $0.hasPrefix("ceir-import") }.isEmpty)

      let short = try office.write("short.csv", serials: 1...50)
      let stopped = try await office.ceir("registration", short)
      #expect(stopped.status == 3)
      #expect(
        stopped.errors.contains(
          "50 rows would be in force instead of 100; at least 75 must be. If that is right: "
            + "--accept shrink --because TEXT."), "\(stopped.errors)")
      #expect(try await office.rows() == 100)
      let accepted = try await office.ceir(
        "registration", short, "--accept", "shrink", "--because", "half were re-exported")
      #expect(accepted.status == 0, "\(accepted.errors)")
      #expect(accepted.output.contains("0 new, 0 changed, 50 ended, 50 known already"))
      #expect(try await office.rows() == 50)
      #expect(try await office.accepted() == "shrink: half were re-exported")
    }
  }

  @Test(arguments: [
    (["barred", "FILE", "--accept", "shrink"], "--accept needs --because"),
    (["barred", "FILE", "--because", "x"], "--because belongs to --accept"),
    (["barred", "FILE", "--accept", "luck", "--because", "x"], "there are shrink, empty"),
    (["barred", "FILE", "--full", "--delta"], "not both"),
    (["barred", "FILE", "--code", "protected"], "it is one of barredTac"),
    (["stolen", "FILE", "--accept", "shrink", "--because", "x"], "belongs to --full or --delta"),
  ])
  func `wrong use of a list is told`(arguments: [String], words: String) async throws {
    let result = try await Program.run("ceir", ["import"] + arguments)
    #expect(result.status == 2)
    #expect(result.errors.contains(words), "\(result.errors)")
  }

  @Test func `standard input without room for it changes nothing`() async throws {
    try await withOffice { office in
      let result = try await office.shell(
        "echo imei | TMPDIR=/nonexistent '\(Program.path(of: "ceir"))' import barred - "
          + "--database-url '\(office.url)' --data-directory '\(office.folder)'")
      #expect(result.status == 1)
      #expect(result.errors.contains("There is no room in /nonexistent"), "\(result.errors)")
    }
  }

  @Test func `an import that is killed leaves nothing, and the next takes all`() async throws {
    try await withOffice { office in
      let path = try office.write("large.csv", serials: 1...100_000)
      // Whoever holds the table lets the lines come in and not go on.
      try await office.whileHeld {
        let program = try Program(
          "ceir", office.arguments(["registration", path]), in: office.folder)
        try await eventually("lines that have reached the database", within: 120) {
          try await office.isWaiting()
        }
        program.send(SIGKILL)
        _ = try await program.end()
      }
      try await eventually("the end of its connections") { try await !office.isConnected() }
      #expect(try await office.rows() == 0)
      #expect(try await office.accepted() == nil)
      let again = try await Program.run(
        "ceir", office.arguments(["registration", path]), in: office.folder, within: 300)
      #expect(again.status == 0, "\(again.errors)")
      #expect(try await office.rows() == 100_000)
    }
  }

  private func withOffice(_ body: (ImportOffice) async throws -> Void) async throws {
    let registry = try await TestRegistry.make()
    let folder = try temporaryDirectory("import-command")
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(ImportOffice(registry: registry, folder: folder)))
    } catch {
      result = .failure(error)
    }
    await registry.close()
    try FileManager.default.removeItem(atPath: folder)
    try result.get()
  }
}

/// Where files are taken in.
private struct ImportOffice {
  let registry: TestRegistry
  let folder: String

  var url: String { registry.database.connectionString }

  func arguments(_ arguments: [String]) -> [String] {
    ["import"] + arguments + [
      "--source", "customs", "--database-url", url, "--data-directory", folder,
    ]
  }

  func ceir(_ arguments: String...) async throws -> Program.Result {
    try await Program.run("ceir", self.arguments(arguments), in: folder)
  }

  func shell(_ text: String) async throws -> Program.Result {
    try await Program.run(
      "/bin/sh", ["-c", text], in: folder, environment: ["PATH": "/usr/bin:/bin"])
  }

  func write(_ name: String, serials: ClosedRange<Int>) throws -> String {
    var text = "approved_imei,make,model\n"
    for serial in serials {
      text += IMEI(unchecked: 35_209_900_000_000 + UInt64(serial)).dialled + ",Acme,One\n"
    }
    let path = "\(folder)/\(name)"
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    return path
  }

  func rows() async throws -> Int {
    try await one("SELECT count(*) FROM ceir.reference_row WHERE until IS NULL").int(0)
  }

  /// What was set aside for the newest import, and why.
  func accepted() async throws -> String? {
    try await one(
      """
      SELECT (SELECT accepted[1] || ': ' || accepted_reason
                FROM ceir.import ORDER BY import_id DESC LIMIT 1)
      """
    ).optionalString(0)
  }

  /// Nobody can write rows meanwhile.
  func whileHeld(_ body: () async throws -> Void) async throws {
    try await registry.owner.transaction { connection in
      try await connection.script("LOCK TABLE ceir.reference_row IN SHARE MODE")
      try await body()
    }
  }

  func isWaiting() async throws -> Bool {
    try await one(
      """
      SELECT count(*) > 0 FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'ceir%'
         AND wait_event_type = 'Lock'
      """
    ).bool(0)
  }

  func isConnected() async throws -> Bool {
    try await one(
      """
      SELECT count(*) > 0 FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'ceir%'
      """
    ).bool(0)
  }

  private func one(_ sql: String) async throws -> PostgreSQLRow {
    try await registry.owner.withConnection { try await $0.query(sql).only() }
  }
}
