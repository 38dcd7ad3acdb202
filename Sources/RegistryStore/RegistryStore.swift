package import PostgreSQL

/// Every SQL statement of the registry. Hands out domain values; each call is one transaction.
package struct RegistryStore: Sendable {
  /// Taken by each connection with SET ROLE: a process has only its verbs.
  package enum Role: String, Sendable, CaseIterable {
    case service = "ceir_service"
    case publisher = "ceir_publisher"
  }

  package static let searchPath = "SET search_path = ceir, pg_temp"

  package let pool: PostgreSQLPool

  package init(pool: PostgreSQLPool) { self.pool = pool }

  /// How long a statement may take that brings in a whole list.
  static let longStatement = Duration.seconds(900)

  /// `isLong`: for what takes in millions of lines.
  @discardableResult
  package nonisolated(nonsending) func write<Value: Sendable>(
    isLong: Bool = false, _ body: (RegistryTransaction) async throws -> Value
  ) async throws -> Value {
    try await pool.transaction(statementTimeout: isLong ? Self.longStatement : nil) {
      connection in
      try await body(RegistryTransaction(connection: connection))
    }
  }

  /// All statements see one state of the database.
  package nonisolated(nonsending) func read<Value: Sendable>(
    _ body: (RegistryTransaction) async throws -> Value
  ) async throws -> Value {
    try await pool.transaction(isolation: .repeatableRead, readOnly: true) { connection in
      try await body(RegistryTransaction(connection: connection))
    }
  }
}

/// The statements of the registry inside one transaction.
package struct RegistryTransaction: Sendable {
  let connection: PostgreSQLConnection

  package init(connection: PostgreSQLConnection) { self.connection = connection }
}
