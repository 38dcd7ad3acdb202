package enum PostgreSQLIsolation: String, Sendable {
  case readCommitted = "READ COMMITTED"
  case repeatableRead = "REPEATABLE READ"
  case serializable = "SERIALIZABLE"
}

extension PostgreSQLConnection {
  /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
  ///
  /// `statementTimeout` replaces the configured limit inside this transaction; `.zero` is none.
  /// Throws what `body` throws, or a `PostgreSQLError`: `.commitUnknown` if COMMIT was sent but
  /// never answered, `.transactionAborted` if `body` swallowed the error of a statement.
  @discardableResult
  package nonisolated(nonsending) func transaction<Value>(
    isolation: PostgreSQLIsolation = .readCommitted, readOnly: Bool = false,
    statementTimeout: Duration? = nil,
    _ body: (PostgreSQLConnection) async throws -> Value
  ) async throws -> Value {
    try await begin(isolation, readOnly, statementTimeout)
    do {
      let value = try await body(self)
      try await commit()
      return value
    } catch {
      try await rollBack(after: error)
      throw error
    }
  }

  private nonisolated(nonsending) func begin(
    _ isolation: PostgreSQLIsolation, _ readOnly: Bool, _ statementTimeout: Duration?
  ) async throws(PostgreSQLError) {
    var sql = "BEGIN ISOLATION LEVEL \(isolation.rawValue) \(readOnly ? "READ ONLY" : "READ WRITE")"
    if let statementTimeout {
      sql += "; SET LOCAL statement_timeout = \(statementTimeout.wholeMilliseconds)"
    }
    let script = sql
    try await run { wire throws(PostgreSQLError) in try wire.begin(script, statementTimeout) }
  }

  private nonisolated(nonsending) func commit() async throws(PostgreSQLError) {
    try await run(cancellable: false) { wire throws(PostgreSQLError) in try wire.commit() }
  }

  /// A lost connection has rolled back by itself; so has a failed COMMIT.
  private nonisolated(nonsending) func rollBack(
    after error: any Error
  ) async throws(PostgreSQLError) {
    guard session.health != .unusable else { return }
    try await run(cancellable: false) { wire throws(PostgreSQLError) in try wire.rollBack() }
  }
}
