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
    guard Self.isSerial(serial) else {
      throw StoreError(.unfit, "A serial has 1 to 40 hexadecimal digits in lower case.")
    }
    guard notBefore < notAfter else {
      throw StoreError(.unfit, "The certificate would end before it begins.")
    }
    var node: Int32?
    if case .node(let code, let name) = holder {
      node = try await addNode(named: name, of: code).number
    }
    let added = try await connection.query(
      Self.insertCertificate, serial, holder.word, node, PostgreSQLTimestamp(notBefore),
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
    guard let node = try await node(operator: code, name: name) else {
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
    case .node: "node"
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
