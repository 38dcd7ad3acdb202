internal import CLibPQ

extension Wire {
  /// Sends everything, then one sync, and reads the answers (libpq's pipeline mode).
  func batch(_ statements: [EncodedStatement]) throws(PostgreSQLError) -> [QueryResult] {
    try requireReady(.statements)
    guard PQenterPipelineMode(connection) == 1 else { throw lost() }
    let outcome: Result<[QueryResult], PostgreSQLError>
    do throws(PostgreSQLError) {
      outcome = .success(try pipeline(statements))
    } catch {
      outcome = .failure(error)
    }
    if !isLost, PQexitPipelineMode(connection) == 0 { throw lost() }
    return try outcome.get()
  }

  private func pipeline(_ statements: [EncodedStatement]) throws(PostgreSQLError) -> [QueryResult] {
    for statement in statements { try sent(send(statement)) }
    try sent(PQpipelineSync(connection))
    var results: [QueryResult] = []
    var failure: PostgreSQLError?
    while true {
      // A `nil` parts the answers of two statements.
      guard let pointer = try nextResult() else {
        if PQstatus(connection) != CONNECTION_OK { throw lost() }
        continue
      }
      switch PQresultStatus(pointer) {
      case PGRES_PIPELINE_SYNC:
        PQclear(pointer)
        if let failure { throw failure }
        return results
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
        results.append(QueryResult(pointer))
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        PQclear(pointer)
        lose()
        throw .misuse("COPY cannot be part of a batch")
      case PGRES_PIPELINE_ABORTED:
        PQclear(pointer)
      default:
        if failure == nil { failure = error(of: pointer) }
        PQclear(pointer)
        if let failure, isLost { throw failure.recodedAsLost }
      }
    }
  }
}
