package import DeviceLists
import PostgreSQL

/// One version of the parameters of an operator or of one of its nodes.
package struct ParameterRecord: Sendable, Hashable {
  package let version: Int
  /// Nil: of every node of the operator.
  package let node: String?
  package let style: DeliveryStyle
  /// A position; with the style files, the number of a replication.
  package let effectiveAfter: Int64
  /// JSON, as it is sent.
  package let document: String
  package let proposedAt: Instant
  package let proposedBy: String
  /// By the node, or by an administrator for all of them.
  package let confirmedAt: Instant?
  package let confirmedBy: String?
  package let isInForce: Bool
}

/// What a node is told: the set in force, and a newer one that was proposed. Without a set in force
/// a node follows.
package struct NodeParameters: Sendable, Hashable {
  package let inForce: ParameterRecord?
  package let proposed: ParameterRecord?
}

/// How one node is served, and where it says that it stands.
package struct NodePlan: Sendable {
  package let node: NodeIdentity
  package let parameters: NodeParameters
  package let standing: NodeReport.Standing?
  package let seenAt: Instant?

  package var style: DeliveryStyle { parameters.inForce?.style ?? .follow }
}

extension RegistryTransaction {
  /// The channel on which new and confirmed parameters are announced. A hint only.
  package static let parametersChannel = "ceir_parameters"

  /// Proposes a set to every node of the operator, or to one. `document` gives the JSON that is
  /// sent once the version is known. Returns the version.
  package func proposeParameters(
    for code: OperatorCode, node name: NodeName? = nil, style: DeliveryStyle,
    effectiveAfter: Int64, by actor: String, document: (_ version: Int) throws -> String
  ) async throws -> Int {
    guard effectiveAfter >= 0 else {
      throw StoreError(.unfit, "Parameters become effective after 0 or a later number.")
    }
    let number = try await operatorNumber(code)
    try await lockOperator(number)
    let node = try await numberOfNode(name, of: code)
    let version = try await connection.query(Self.nextParameters, number.number).only().int(0)
    try await connection.query(
      Self.insertParameters, number.number, version, node, style.rawValue, effectiveAfter,
      try document(version), actor)
    try await announceParameters(code)
    return version
  }

  /// The node agrees to the version that was proposed to it last. Throws
  /// ``StoreError/Code/otherParameters`` for any other.
  package func confirmParameters(_ version: Int, of node: NodeIdentity) async throws {
    try await lockOperator(node.operatorNumber)
    let newest = try await connection.query(
      Self.newestParameters, node.operatorNumber.number, node.number
    ).only().optionalInt(0)
    guard newest == version else { throw Self.otherParameters(newest) }
    try await connection.query(
      Self.insertConfirmation, node.operatorNumber.number, version, node.number, node.name)
    try await announceParameters(node.operatorCode)
  }

  /// An administrator agrees for nodes that cannot: those that are served by files.
  package func confirmParameters(
    _ version: Int, of code: OperatorCode, by actor: String
  ) async throws {
    let number = try await operatorNumber(code)
    try await lockOperator(number)
    let known = try await connection.query(Self.parametersExist, number.number, version)
      .only().bool(0)
    guard known else { throw Self.otherParameters(nil) }
    try await connection.query(
      Self.insertConfirmation, number.number, version, 0, actor)
    try await announceParameters(code)
  }

  /// Versions of an operator, the newest first; each with its first confirmation.
  package func parameters(of code: OperatorCode) async throws -> [ParameterRecord] {
    let number = try await number(of: .only(code))
    return try await connection.query(Self.parameterRows, number).map { try $0.parameters() }
  }

  package func parameters(of node: NodeIdentity) async throws -> NodeParameters {
    let rows = try await connection.query(Self.parametersOfNodes, node.number)
    return try Self.plans(rows).first?.parameters ?? NodeParameters(inForce: nil, proposed: nil)
  }

  /// How each node in force is served.
  package func nodePlans() async throws -> [NodePlan] {
    try Self.plans(await connection.query(Self.parametersOfNodes, Int32?.none))
  }

  /// What the operator's files are written by; nil where it has no such parameters in force.
  package func fileParameters(of code: OperatorCode) async throws -> ParameterRecord? {
    try await parameters(of: code).first { $0.isInForce && $0.style == .files }
  }

  /// The same of every operator that is served by files, if only by those of one node.
  package func fileParameters() async throws -> [(
    code: OperatorCode, number: ScopeNumber, parameters: ParameterRecord
  )] {
    let directory = try await operators()
    var found: [(code: OperatorCode, number: ScopeNumber, parameters: ParameterRecord)] = []
    for code in directory.all {
      guard let number = directory.number(.only(code)),
        let parameters = try await fileParameters(of: code)
      else { continue }
      found.append((code, number, parameters))
    }
    return found
  }

  private func numberOfNode(_ name: NodeName?, of code: OperatorCode) async throws -> Int32 {
    guard let name else { return 0 }
    guard let node = try await node(operator: code, name: name) else {
      throw Self.unknownNode(name, of: code)
    }
    return node.number
  }

  private func announceParameters(_ code: OperatorCode) async throws {
    try await connection.query(
      "SELECT pg_notify($1, $2)", Self.parametersChannel, code.description)
  }

  private static func otherParameters(_ newest: Int?) -> StoreError {
    StoreError(
      .otherParameters,
      newest.map { "The parameters that were proposed last have version \($0)." }
        ?? "No such parameters were proposed.")
  }
}

extension RegistryTransaction {
  /// Rows of ``parametersOfNodes``: one or two of each node, the set in force and a newer one.
  private static func plans(_ rows: PostgreSQLRows) throws -> [NodePlan] {
    var plans: [NodePlan] = []
    for row in rows {
      let node = try row.nodeIdentity()
      var (inForce, proposed): (ParameterRecord?, ParameterRecord?)
      if plans.last?.node == node, let last = plans.popLast() {
        (inForce, proposed) = (last.parameters.inForce, last.parameters.proposed)
      }
      if try !row.isNull("version") {
        let record = try row.parameters()
        if record.isInForce { inForce = record } else { proposed = record }
      }
      plans.append(
        NodePlan(
          node: node, parameters: NodeParameters(inForce: inForce, proposed: proposed),
          standing: try row.standing(), seenAt: try row.optionalInstant("seen_at")))
    }
    return plans
  }
}

extension PostgreSQLRow {
  fileprivate func parameters() throws -> ParameterRecord {
    guard let style = DeliveryStyle(rawValue: try string("style")) else {
      throw StoreError(.corrupt, "The database holds parameters of a style that is none.")
    }
    return ParameterRecord(
      version: try int("version"), node: try optionalString("of_node"), style: style,
      effectiveAfter: try int64("effective_after"), document: try string("document"),
      proposedAt: try instant("proposed_at"), proposedBy: try string("proposed_by"),
      confirmedAt: try optionalInstant("confirmed_at"),
      confirmedBy: try optionalString("confirmed_by"), isInForce: try bool("is_in_force"))
  }

  fileprivate func standing() throws -> NodeReport.Standing? {
    guard let epoch = try optionalString("epoch").flatMap({ Epoch($0) }),
      let position = try optionalInt64("position")
    else { return nil }
    return NodeReport.Standing(
      epoch: epoch, position: Position(UInt64(position)),
      digest: try isNull("digest") ? nil : digest("digest"))
  }
}

extension RegistryTransaction {
  /// Served by the primary key of exchange_parameters.
  private static let nextParameters = """
    SELECT COALESCE(max(version), 0) + 1 FROM exchange_parameters WHERE operator_id = $1
    """

  private static let insertParameters = """
    INSERT INTO exchange_parameters (operator_id, version, node_id, style, effective_after,
                                     document, proposed_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    """

  /// Served by the primary key of exchange_parameters.
  private static let newestParameters = """
    SELECT max(version)
      FROM exchange_parameters
     WHERE operator_id = $1
       AND node_id IN (0, $2)
    """

  private static let parametersExist = """
    SELECT EXISTS (SELECT FROM exchange_parameters WHERE operator_id = $1 AND version = $2)
    """

  private static let insertConfirmation = """
    INSERT INTO exchange_confirmation (operator_id, version, node_id, confirmed_by)
    VALUES ($1, $2, $3, $4)
        ON CONFLICT (operator_id, version, node_id) DO NOTHING
    """

  /// Each node in force, or 0 for an operator that has none, with the version that was proposed to
  /// it last and the newest that is confirmed and effective: its list has reached the position or,
  /// with files, the replication has been written. Served by the primary keys.
  private static let versionsInForce = """
    WITH target AS (
      SELECT n.operator_id, n.node_id, COALESCE(r.position, 0) AS position
        FROM node n
        LEFT JOIN node_report r USING (node_id)
       WHERE n.revoked_at IS NULL
      UNION ALL
      SELECT o.operator_id, 0, 0
        FROM operator o
       WHERE NOT EXISTS (SELECT FROM node n
                          WHERE n.operator_id = o.operator_id AND n.revoked_at IS NULL)
    ), version_of AS (
      SELECT t.operator_id, t.node_id, max(p.version) AS newest,
             max(p.version) FILTER (
               WHERE p.effective_after <= CASE WHEN p.style = 'files' THEN x.number
                                               ELSE t.position END
                 AND EXISTS (SELECT FROM exchange_confirmation c
                              WHERE c.operator_id = p.operator_id
                                AND c.version = p.version
                                AND c.node_id IN (0, t.node_id))) AS in_force
        FROM target t
       CROSS JOIN LATERAL (
               SELECT COALESCE(max(number), 0) AS number
                 FROM replication
                WHERE replication.operator_id = t.operator_id) x
        LEFT JOIN exchange_parameters p
               ON p.operator_id = t.operator_id AND p.node_id IN (0, t.node_id)
       GROUP BY t.operator_id, t.node_id
    )

    """

  private static let parameterRows =
    versionsInForce + """
      SELECT p.version, n.name AS of_node, p.style, p.effective_after, p.document, p.proposed_at,
             p.proposed_by, c.confirmed_at, c.confirmed_by,
             EXISTS (SELECT FROM version_of v
                      WHERE v.operator_id = p.operator_id
                        AND v.in_force = p.version) AS is_in_force
        FROM exchange_parameters p
        LEFT JOIN node n USING (node_id)
        LEFT JOIN LATERAL (
               SELECT confirmed_at, confirmed_by
                 FROM exchange_confirmation
                WHERE exchange_confirmation.operator_id = p.operator_id
                  AND exchange_confirmation.version = p.version
                ORDER BY confirmed_at, exchange_confirmation.node_id
                LIMIT 1) c ON true
       WHERE p.operator_id = $1
       ORDER BY p.version DESC
      """

  private static let parametersOfNodes =
    versionsInForce + """
      SELECT n.node_id, n.name, n.operator_id, o.code, r.epoch, r.position, r.digest, r.seen_at,
             p.version, own.name AS of_node, p.style, p.effective_after, p.document,
             p.proposed_at, p.proposed_by, c.confirmed_at, c.confirmed_by,
             COALESCE(p.version = v.in_force, false) AS is_in_force
        FROM version_of v
        JOIN node n USING (node_id)
        JOIN operator o ON o.operator_id = v.operator_id
        LEFT JOIN node_report r USING (node_id)
        LEFT JOIN exchange_parameters p
               ON p.operator_id = v.operator_id AND p.version IN (v.in_force, v.newest)
        LEFT JOIN node own ON own.node_id = p.node_id
        LEFT JOIN LATERAL (
               SELECT confirmed_at, confirmed_by
                 FROM exchange_confirmation
                WHERE exchange_confirmation.operator_id = p.operator_id
                  AND exchange_confirmation.version = p.version
                  AND exchange_confirmation.node_id IN (0, v.node_id)
                ORDER BY confirmed_at, exchange_confirmation.node_id
                LIMIT 1) c ON true
       WHERE o.retired_at IS NULL
         AND ($1::integer IS NULL OR n.node_id = $1)
       ORDER BY n.node_id, p.version
      """
}
