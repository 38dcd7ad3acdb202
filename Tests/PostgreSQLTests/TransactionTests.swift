import PostgreSQL
import Simulation
import Testing

@Suite struct TransactionTests {
  struct Unlucky: Error {}

  @Test func `a transaction is stored, or after a throw nothing of it`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { try await $0.script("CREATE TABLE t (a int)") }
      let answer = try await pool.transaction { connection in
        try await connection.query("INSERT INTO t VALUES (1)")
        return 42
      }
      #expect(answer == 42)
      await #expect(throws: Unlucky.self) {
        try await pool.transaction { connection in
          try await connection.query("INSERT INTO t VALUES (2)")
          throw Unlucky()
        }
      }
      let rows = try await pool.withConnection { try await $0.query("SELECT a FROM t") }
      #expect(try rows.map { try $0.int32(0) } == [1])
    }
  }

  @Test func `a swallowed error does not pass for a commit`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      let error = await failure(of: {
        try await pool.transaction { connection in
          let swallowed = await failure(of: { _ = try await connection.query("SELECT 1/0") })
          #expect(swallowed?.sqlState == "22012")
        }
      })
      #expect(error?.code == .transactionAborted)
    }
  }

  @Test func `a failing deferred constraint is a definite no`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection {
        try await $0.script("CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
      }
      let error = await #expect(throws: PostgreSQLError.self) {
        try await pool.transaction { connection in
          try await connection.query("INSERT INTO t VALUES (1), (1)")
        }
      }
      #expect(error?.code == .server(sqlState: "23505"))
    }
  }

  @Test func `isolation, reading only and the limit hold inside and end with it`() async throws {
    try await TestCluster.shared.database().withPool(limits: .init(maxConnections: 1)) { pool in
      let inside = try await pool.transaction(
        isolation: .serializable, readOnly: true, statementTimeout: .seconds(77)
      ) { connection in
        try await Self.settings(connection)
      }
      #expect(inside == ["serializable", "on", "77s"])
      let outside = try await pool.withConnection { try await Self.settings($0) }
      #expect(outside == ["read committed", "off", "30s"])
    }
  }

  private static func settings(_ connection: PostgreSQLConnection) async throws -> [String] {
    let row = try await connection.query(
      """
      SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'),
             current_setting('statement_timeout')
      """
    ).only()
    return try (0..<3).map { try row.string(.index($0)) }
  }

  @Test func `two that cannot both be true fail as a serialization failure`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection {
        try await $0.script("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
      }
      let error = await #expect(throws: PostgreSQLError.self) {
        try await pool.transaction(isolation: .repeatableRead) { first in
          try await first.query("SELECT a FROM t")
          try await pool.withConnection { try await $0.query("UPDATE t SET a = 2") }
          try await first.query("UPDATE t SET a = 3")
        }
      }
      #expect(error?.isSerializationFailure == true)
    }
  }

  @Test func `a transaction left open by hand is rolled back before the next use`() async throws {
    try await TestCluster.shared.database().withPool(limits: .init(maxConnections: 1)) { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE TABLE t (a int)")
        try await connection.script("BEGIN; INSERT INTO t VALUES (1)")
      }
      let count = try await pool.withConnection {
        try await $0.query("SELECT count(*) FROM t").only().int64(0)
      }
      #expect(count == 0)
    }
  }

  /// The backend dies inside COMMIT, in a deferred trigger: the server knows that nothing was
  /// stored, but the client cannot.
  @Test func `a commit whose answer never comes is unknown`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script(
          """
          CREATE TABLE t (a int);
          CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
          CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION die();
          """)
      }
      let error = await #expect(throws: PostgreSQLError.self) {
        try await pool.transaction { try await $0.query("INSERT INTO t VALUES (1)") }
      }
      #expect(error?.code == .commitUnknown)
      let count = try await pool.withConnection {
        try await $0.query("SELECT count(*) FROM t").only().int64(0)
      }
      #expect(count == 0)
    }
  }

  @Test func `a cancelled task rolls back and the connection lives on`() async throws {
    let database = try await TestCluster.shared.database()
    try await database.withPool(limits: .init(maxConnections: 1)) { pool in
      try await pool.withConnection { try await $0.script("CREATE TABLE t (a int)") }
      let task = Task {
        try await pool.transaction { connection in
          try await connection.query("INSERT INTO t VALUES (1)")
          try await connection.query("SELECT pg_sleep(600)")
        }
      }
      try await database.waitForStatement("%pg_sleep(600)%")
      task.cancel()
      let error = await #expect(throws: PostgreSQLError.self) { try await task.value }
      #expect(error?.code == .cancelled)
      let rows = try await pool.withConnection { try await $0.query("SELECT a FROM t") }
      #expect(rows.isEmpty)
    }
  }
}
