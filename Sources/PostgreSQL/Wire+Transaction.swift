internal import CLibPQ

extension Wire {
  func begin(_ script: String, _ limit: Duration?) throws(PostgreSQLError) {
    guard transactionStatus == PQTRANS_IDLE else {
      throw isLost ? .connectionLost() : .misuse("A transaction is under way already")
    }
    _ = try self.script(script)
    if let limit { transactionTimeout = .some(limit == .zero ? nil : limit) }
  }

  func commit() throws(PostgreSQLError) {
    try requireReady(.statements)
    defer { transactionTimeout = nil }
    let tag: String
    do throws(PostgreSQLError) {
      tag = try script("COMMIT").commandTag
    } catch {
      throw afterCommit(error)
    }
    guard tag == "COMMIT" else {
      throw PostgreSQLError(
        .transactionAborted, "The transaction was rolled back, since a statement in it had failed")
    }
  }

  /// An error on a connection that lives is a definite no; a broken connection says nothing.
  private func afterCommit(_ error: PostgreSQLError) -> PostgreSQLError {
    // 40003 statement_completion_unknown, 08007 transaction_resolution_unknown.
    let saysUnknown = error.sqlState == "40003" || error.sqlState == "08007"
    guard isLost || saysUnknown || error.code == .timeout else { return error }
    return error.recoded(.commitUnknown, "Whether the transaction was committed is unknown")
  }

  func rollBack() throws(PostgreSQLError) {
    defer { transactionTimeout = nil }
    guard transactionStatus != PQTRANS_IDLE else { return }
    _ = try script("ROLLBACK")
  }
}
