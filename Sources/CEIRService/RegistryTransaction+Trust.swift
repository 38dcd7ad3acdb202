package import ExchangeTrust
package import RegistryStore
package import X509

extension RegistryTransaction {
  /// Notes a certificate that was issued; the first of a node makes the node.
  package func record(_ leaf: Certificate, by actor: String) async throws {
    guard let role = leaf.peerName?.role else {
      throw TrustError(.unnamed, "the certificate names nobody of a registry")
    }
    let holder: CertificateHolder =
      switch role {
      case .ceir: .ceir
      case .signer: .signer
      case .node(let code, let name): .node(code, name)
      }
    try await recordCertificate(
      serial: leaf.serial.description, holder: holder, notBefore: leaf.validFrom,
      notAfter: leaf.validUntil, by: actor)
  }

  /// The revoked, as ``PeerConnections`` takes them.
  package func revokedCertificates() async throws -> Set<CertificateSerial> {
    Set(try await revokedSerials().compactMap { CertificateSerial($0) })
  }
}
