import PostgreSQL
import Simulation
import Testing

@Suite struct StoppingTests {
  @Test func `a statement that runs too long is stopped`() async throws {
    let database = try await TestCluster.shared.database()
    try await database.withPool(statementTimeout: .milliseconds(100)) { pool in
      try await pool.withConnection { connection in
        let error = await #expect(throws: PostgreSQLError.self) {
          try await connection.query("SELECT pg_sleep(600)")
        }
        #expect(error?.code == .timeout)
        try await connection.query("SELECT 1")
      }
    }
  }

  @Test func `a server that ignores its own limit is stopped by ours`() async throws {
    let database = try await TestCluster.shared.database()
    try await database.withPool(statementTimeout: .milliseconds(100)) { pool in
      try await pool.withConnection { connection in
        try await connection.script("SET statement_timeout = 0")
        let error = await #expect(throws: PostgreSQLError.self) {
          try await connection.query("SELECT pg_sleep(600)")
        }
        #expect(error?.code == .timeout)
        try await connection.query("SELECT 1")
      }
    }
  }

  @Test func `cancelling stops one statement and never the next`() async throws {
    let database = try await TestCluster.shared.database()
    try await database.withPool { pool in
      try await pool.withConnection { connection in
        // Some are cancelled before they are sent, some while they run, some when they are done.
        for round in 0..<200 {
          let task = Task { try await connection.query("SELECT pg_sleep(0.0005)") }
          for _ in 0..<(round % 50) { await Task.yield() }
          task.cancel()
          if case .failure(let error as PostgreSQLError) = await task.result {
            #expect(error.code == .cancelled)
          }
          try await connection.query("SELECT pg_sleep(0)")
        }
      }
    }
  }

  @Test func `a cancelled task sends nothing`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE TABLE t (a int)")
        let task = Task {
          withUnsafeCurrentTask { $0?.cancel() }
          try await connection.query("INSERT INTO t VALUES (1)")
        }
        let error = await #expect(throws: PostgreSQLError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(try await connection.query("SELECT a FROM t").isEmpty)
      }
    }
  }
}
