import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Each process has only its verbs: what a role may not do, the database refuses.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct RolesTests {
  static let insufficientPrivilege = "42501"

  static let forbidden: [(RegistryStore.Role, String)] = [
    // The service writes grounds and marks, never what the publisher makes of them.
    (.service, "INSERT INTO list_entry SELECT * FROM list_entry"),
    (.service, "UPDATE list_entry SET status = 0"),
    (.service, "DELETE FROM list_entry"),
    (.service, "INSERT INTO journal SELECT * FROM journal"),
    (.service, "UPDATE journal SET status = 0"),
    (.service, "DELETE FROM journal"),
    (.service, "INSERT INTO journal_batch SELECT * FROM journal_batch"),
    (.service, "INSERT INTO journal_digest SELECT * FROM journal_digest"),
    (.service, "DELETE FROM dirty"),
    (.service, "UPDATE dirty SET priority = 0"),
    (.service, "INSERT INTO due SELECT * FROM due"),
    (.service, "INSERT INTO epoch (epoch) VALUES ('')"),
    (.service, "UPDATE registry SET name = 'X'"),
    // History is kept.
    (.service, "DELETE FROM ground"),
    (.service, "UPDATE ground SET code = 'lost'"),
    (.service, "UPDATE ground SET started_at = now()"),
    (.service, "UPDATE ground SET recorded_by = 'another'"),
    (.service, "DELETE FROM release"),
    (.service, "UPDATE release SET codes = '{stolen}'"),
    (.service, "DELETE FROM trail"),
    (.service, "UPDATE trail SET actor = 'another'"),
    (.service, "DELETE FROM trail_payload"),
    (.service, "UPDATE trail_payload SET payload = ''"),
    (.service, "DELETE FROM import"),
    (.service, "UPDATE import SET rows_kept = 0"),
    (.service, "UPDATE tac_allocation SET model = ''"),
    (.service, "DELETE FROM tac_allocation"),
    (.service, "UPDATE operator_policy SET mode = 'white'"),
    (.service, "UPDATE api_token SET role = 'administrator'"),
    (.service, "UPDATE api_token SET token_hash = token_hash"),
    (.service, "DELETE FROM api_token"),
    (.service, "UPDATE node SET operator_id = 1"),
    (.service, "DELETE FROM certificate"),
    (.service, "UPDATE certificate SET not_after = now()"),
    (.service, "UPDATE exchange_parameters SET style = 'push'"),
    (.service, "DELETE FROM exchange_parameters"),
    (.service, "UPDATE exchange_confirmation SET confirmed_by = ''"),
    (.service, "DELETE FROM exchange_message"),
    (.service, "UPDATE exchange_message SET hash = ''"),
    (.service, "DELETE FROM exchange_query"),
    (.service, "DELETE FROM operator_request"),
    (.service, "UPDATE operator_request SET imei = 0"),
    (.service, "UPDATE operator_request SET imsi = 0"),
    (.service, "DELETE FROM sighting_live"),
    (.service, "UPDATE sighting_live SET imsi = 0"),
    (.service, "DELETE FROM mass_approval"),
    (.service, "UPDATE mass_mark SET up_to_position = 0"),
    (.service, "UPDATE replication SET sha256 = ''"),
    (.service, "DELETE FROM inbound_file"),
    (.service, "UPDATE inbound_file SET taken = 0"),
    (.service, "DELETE FROM device_imei"),
    (.service, "UPDATE device_imei SET imei = 0"),
    (.service, "TRUNCATE journal"),
    (.service, "CREATE TABLE ceir.mine (x integer)"),
    (.service, "UPDATE migration SET name = ''"),
    // The publisher reads grounds, and no secret at all.
    (.publisher, "INSERT INTO ground (code) VALUES ('stolen')"),
    (.publisher, "UPDATE ground SET ended_at = now()"),
    (.publisher, "DELETE FROM ground"),
    (.publisher, "INSERT INTO release (codes) VALUES ('{stolen}')"),
    (.publisher, "UPDATE release SET ended_at = now()"),
    (.publisher, "INSERT INTO dirty (scope) VALUES (0)"),
    (.publisher, "UPDATE journal SET status = 0"),
    (.publisher, "DELETE FROM journal"),
    (.publisher, "UPDATE journal_batch SET as_of = now()"),
    (.publisher, "DELETE FROM journal_digest"),
    (.publisher, "UPDATE list_entry SET scope = 0"),
    (.publisher, "UPDATE epoch SET reason = ''"),
    (.publisher, "SELECT * FROM api_token"),
    (.publisher, "SELECT * FROM node"),
    (.publisher, "SELECT * FROM sighting_live"),
    (.publisher, "SELECT * FROM operator_request"),
    (.publisher, "SELECT trim_journal(90, 1000, 1000)"),
    (.publisher, "SELECT erase_messages(1)"),
    (.publisher, "SELECT erase_sightings(1, 1)"),
    (.publisher, "SELECT * FROM trail_payload"),
    (.publisher, "INSERT INTO trail (actor) VALUES ('another')"),
    (.publisher, "CREATE TABLE ceir.mine (x integer)"),
  ]

  @Test func `no role does what is another's`() async throws {
    try await withRegistry { registry in
      for (role, statement) in Self.forbidden {
        let pool = role == .service ? registry.service : registry.publisher
        let error = await #expect(throws: PostgreSQLError.self, "\(role): \(statement)") {
          try await pool.transaction { try await $0.script(statement) }
        }
        #expect(error?.sqlState == Self.insufficientPrivilege, "\(role): \(statement)")
      }
    }
  }

  @Test func `a role of no process sees nothing`() async throws {
    try await withRegistry { registry in
      let error = await #expect(throws: PostgreSQLError.self) {
        try await registry.owner.transaction { connection in
          try await connection.script("CREATE ROLE stranger; SET LOCAL ROLE stranger")
          try await connection.query("SELECT count(*) FROM ceir.registry")
        }
      }
      #expect(error?.sqlState == Self.insufficientPrivilege)
    }
  }

  /// What cannot be a subject would stop the publisher at every attempt.
  @Test(
    arguments: [
      (0, 1, 0), (5, 1, 0), (1, -1, 0), (1, 100_000_000_000_000, 0), (1, 1, 1), (2, 2, 1),
      (2, 1, 100_000_000_000_000), (3, 100_000_000, 0), (3, 1, 1), (4, 1, 0),
      (4, 1, 4_000_000_000_001_234), (4, 1, 5_000_000_000_100_000), (4, 1, 16_000_000_000_000_000),
    ] as [(Int16, Int64, Int64)])
  func `what is no subject cannot be marked`(kind: Int16, key1: Int64, key2: Int64) async throws {
    try await withRegistry { registry in
      let error = await #expect(throws: PostgreSQLError.self) {
        try await registry.service.withConnection {
          try await $0.query(
            """
            INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
            VALUES ($1, $2, $3, 0, 2)
            """, kind, key1, key2)
        }
      }
      #expect(error?.sqlState == "23514")
    }
  }
}
