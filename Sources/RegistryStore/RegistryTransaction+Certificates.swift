package import DeviceLists
import PostgreSQL

extension RegistryTransaction {
  /// The channel on which an issued or revoked certificate is announced. A hint only.
  package static let certificateChannel = "ceir_certificate"

  /// Notes a certificate that was issued; the first of a node makes the node.
  package func recordCertificate(
    serial: String, holder: CertificateHolder, notBefore: Instant, notAfter: Instant,
    by actor: String
  ) async throws {
    var node: Int32?
    if case .node(let code, let name) = holder {
      let made = try await addNode(named: name, of: code)
      guard try await lockNode(made) else { throw Self.unknownNode(name, of: code) }
      node = made.number
    }
    try await insertCertificate(
      serial, holder.word, of: node, notBefore: notBefore, notAfter: notAfter, by: actor)
  }

  /// Notes the certificate that a node gets by the one that it has, of serial `former`. Nothing
  /// that ends a node or its certificates comes between: what it ends, it ends with all renewals.
  ///
  /// Throws ``StoreError/Code/certificateEnded`` where the node or the former one is not in force.
  package func recordRenewal(
    serial: String, of node: NodeIdentity, by former: String, notBefore: Instant, notAfter: Instant
  ) async throws {
    guard try await lockNode(node),
      try await connection.query(Self.certificateInForce, former, node.number).only().bool(0)
    else {
      throw StoreError(
        .certificateEnded, "The certificate is revoked or expired, or its node has retired.")
    }
    try await insertCertificate(
      serial, Self.nodeRole, of: node.number, notBefore: notBefore, notAfter: notAfter,
      by: "node:\(node.operatorCode)/\(node.name)")
  }

  private func insertCertificate(
    _ serial: String, _ role: String, of node: Int32?, notBefore: Instant, notAfter: Instant,
    by actor: String
  ) async throws {
    guard Self.isSerial(serial) else {
      throw StoreError(.unfit, "A serial has 1 to 40 hexadecimal digits in lower case.")
    }
    guard notBefore < notAfter else {
      throw StoreError(.unfit, "The certificate would end before it begins.")
    }
    let added = try await connection.query(
      Self.insertCertificate, serial, role, node, PostgreSQLTimestamp(notBefore),
      PostgreSQLTimestamp(notAfter), actor)
    guard !added.isEmpty else {
      throw StoreError(.nameTaken, "A certificate with this serial was issued already.")
    }
    try await announceCertificate(serial)
  }

  /// The newest first.
  package func certificates() async throws -> [CertificateRecord] {
    try await connection.query(Self.certificateRows).map { try $0.certificate() }
  }

  /// Once revoked it stays so; a second time changes nothing.
  package func revokeCertificate(
    serial: String, by actor: String, reason: String
  ) async throws {
    try await connection.query(Self.lockNodeOfCertificate, serial)
    let found = try await connection.query(Self.revokeCertificate, serial, actor, reason)
    guard !found.isEmpty else {
      throw StoreError(
        .unknownCertificate, "There is no certificate of that serial: see `ceir pki list`.")
    }
    try await announceCertificate(serial)
  }

  /// Revokes all that a node still has; returns their serials.
  package func revokeCertificates(
    of code: OperatorCode, node name: NodeName, by actor: String, reason: String
  ) async throws -> [String] {
    guard let node = try await lockedNode(name, of: code) else {
      throw Self.unknownNode(name, of: code)
    }
    let rows = try await connection.query(
      Self.revokeCertificatesOfNode, node.number, actor, reason)
    for row in rows { try await announceCertificate(try row.string("serial")) }
    return try rows.map { try $0.string("serial") }
  }

  /// Of certificates that would be valid otherwise.
  package func revokedSerials() async throws -> Set<String> {
    Set(try await connection.query(Self.revokedSerials).map { try $0.string("serial") })
  }

  private func announceCertificate(_ serial: String) async throws {
    try await connection.query("SELECT pg_notify($1, $2)", Self.certificateChannel, serial)
  }

  private static func isSerial(_ text: String) -> Bool {
    (1...40).contains(text.utf8.count)
      && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
  }
}

extension CertificateHolder {
  fileprivate var word: String {
    switch self {
    case .ceir: "ceir"
    case .signer: "signer"
    case .node: RegistryTransaction.nodeRole
    }
  }
}

extension PostgreSQLRow {
  fileprivate func certificate() throws -> CertificateRecord {
    CertificateRecord(
      serial: try string("serial"), holder: try holder(), notBefore: try instant("not_before"),
      notAfter: try instant("not_after"), issuedAt: try instant("issued_at"),
      issuedBy: try string("issued_by"), revokedAt: try optionalInstant("revoked_at"),
      revokedBy: try optionalString("revoked_by"),
      revokeReason: try optionalString("revoke_reason"))
  }

  private func holder() throws -> CertificateHolder {
    switch try string("role") {
    case "ceir": return .ceir
    case "signer": return .signer
    default:
      guard let code = OperatorCode(try string("code")), let name = NodeName(try string("name"))
      else { throw StoreError(.corrupt, "The database holds a certificate of no node.") }
      return .node(code, name)
    }
  }
}

extension RegistryTransaction {
  fileprivate static let nodeRole = "node"

  /// Served by the primary key (serial).
  private static let certificateInForce = """
    SELECT EXISTS (SELECT
                     FROM certificate
                    WHERE serial = $1
                      AND node_id = $2
                      AND revoked_at IS NULL
                      AND not_after > now())
    """

  /// Served by the primary keys of certificate and node.
  private static let lockNodeOfCertificate = """
    SELECT n.node_id
      FROM certificate c
      JOIN node n USING (node_id)
     WHERE c.serial = $1
       FOR NO KEY UPDATE OF n
    """

  private static let insertCertificate = """
    INSERT INTO certificate (serial, role, node_id, not_before, not_after, issued_by)
    VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (serial) DO NOTHING
    RETURNING serial
    """

  private static let certificateRows = """
    SELECT c.serial, c.role, o.code, n.name, c.not_before, c.not_after, c.issued_at, c.issued_by,
           c.revoked_at, c.revoked_by, c.revoke_reason
      FROM certificate c
      LEFT JOIN node n USING (node_id)
      LEFT JOIN operator o USING (operator_id)
     ORDER BY c.issued_at DESC, c.serial
    """

  /// Served by the primary key (serial).
  private static let revokeCertificate = """
    UPDATE certificate
       SET revoked_at = COALESCE(revoked_at, now()), revoked_by = COALESCE(revoked_by, $2),
           revoke_reason = COALESCE(revoke_reason, $3)
     WHERE serial = $1
    RETURNING serial
    """

  /// Served by certificate_node.
  private static let revokeCertificatesOfNode = """
    UPDATE certificate
       SET revoked_at = now(), revoked_by = $2, revoke_reason = $3
     WHERE node_id = $1
       AND revoked_at IS NULL
       AND not_after > now()
    RETURNING serial
    """

  /// Served by certificate_revoked.
  private static let revokedSerials = """
    SELECT serial FROM certificate WHERE revoked_at IS NOT NULL AND not_after > now()
    """
}
