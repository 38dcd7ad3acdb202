import DeviceIdentity
import DeviceLists
import Foundation
import NightlyJobs
import PostgreSQL
import RegistryFiles
import RegistryStore
import Simulation
import Testing

/// Fifteen digits of a device of the type 35209900.
func imei(_ serial: Int) -> String { IMEI(unchecked: 35_209_900_000_000 + UInt64(serial)).dialled }

/// A registry into which lists are taken.
struct Lists: Sendable {
  let registry: TestRegistry
  let folder: String

  private func options(_ source: String) -> FileImport.Options {
    FileImport.Options(
      source: source, actor: "anna", today: CivilDate(daysSinceEpoch: 20_780))
  }

  private func file(_ text: String, _ name: String) throws -> String {
    let path = "\(folder)/\(name).csv"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// What became of a file, in a line.
  func take(
    _ kind: ListKind, _ text: String, source: String = "test", name: String = "list",
    isDelta: Bool = false, isStrict: Bool = false, isDryRun: Bool = false,
    accepted: Set<ListCheck> = [], because: String = "", code: GroundCode = .notApproved
  ) async throws -> String {
    var file = options(source)
    file.isStrict = isStrict
    file.isDryRun = isDryRun
    var options = ListImport.Options(kind, file)
    options.isDelta = isDelta
    options.code = code
    options.accepted = accepted
    options.acceptedReason = because
    let path = try self.file(text, name)
    let outcome = try await ListImport(kind, store: registry.store, options: options)
      .run(path: path, listener: .init())
    switch outcome {
    case .imported(let report): return "imported \(counts(report.outcome))"
    case .tried(let report): return "tried \(counts(report.outcome))"
    case .repeated(let number, _): return "repeated \(number)"
    case .refused: return "refused"
    case .stopped(_, let failed, _):
      #expect(failed.allSatisfy { !$0.sentence.isEmpty && !$0.hasPassed })
      return "stopped " + failed.map(\.check.rawValue).joined(separator: " ")
    }
  }

  private func counts(_ outcome: ImportOutcome) -> String {
    "+\(outcome.added) ~\(outcome.changed) -\(outcome.removed) =\(outcome.unchanged)"
  }

  /// A list of stolen devices that only adds.
  func add(_ text: String) async throws -> String {
    let job = FileImport(store: registry.store, options: options("test"))
    let outcome = try await job.importStolen(path: file(text, "added"), listener: .init())
    guard case .imported(let imported, _) = outcome else { return "\(outcome)" }
    return "imported +\(imported.added)"
  }

  func block(_ serial: Int, source: String) async throws {
    try await registry.store.write {
      let imei = IMEI(unchecked: 35_209_900_000_000 + UInt64(serial))
      _ = try await $0.block(
        imei,
        with: NewGround(on: .imei(imei), code: .stolen, source: source, caseReference: "person"),
        by: "anna")
    }
  }

  func link(_ serials: [Int]) async throws {
    let imeis = serials.map { IMEI(unchecked: 35_209_900_000_000 + UInt64($0)) }
    try await registry.store.write { _ = try await $0.link(imeis, source: "test", by: "anna") }
  }

  func addOperator(_ code: String, network: String) async throws {
    try await registry.owner.withConnection {
      try await $0.query(
        """
        WITH added AS (
          INSERT INTO ceir.operator (code, name) VALUES ($1, $1) RETURNING operator_id)
        INSERT INTO ceir.operator_plmn (plmn, operator_id) SELECT $2, operator_id FROM added
        """, code, network)
    }
  }

  /// Reference rows; keys without the type of the devices.
  func rows(first: Int = 35_209_900_000_000) async throws -> [String] {
    try await lines(
      """
      SELECT format('%s %s %s %s %s %s%s', list, source, key1 - \(first), key_text, attributes,
                    import_id, CASE WHEN until IS NOT NULL THEN ' ended' END) AS line
        FROM reference_row
       ORDER BY list, source, key1, key_text, import_id
      """)
  }

  func grounds(withEnded: Bool = false) async throws -> [String] {
    try await lines(
      """
      SELECT format('%s %s %s %s %s %s %s%s', subject_kind,
                    CASE WHEN subject_kind = 3 THEN subject_key1
                         ELSE subject_key1 - 35209900000000 END,
                    subject_key2, scope, code, (ARRAY['white', 'black', 'grey'])[status + 1],
                    case_reference, ' ended: ' || end_reason) AS line
        FROM ground
       WHERE ended_at IS NULL OR \(withEnded)
       ORDER BY line
      """)
  }

  func overridable() async throws -> [String] {
    try await lines("SELECT DISTINCT code AS line FROM ground WHERE overridable ORDER BY code")
  }

  /// Of each import: whether of changes, what was set aside and why, and the checks that failed.
  func imports() async throws -> [String] {
    try await lines(
      """
      SELECT concat_ws(' ', kind, is_delta::text, array_to_string(accepted, ','), accepted_reason,
                       (SELECT string_agg(key, ',') FROM json_each(measured::json)
                         WHERE NOT (value ->> 'passed')::boolean)) AS line
        FROM import ORDER BY import_id
      """)
  }

  func marks() async throws -> Int {
    try await lines("SELECT dirty_id::text AS line FROM dirty WHERE priority = 2").count
  }

  /// What is to be classified anew: serials, or −1.
  func pending() async throws -> [Int] {
    try await lines(
      """
      SELECT DISTINCT (CASE imei WHEN -1 THEN -1 ELSE imei - 35209900000000 END)::text AS line
        FROM classify_pending ORDER BY line
      """
    ).compactMap { Int($0) }.sorted()
  }

  private func lines(_ sql: String) async throws -> [String] {
    try await registry.owner.withConnection { connection in
      try await connection.script(RegistryStore.searchPath)
      return try await connection.query(sql).map { try $0.string("line") }
    }
  }
}

func withLists(_ body: (Lists) async throws -> Void) async throws {
  let registry = try await TestRegistry.make()
  let folder = try temporaryDirectory("lists-test")
  let result: Result<Void, any Error>
  do {
    result = .success(try await body(Lists(registry: registry, folder: folder)))
  } catch {
    result = .failure(error)
  }
  await registry.close()
  try FileManager.default.removeItem(atPath: folder)
  try result.get()
}
