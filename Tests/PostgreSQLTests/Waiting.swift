import PostgreSQL
import Simulation
import Testing

/// Waits until `condition` holds.
func until(_ condition: () async throws -> Bool) async throws {
  try await eventually("the condition", condition)
}

extension TestDatabase {
  /// Waits, over a connection of its own, until such a statement runs in this database.
  func waitForStatement(_ pattern: String) async throws {
    try await withPool { pool in
      try await until {
        try await pool.withConnection { connection in
          try await !connection.query(
            """
            SELECT 1 FROM pg_stat_activity
             WHERE datname = current_database() AND state = 'active'
               AND pid <> pg_backend_pid() AND query LIKE $1
            """, pattern
          ).isEmpty
        }
      }
    }
  }

  /// Ends every other connection to this database, as a restart of the server would.
  func endConnections() async throws {
    try await withPool { pool in
      try await pool.withConnection { connection in
        _ = try await connection.query(
          """
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()
          """)
      }
    }
  }
}

/// What `body` throws, where a macro cannot stand inside another.
func failure(of body: () async throws -> Void) async -> PostgreSQLError? {
  do {
    try await body()
    return nil
  } catch {
    return error as? PostgreSQLError
  }
}
