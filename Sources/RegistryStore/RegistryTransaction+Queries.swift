import PostgreSQL

/// A query that waits for its answer.
package struct PendingQuery: Sendable {
  /// 32 hexadecimal digits.
  package let query: String
  package let node: NodeIdentity
  /// As the node has sent it: personal data.
  package let request: [UInt8]
}

/// How far a query has come.
package enum QueryState: Sendable, Hashable {
  case pending
  case answered([UInt8])
  /// It has no answer and will have none: a code of `Schema/exchange/codes.md`.
  case refused(code: Int)
}

extension RegistryTransaction {
  /// The channel on which a new query is announced. A hint only.
  package static let queryChannel = "ceir_query"
  /// Queries of one node that may wait at once.
  package static let mostWaitingQueries = 100

  /// Keeps a query until it is answered, and its answer for 24 hours from now; returns its name.
  package func insertQuery(_ request: [UInt8], of node: NodeIdentity) async throws -> String {
    let waiting = try await connection.query(Self.waitingQueries, node.number).only().int(0)
    guard waiting < Self.mostWaitingQueries else {
      throw StoreError(
        .queriesWaiting, "\(Self.mostWaitingQueries) queries of this node wait already.")
    }
    let query = try await connection.query(
      Self.insertQuery, node.number, PostgreSQLBytes(request)
    ).only().string("query")
    try await connection.query("SELECT pg_notify($1, '')", Self.queryChannel)
    return query
  }

  /// The oldest of a node in force that nobody else is answering; it is this transaction's until
  /// its end. Nil where there is none.
  package func claimQuery() async throws -> PendingQuery? {
    guard let row = try await connection.query(Self.claimQuery).first else { return nil }
    return PendingQuery(
      query: try row.string("query"), node: try row.nodeIdentity(),
      request: try row.bytes("request"))
  }

  /// Keeps the answer; the request, which names subscribers, is erased.
  package func answer(_ query: PendingQuery, with answer: [UInt8]) async throws {
    try await connection.query(Self.answerQuery, query.query, PostgreSQLBytes(answer))
  }

  /// Ends a query that cannot be answered; its request is erased.
  package func refuse(_ query: PendingQuery, code: Int) async throws {
    try await connection.query(Self.refuseQuery, query.query, code)
  }

  /// Ends the queries of nodes that are no longer in force: nobody may ask for their answers.
  /// Returns how many there were.
  @discardableResult
  package func refuseQueriesOfFormerNodes(code: Int) async throws -> Int {
    try await connection.query(Self.refuseQueriesOfFormerNodes, code).count
  }

  /// Nil for a query that is unknown, another's, or older than 24 hours.
  package func query(_ name: String, of node: NodeIdentity) async throws -> QueryState? {
    guard let row = try await connection.query(Self.queryOfNode, name, node.number).first else {
      return nil
    }
    if let code = try row.optionalInt("code") { return .refused(code: code) }
    return try row.optionalBytes("answer").map(QueryState.answered) ?? .pending
  }
}

extension RegistryTransaction {
  /// Served by exchange_query_pending.
  private static let waitingQueries = """
    SELECT count(*)
      FROM exchange_query
     WHERE answered_at IS NULL
       AND node_id = $1
       AND received_at > now() - interval '24 hours'
    """

  private static let insertQuery = """
    INSERT INTO exchange_query (node_id, request) VALUES ($1, $2) RETURNING query
    """

  /// Served by exchange_query_pending.
  private static let claimQuery = """
    SELECT q.query, q.request, n.node_id, n.name, n.operator_id, o.code
      FROM exchange_query q
      JOIN node n USING (node_id)
      JOIN operator o USING (operator_id)
     WHERE q.answered_at IS NULL
       AND q.received_at > now() - interval '24 hours'
       AND n.revoked_at IS NULL
       AND o.retired_at IS NULL
     ORDER BY q.received_at
     LIMIT 1
       FOR UPDATE OF q SKIP LOCKED
    """

  /// Served by the primary key (query).
  private static let answerQuery = """
    UPDATE exchange_query
       SET request = NULL, answer = $2, answered_at = now()
     WHERE query = $1
    """

  /// Served by the primary key (query).
  private static let refuseQuery = """
    UPDATE exchange_query
       SET request = NULL, code = $2, answered_at = now()
     WHERE query = $1
    """

  /// Served by exchange_query_pending.
  private static let refuseQueriesOfFormerNodes = """
    UPDATE exchange_query q
       SET request = NULL, code = $1, answered_at = now()
      FROM node n
      JOIN operator o USING (operator_id)
     WHERE q.answered_at IS NULL
       AND n.node_id = q.node_id
       AND (n.revoked_at IS NOT NULL OR o.retired_at IS NOT NULL)
    RETURNING q.query
    """

  /// Served by the primary key (query).
  private static let queryOfNode = """
    SELECT answer, code
      FROM exchange_query
     WHERE query = $1
       AND node_id = $2
       AND received_at > now() - interval '24 hours'
    """
}
