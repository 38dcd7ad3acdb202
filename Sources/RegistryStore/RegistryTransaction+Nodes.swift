package import DeviceLists
import PostgreSQL

extension RegistryTransaction {
  /// A node in force, by the names that its certificate carries.
  package func node(operator code: OperatorCode, name: NodeName) async throws -> NodeIdentity? {
    try await connection.query(Self.nodeByName, code.description, name.description).first?
      .nodeIdentity()
  }

  /// Every node in force.
  package func nodes() async throws -> [NodeIdentity] {
    try await connection.query(Self.allNodes).map { try $0.nodeIdentity() }
  }

  /// The node of that name; it is made where there is none.
  package func addNode(
    named name: NodeName, of code: OperatorCode
  ) async throws -> NodeIdentity {
    let number = try await number(of: .only(code))
    try await connection.query(Self.insertNode, number, name.description)
    guard let node = try await node(operator: code, name: name) else {
      throw StoreError(.unknownOperator, "The operator \(code) has retired.")
    }
    return node
  }

  /// Ends a node: its certificates, its parameters and what is sent to it. What it has done stays
  /// on record, and another node may have its name. Returns the serials that ended; nil where it
  /// had retired before.
  package func retireNode(
    _ name: NodeName, of code: OperatorCode, by actor: String, reason: String
  ) async throws -> [String]? {
    guard let node = try await lockedNode(name, of: code) else {
      let isFormer = try await connection.query(
        Self.formerNodeExists, code.description, name.description
      ).only().bool(0)
      guard isFormer else { throw Self.unknownNode(name, of: code) }
      return nil
    }
    let serials = try await revokeCertificates(of: code, node: name, by: actor, reason: reason)
    try await connection.query(Self.retireNode, node.number)
    try await connection.query("SELECT pg_notify($1, '')", Self.certificateChannel)
    return serials
  }

  static func unknownNode(_ name: NodeName, of code: OperatorCode) -> StoreError {
    StoreError(.unknownNode, "\(code) has no node \(name): see `ceir operator list`.")
  }

  /// Whether the node has not been revoked since it was looked up.
  package func isInForce(_ node: NodeIdentity) async throws -> Bool {
    try await connection.query(Self.nodeInForce, node.number).only().bool(0)
  }

  /// Notes what a node says of itself. Returns what it shows of two machines: at this very moment
  /// noticed, or within the last day.
  @discardableResult
  package func report(of node: NodeIdentity, _ report: NodeReport) async throws -> TwoMachines? {
    // A length of time, not a time: the clock of the database need not be this machine's.
    let age = (ContinuousClock.now - report.cameAt) / .milliseconds(1)
    let row = try await connection.query(
      Self.upsertReport, node.number, report.standing?.epoch.description,
      report.standing?.position.column, report.standing?.digest.map { PostgreSQLBytes($0.bytes) },
      report.held, report.style?.rawValue, report.instance, report.serial,
      TwoMachines.memorySeconds, Int64(age)
    ).only()
    return try row.twoMachines()
  }

  /// Notes where a node says that it stands, and compares its list with the journal.
  package func acknowledge(
    of node: NodeIdentity, epoch: Epoch, position: Position, digest: ListDigest, held: Int
  ) async throws -> ListComparison {
    let standing = NodeReport.Standing(epoch: epoch, position: position, digest: digest)
    try await report(of: node, NodeReport(standing: standing, held: held))
    return try await comparison(of: standing, of: node, at: try await journalHead())
  }

  /// The nodes in force whose list is another than the journal's, by what each said last.
  package func differingNodes() async throws -> Set<NodeIdentity> {
    let head = try await journalHead()
    var differing: Set<NodeIdentity> = []
    for plan in try await nodePlans() {
      guard let standing = plan.standing else { continue }
      let comparison = try await comparison(of: standing, of: plan.node, at: head)
      if comparison == .differs { differing.insert(plan.node) }
    }
    return differing
  }

  /// A node that has not said its digest is not said to differ.
  private func comparison(
    of standing: NodeReport.Standing, of node: NodeIdentity, at head: JournalHead
  ) async throws -> ListComparison {
    guard let digest = standing.digest, standing.epoch == head.epoch,
      standing.position <= head.position
    else { return .elsewhere }
    let expected = try await self.digest(of: node.operatorNumber, at: standing.position)
    return expected == digest ? .agrees : .differs
  }
}

extension PostgreSQLRow {
  func nodeIdentity() throws -> NodeIdentity {
    guard let code = OperatorCode(try string("code")) else {
      throw StoreError(.corrupt, "The database holds an operator's code that cannot be one.")
    }
    return NodeIdentity(
      number: try int32("node_id"), name: try string("name"), operatorCode: code,
      operatorNumber: ScopeNumber(try int32("operator_id")))
  }

  func nodeRecord() throws -> NodeRecord {
    NodeRecord(
      name: try string("name"), epoch: try optionalString("epoch"),
      position: try optionalInt64("position").map { Position(UInt64($0)) },
      digest: try isNull("digest") ? nil : digest("digest"), held: try optionalInt("held"),
      style: try optionalString("style").flatMap(DeliveryStyle.init),
      retiredAt: try optionalInstant("revoked_at"), seenAt: try optionalInstant("seen_at"),
      twoMachines: try twoMachines())
  }

  fileprivate func twoMachines() throws -> TwoMachines? {
    guard let noticed = try optionalInstant("other_instance_at") else { return nil }
    return TwoMachines(
      noticedAt: noticed, shareCertificate: try optionalBool("shares_serial") ?? false)
  }
}

extension RegistryTransaction {
  /// Served by operator_code_key and node_current.
  private static let nodeByName = """
    SELECT n.node_id, n.name, n.operator_id, o.code
      FROM node n
      JOIN operator o USING (operator_id)
     WHERE o.code = $1
       AND n.name = $2
       AND n.revoked_at IS NULL
       AND o.retired_at IS NULL
    """

  private static let allNodes = """
    SELECT n.node_id, n.name, n.operator_id, o.code
      FROM node n
      JOIN operator o USING (operator_id)
     WHERE n.revoked_at IS NULL
       AND o.retired_at IS NULL
     ORDER BY n.node_id
    """

  private static let insertNode = """
    INSERT INTO node (operator_id, name) VALUES ($1, $2)
        ON CONFLICT (operator_id, name) WHERE revoked_at IS NULL DO NOTHING
    """

  /// Served by the primary key of node.
  private static let nodeInForce = """
    SELECT EXISTS (SELECT FROM node WHERE node_id = $1 AND revoked_at IS NULL)
    """

  /// Served by operator_code_key.
  private static let formerNodeExists = """
    SELECT EXISTS (SELECT FROM node n
                     JOIN operator o USING (operator_id)
                    WHERE o.code = $1
                      AND n.name = $2)
    """

  /// Served by the primary key of node.
  private static let retireNode = """
    UPDATE node SET revoked_at = now() WHERE node_id = $1 AND revoked_at IS NULL
    """

  /// Of each node its last report; $2: also of those that have retired. Served by node_current.
  static let nodeRows = """
    SELECT n.operator_id, n.name, n.revoked_at, r.epoch, r.position, r.digest, r.held, r.style,
           r.seen_at,
           CASE WHEN r.other_instance_at > now() - make_interval(secs => $1)
                THEN r.other_instance_at END AS other_instance_at, r.shares_serial
      FROM node n
      LEFT JOIN node_report r USING (node_id)
     WHERE n.revoked_at IS NULL OR $2
     ORDER BY n.operator_id, n.name, n.node_id
    """

  /// Another machine than before becomes the one that speaks; where it is the one that spoke before
  /// that, within the time of memory, two are at work. A standing that came ($10 milliseconds ago)
  /// before the last word moves nothing back in its epoch. Served by the primary key of
  /// node_report.
  private static let upsertReport = """
    INSERT INTO node_report AS r (node_id, epoch, position, digest, held, style, instance, serial,
                                  seen_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() - $10::bigint * interval '1 millisecond')
        ON CONFLICT (node_id) DO UPDATE
       SET epoch = COALESCE(EXCLUDED.epoch, r.epoch),
           position = CASE WHEN EXCLUDED.epoch = r.epoch AND EXCLUDED.position <= r.position
                            AND EXCLUDED.seen_at < r.seen_at
                           THEN r.position ELSE COALESCE(EXCLUDED.position, r.position) END,
           digest = CASE WHEN EXCLUDED.epoch IS NULL
                           OR (EXCLUDED.epoch = r.epoch AND EXCLUDED.position <= r.position
                               AND EXCLUDED.seen_at < r.seen_at)
                         THEN r.digest ELSE EXCLUDED.digest END,
           held = COALESCE(EXCLUDED.held, r.held),
           style = COALESCE(EXCLUDED.style, r.style),
           seen_at = GREATEST(r.seen_at, EXCLUDED.seen_at),
           instance = COALESCE(EXCLUDED.instance, r.instance),
           serial = COALESCE(EXCLUDED.serial, r.serial),
           former_instance = CASE WHEN EXCLUDED.instance <> r.instance THEN r.instance
                                  ELSE r.former_instance END,
           former_serial = CASE WHEN EXCLUDED.instance <> r.instance THEN r.serial
                                ELSE r.former_serial END,
           former_seen_at = CASE WHEN EXCLUDED.instance <> r.instance THEN r.seen_at
                                 ELSE r.former_seen_at END,
           other_instance_at =
             CASE WHEN EXCLUDED.instance <> r.instance
                   AND EXCLUDED.instance = r.former_instance
                   AND r.former_seen_at > now() - make_interval(secs => $9)
                  THEN now() ELSE r.other_instance_at END,
           shares_serial =
             CASE WHEN EXCLUDED.instance <> r.instance
                   AND EXCLUDED.instance = r.former_instance
                   AND r.former_seen_at > now() - make_interval(secs => $9)
                  THEN EXCLUDED.serial IS NOT DISTINCT FROM r.serial ELSE r.shares_serial END
    RETURNING CASE WHEN other_instance_at > now() - make_interval(secs => $9)
                   THEN other_instance_at END AS other_instance_at, shares_serial
    """
}
