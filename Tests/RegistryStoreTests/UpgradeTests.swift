import DeviceLists
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// A database of version 1 that has been used.
struct UpgradeTests {
  /// Two imports with a batch of the journal between them, an operator and its node.
  private static let used = """
    SET LOCAL search_path = ceir;
    INSERT INTO registry (name, time_zone) VALUES ('XA', 'Africa/Tunis');
    INSERT INTO epoch (epoch, after_position, reason, system_identifier, timeline)
    VALUES (repeat('0', 31) || '1', 0, 'the registry was created', 1, 1);
    INSERT INTO operator (code, name) VALUES ('alfa', 'Alfa');
    INSERT INTO operator_plmn (plmn, operator_id) VALUES ('00101', 1);
    INSERT INTO operator_policy (operator_id, version, mode, set_by) VALUES (1, 1, 'grey', 'anna');
    INSERT INTO node (operator_id, name, token_hash)
    VALUES (1, 'eir-1', decode(repeat('ab', 32), 'hex'));
    INSERT INTO node_report (node_id, epoch, position, seen_at)
    VALUES (1, repeat('0', 31) || '1', 5, now());
    INSERT INTO import (kind, file_name, sha256, source, form, rows_read, rows_kept, rows_repeated,
                        rows_refused, imported_at, imported_by)
    SELECT 'stolen', 'reports.csv', decode(repeat('0' || n, 32), 'hex'), 'police', 'dialled', 5, 5,
           0, 0, now() - interval '1 hour' + n * interval '10 minutes', 'anna'
      FROM generate_series(1, 2) n;
    INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status, overridable,
                        source, import_id, started_at, recorded_by)
    SELECT 1, 35000000000000 + n, 0, 0, 'stolen', 1, false, 'police', 1, now(), 'anna'
      FROM generate_series(1, 5) n;
    INSERT INTO journal (position, subject_kind, subject_key1, subject_key2, scope, status,
                         ground_codes, overridable)
    SELECT n, 1, 35000000000000 + n, 0, 0, 1, '{stolen}', false FROM generate_series(1, 5) n;
    INSERT INTO journal_batch (last_position, first_position, epoch, as_of, published_at)
    SELECT 5, 1, epoch, now(), now() - interval '45 minutes' FROM epoch;
    INSERT INTO journal_digest (scope, last_position, digest)
    VALUES (0, 5, decode(repeat('01', 32), 'hex'));
    """

  @Test func `a used database of version 1 is brought to this version with all that it holds`()
    async throws
  {
    try await TestCluster.shared.database().withPool { pool in
      #expect(try await Migrator(pool: pool).migrate(upTo: 1) == [1])
      try await pool.transaction { try await $0.script(Self.used) }
      let error = await #expect(throws: StoreError.self) {
        try await Migrator(pool: pool).verify()
      }
      #expect(error?.code == .schemaIsOlder(version: 1, wanted: 3))
      #expect(try await Migrator(pool: pool).migrate() == [2, 3])
      try await Migrator(pool: pool).verify()
      try await pool.transaction { connection in
        try await connection.script(RegistryStore.searchPath)
        try await expectAll(RegistryTransaction(connection: connection))
      }
    }
  }

  private func expectAll(_ registry: RegistryTransaction) async throws {
    let records = try await registry.operatorRecords()
    #expect(records.map(\.code.description) == ["alfa"])
    #expect(
      records.map(\.policy) == [
        OperatorPolicy(
          mode: .grey, blockRequests: .reviewed, unblockRequests: .reviewed, dailyLimit: 1_000)
      ])
    let node = try #require(records.first?.nodes.first)
    #expect((node.name, node.position) == ("eir-1", Position(5)))
    #expect(node.digest == nil)
    let runs = try await registry.massRuns()
    #expect(runs.map(\.run) == [2, 1])
    #expect(runs.map(\.blacks) == [0, 5])
    #expect(runs.map(\.after) == [Position(5), Position(0)], "where the journal ended before it")
    #expect(try await registry.journalHead().position == Position(5))
    let alfa = try #require(OperatorCode("alfa"))
    let eir = try #require(NodeName("eir-1"))
    let found = try #require(try await registry.node(operator: alfa, name: eir))
    let parameters = try await registry.parameters(of: found)
    #expect((parameters.inForce, parameters.proposed) == (nil, nil))
  }
}
