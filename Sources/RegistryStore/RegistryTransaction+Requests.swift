import DeviceIdentity
package import DeviceLists
import PostgreSQL

extension RegistryTransaction {
  /// What the grounds are recorded as that an operator asks for: it ends only its own.
  package static func source(of code: OperatorCode) -> String { "operator:\(code)" }
  static func ownListSource(of code: OperatorCode) -> String { "operator:\(code):list" }

  /// Takes a request under the operator's policy: accepted at once, with its ground, or kept for
  /// review. What could have no effect is refused with the reason.
  ///
  /// Throws ``StoreError/Code/policyForbids`` where the policy takes none, and
  /// ``StoreError/Code/dailyLimit(retryAfterSeconds:)`` after the last of the day.
  package func submit(
    _ request: NewDeviceRequest, of node: NodeIdentity
  ) async throws -> RecordedRequest {
    try await lockOperator(node.operatorNumber)
    let policy = try await policy(of: node.operatorNumber)
    let rule = request.kind == .block ? policy.blockRequests : policy.unblockRequests
    guard rule != .refused else {
      throw StoreError(
        .policyForbids, "The operator's policy takes no requests to \(request.kind.rawValue).")
    }
    try await requireRoom(policy.dailyLimit, of: node.operatorNumber)
    let subscriber = try await subscriber(request.imsi, of: node)
    let name = try await connection.query(
      Self.insertRequest, node.operatorNumber.number, node.number, request.kind.rawValue,
      Int64(request.imei.number), Int64(request.imsi?.packed ?? 0), subscriber.rawValue,
      request.reason, request.caseReference
    ).only().string("request")
    let pending = try await requiredRequest(name)
    guard rule == .accepted, subscriber == .own else { return pending }
    let actor = "node:\(node.operatorCode)/\(node.name)"
    do {
      return try await carryOut(pending, by: actor)
    } catch let error as StoreError where [.releaseStands, .notBlocked].contains(error.code) {
      return try await refuse(pending, because: error.description, by: actor)
    }
  }

  /// A person accepts a request that is pending. Throws ``StoreError/Code/decidedAlready``, and
  /// what ``block(_:with:by:)`` and ``unblock(_:source:reason:by:)`` throw where it could have no
  /// effect.
  package func acceptRequest(_ name: String, by actor: String) async throws -> RecordedRequest {
    try await carryOut(try await pendingRequest(name), by: actor)
  }

  /// `reason` is for the operator to read.
  package func refuseRequest(
    _ name: String, reason: String, by actor: String
  ) async throws -> RecordedRequest {
    try await refuse(try await pendingRequest(name), because: reason, by: actor)
  }

  /// Nil for one that is unknown or of another operator. Notes which requests have been published:
  /// in a transaction of ``RegistryStore/write(_:)``.
  package func request(
    _ name: String, of number: ScopeNumber? = nil
  ) async throws -> RecordedRequest? {
    try await connection.execute(Self.notePublished)
    return try await connection.query(Self.requestOfName, name, number?.number).first?
      .deviceRequest()
  }

  /// The oldest first, those that came after `cursor`; see ``request(_:of:)``.
  ///
  /// Throws ``StoreError/Code/unknownCursor`` for one that is unknown or of another operator.
  package func requests(
    of number: ScopeNumber? = nil, state: RecordedRequest.State? = nil, after cursor: String? = nil,
    limit: Int
  ) async throws -> [RecordedRequest] {
    if let cursor, try await connection.query(Self.requestOfName, cursor, number?.number).isEmpty {
      throw StoreError(.unknownCursor, "There is no such request to go on after.")
    }
    try await connection.execute(Self.notePublished)
    let rows =
      if let number {
        try await connection.query(
          Self.requestsOfOperator, state?.rawValue, cursor, limit, number.number)
      } else {
        try await connection.query(Self.allRequests, state?.rawValue, cursor, limit)
      }
    return try rows.map { try $0.deviceRequest() }
  }

  private func requiredRequest(_ name: String) async throws -> RecordedRequest {
    guard let request = try await request(name) else {
      throw StoreError(.unknownRequest, "There is no request \(name): see `ceir request list`.")
    }
    return request
  }

  /// Alone with the operator's requests from here on.
  private func pendingRequest(_ name: String) async throws -> RecordedRequest {
    let found = try await requiredRequest(name)
    try await lockOperator(try await operatorNumber(found.operatorCode))
    let request = try await requiredRequest(name)
    guard request.state == .pending else {
      throw StoreError(
        .decidedAlready,
        "The request was \(request.state == .refused ? "refused" : "accepted") already, by "
          + "\(request.decidedBy ?? "nobody").")
    }
    return request
  }

  private func requireRoom(_ limit: Int, of number: ScopeNumber) async throws {
    let today = try await connection.query(Self.requestsToday, number.number).only()
    guard try today.int("count") >= limit else { return }
    throw StoreError(
      .dailyLimit(retryAfterSeconds: max(1, try today.int("seconds_left"))),
      "The operator's policy allows \(limit) requests in a day.")
  }

  private func subscriber(
    _ imsi: IMSI?, of node: NodeIdentity
  ) async throws -> RecordedRequest.Subscriber {
    guard let imsi else { return .none }
    return try await scope(of: imsi) == node.operatorNumber.number ? .own : .other
  }

  private func carryOut(
    _ request: RecordedRequest, by actor: String
  ) async throws -> RecordedRequest {
    let source = Self.source(of: request.operatorCode)
    var marks: [Int64] = []
    switch request.kind {
    case .block:
      let ground = NewGround(
        on: .imei(request.imei), scope: .only(request.operatorCode), code: .operatorRequest,
        source: source, caseReference: request.caseReference, reason: request.reason)
      do {
        marks = try await block(request.imei, with: ground, by: actor).marks
      } catch let error as StoreError where error.code == .alreadyBlocked {
        marks = []  // What is asked for is so already.
      }
    case .unblock:
      marks = try await unblock(
        request.imei, source: source, reason: request.reason, by: actor
      ).marks
    }
    try await connection.query(Self.noteAccepted, request.request, marks, actor)
    return try await requiredRequest(request.request)
  }

  private func refuse(
    _ request: RecordedRequest, because reason: String, by actor: String
  ) async throws -> RecordedRequest {
    try await connection.query(Self.noteRefused, request.request, reason, actor)
    return try await requiredRequest(request.request)
  }
}

extension PostgreSQLRow {
  fileprivate func deviceRequest() throws -> RecordedRequest {
    guard let kind = NewDeviceRequest.Kind(rawValue: try string("kind")),
      let subscriber = RecordedRequest.Subscriber(rawValue: try string("subscriber")),
      let state = RecordedRequest.State(rawValue: try string("shown_state")),
      let imei = IMEI(number: UInt64(try int64("imei")))
    else { throw StoreError(.corrupt, "The database holds a request that cannot be one.") }
    return RecordedRequest(
      request: try string("request"), operatorCode: try operatorCode(), node: try string("node"),
      kind: kind, imei: imei, subscriber: subscriber, reason: try string("reason"),
      caseReference: try string("case_reference"), state: state,
      position: try optionalInt64("position").map { Position(UInt64($0)) },
      receivedAt: try instant("received_at"), decidedAt: try optionalInstant("decided_at"),
      decidedBy: try optionalString("decided_by"), refusal: try optionalString("refusal"))
  }
}

extension RegistryTransaction {
  private static let insertRequest = """
    INSERT INTO operator_request (operator_id, node_id, kind, imei, imsi, subscriber, reason,
                                  case_reference, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending')
    RETURNING request
    """

  /// Since midnight by the registry's calendar. Served by operator_request_received.
  private static let requestsToday = """
    WITH today AS (
      SELECT date_trunc('day', now() AT TIME ZONE time_zone) AT TIME ZONE time_zone AS start,
             (date_trunc('day', now() AT TIME ZONE time_zone) + interval '1 day')
               AT TIME ZONE time_zone AS stop
        FROM registry
    )
    SELECT (SELECT count(*)
              FROM operator_request
             WHERE operator_id = $1
               AND received_at >= today.start) AS count,
           ceil(extract(epoch FROM today.stop - now()))::bigint AS seconds_left
      FROM today
    """

  /// Served by operator_request_request_key.
  private static let noteAccepted = """
    UPDATE operator_request
       SET state = 'accepted', marks = $2, decided_at = now(), decided_by = $3
     WHERE request = $1
    """

  /// Served by operator_request_request_key.
  private static let noteRefused = """
    UPDATE operator_request
       SET state = 'refused', refusal = $2, decided_at = now(), decided_by = $3
     WHERE request = $1
    """

  /// Of what was accepted: where the journal ended when its marks were seen to be gone. Served by
  /// operator_request_accepted and the primary keys of dirty and journal_batch.
  private static let notePublished = """
    UPDATE operator_request r
       SET position = COALESCE((SELECT max(last_position) FROM journal_batch), 0)
     WHERE r.state = 'accepted'
       AND r.position IS NULL
       AND NOT EXISTS (SELECT FROM dirty WHERE dirty_id = ANY (r.marks))
    """

  private static let requestColumns = """
    SELECT r.request, o.code, n.name AS node, r.kind, r.imei, r.subscriber, r.reason,
           r.case_reference,
           CASE WHEN r.position IS NOT NULL THEN 'published' ELSE r.state END AS shown_state,
           r.position, r.received_at, r.decided_at, r.decided_by, r.refusal
      FROM operator_request r
      JOIN operator o USING (operator_id)
      JOIN node n USING (node_id)

    """

  /// Served by operator_request_request_key.
  private static let requestOfName =
    requestColumns + """
       WHERE r.request = $1
         AND ($2::integer IS NULL OR r.operator_id = $2)
      """

  private static let requestPage = """
     WHERE ($1::text IS NULL
            OR CASE $1 WHEN 'published' THEN r.state = 'accepted' AND r.position IS NOT NULL
                       WHEN 'accepted' THEN r.state = 'accepted' AND r.position IS NULL
                       ELSE r.state = $1 END)
       AND r.request_id > COALESCE((SELECT request_id FROM operator_request WHERE request = $2), 0)

    """

  /// Served by the primary key (request_id).
  private static let allRequests =
    requestColumns + requestPage + """
       ORDER BY r.request_id
       LIMIT $3
      """

  /// Served by operator_request_order.
  private static let requestsOfOperator =
    requestColumns + requestPage + """
         AND r.operator_id = $4
       ORDER BY r.request_id
       LIMIT $3
      """
}
