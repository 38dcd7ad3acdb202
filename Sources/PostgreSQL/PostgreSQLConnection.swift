internal import Synchronization

/// A connection of a pool, for the length of one closure. Calls on it run one after the other.
/// Used after its closure has returned, it throws `.misuse`.
package struct PostgreSQLConnection: Sendable {
  let session: Session
  let lease: Lease

  /// Runs one statement; `$1` and so on stand for the parameters.
  @discardableResult
  package func query(
    _ sql: String, _ parameters: any PostgreSQLParameter...
  ) async throws(PostgreSQLError) -> PostgreSQLRows {
    try await query(PostgreSQLStatement(sql, parameters: parameters))
  }

  @discardableResult
  package func query(
    _ statement: PostgreSQLStatement
  ) async throws(PostgreSQLError) -> PostgreSQLRows {
    let encoded = try statement.encoded()
    return try await run { wire throws(PostgreSQLError) in
      PostgreSQLRows(result: try wire.query(encoded))
    }
  }

  /// Runs one statement; returns how many rows it changed.
  @discardableResult
  package func execute(
    _ sql: String, _ parameters: any PostgreSQLParameter...
  ) async throws(PostgreSQLError) -> Int {
    try await query(PostgreSQLStatement(sql, parameters: parameters)).affectedCount
  }

  /// Runs several statements separated by semicolons, in one transaction unless they say
  /// otherwise. For migrations and set-up: no parameters, no rows.
  package func script(_ sql: String) async throws(PostgreSQLError) {
    try await run { wire throws(PostgreSQLError) in _ = try wire.script(sql) }
  }

  /// Runs several statements in one round trip and, outside a transaction, as one transaction.
  /// Throws the first error; the statements after it were not run.
  package func batch(
    _ statements: [PostgreSQLStatement]
  ) async throws(PostgreSQLError) -> [PostgreSQLRows] {
    var encoded: [EncodedStatement] = []
    for statement in statements { encoded.append(try statement.encoded()) }
    let all = encoded
    return try await run { wire throws(PostgreSQLError) in
      try wire.batch(all).map(PostgreSQLRows.init(result:))
    }
  }

  func run<Value: Sendable>(
    cancellable: Bool = true,
    _ body: @escaping @Sendable (Wire) throws(PostgreSQLError) -> Value
  ) async throws(PostgreSQLError) -> Value {
    guard lease.isCurrent else {
      throw .misuse("A database connection was used after its closure had ended")
    }
    return try await session.run(cancellable: cancellable, body)
  }
}

/// Ends with the closure that a connection was lent to.
final class Lease: Sendable {
  private let ended = Atomic(false)
  var isCurrent: Bool { !ended.load(ordering: .acquiring) }
  func end() { ended.store(true, ordering: .releasing) }
}
