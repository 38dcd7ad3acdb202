import DeviceIdentity
import DeviceLists
import PostgreSQL

/// Locks that end with the transaction. Those of single things have arbitrary numbers that must not
/// change; that of an IMEI is −1 − IMEI, so that none can be another's.
extension RegistryTransaction {
  /// Keeps everybody else from deciding on these IMEIs, or on others of the same devices, and from
  /// changing which they are. Returns them, in order.
  ///
  /// Without it a block and a link that run at once would not see each other, and one IMEI of a
  /// blocked device would stay free.
  func lockDevices(of imeis: [IMEI]) async throws -> [IMEI] {
    var found = try await imeisOfDevices(with: imeis)
    while true {
      let answers = try await connection.batch([
        PostgreSQLStatement("SAVEPOINT devices"),
        PostgreSQLStatement(Self.lockIMEIs, found.map { Int64($0.number) }),
        PostgreSQLStatement(Self.siblings, imeis.map { Int64($0.number) }),
      ])
      let now = try Self.imeis(answers[2])
      if now == found {
        try await connection.query("RELEASE SAVEPOINT devices")
        return found
      }
      // An IMEI has joined while we waited. All are let go and taken anew in their order, or two
      // that hold some of them would wait for each other.
      try await connection.query("ROLLBACK TO SAVEPOINT devices")
      found = now
    }
  }

  /// One import at a time brings its lines into the registry; meanwhile no IMEI joins a device.
  func lockImports() async throws {
    try await connection.query("SELECT pg_advisory_xact_lock(7348201152)")
  }

  /// No import brings its lines into the registry meanwhile.
  func keepImportsOut() async throws {
    try await connection.query("SELECT pg_advisory_xact_lock_shared(7348201152)")
  }

  /// No network changes hands meanwhile.
  func keepNetworks() async throws {
    try await connection.query("SELECT pg_advisory_xact_lock_shared(7348201153)")
  }

  /// Meanwhile nobody asks whose a network is in order to write it down.
  func lockNetworks() async throws {
    try await connection.query("SELECT pg_advisory_xact_lock(7348201153)")
  }

  /// One approval of a mass change at a time.
  func lockApprovals() async throws {
    try await connection.query("SELECT pg_advisory_xact_lock(7348201154)")
  }

  /// Meanwhile nobody else decides on requests, own list, policy, parameters or files of the
  /// operator. Taken before the locks of devices and imports.
  func lockOperator(_ number: ScopeNumber) async throws {
    try await connection.query(Self.lockOperator, number.number)
  }

  /// Meanwhile nobody else ends the node or its certificates, or issues another to it. Whether the
  /// node is in force. Taken after the lock of its operator.
  func lockNode(_ node: NodeIdentity) async throws -> Bool {
    try await !connection.query(Self.lockNode, node.number).isEmpty
  }

  /// A node in force, with its lock.
  func lockedNode(_ name: NodeName, of code: OperatorCode) async throws -> NodeIdentity? {
    guard let node = try await node(operator: code, name: name), try await lockNode(node) else {
      return nil
    }
    return node
  }

  /// Rows that refer to the node may still be inserted. Served by the primary key of node.
  private static let lockNode = """
    SELECT node_id FROM node WHERE node_id = $1 AND revoked_at IS NULL FOR NO KEY UPDATE
    """

  /// Rows that refer to the operator may still be inserted. Served by the primary key of operator.
  private static let lockOperator = """
    SELECT operator_id FROM operator WHERE operator_id = $1 FOR NO KEY UPDATE
    """

  /// In the order of the IMEIs: two that want the same ones never wait for each other.
  private static let lockIMEIs = """
    SELECT pg_advisory_xact_lock(-1 - imei)
      FROM (SELECT imei FROM unnest($1::bigint[]) AS asked (imei) ORDER BY imei OFFSET 0) ordered
    """
}
