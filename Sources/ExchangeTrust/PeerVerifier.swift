package import DeviceLists
import SwiftASN1
@_spi(FixedExpiryValidationTime) package import X509

/// Proves that certificates lead to the registry's root and name whom they should.
package struct PeerVerifier: Sendable {
  package let root: Certificate
  package let registry: RegistryName

  package init(root: Certificate, registry: RegistryName) {
    self.root = root
    self.registry = registry
  }

  /// - Parameter chain: as the peer sent it, the leaf first.
  package func verify(
    _ chain: [Certificate], as use: CertificateUse, accepting accepted: AcceptedPeer,
    asOf now: Instant
  ) async throws(TrustError) -> VerifiedPeer {
    guard let leaf = chain.first else {
      throw TrustError(.untrusted, "no certificate was shown")
    }
    guard chain.count <= Credential.longestChain else {
      throw TrustError(.untrusted, "more than \(Credential.longestChain) certificates were shown")
    }
    guard now >= leaf.validFrom else {
      throw TrustError(.notYetValid, "the certificate counts only from \(leaf.validFrom)")
    }
    guard now <= leaf.validUntil else {
      throw TrustError(.expired, "the certificate ended at \(leaf.validUntil)")
    }
    try await verifyChain(leaf, intermediates: chain.dropFirst(), asOf: now)
    return try nameOfProved(leaf, as: use, accepting: accepted)
  }

  private func verifyChain(
    _ leaf: Certificate, intermediates: some Sequence<Certificate>, asOf now: Instant
  ) async throws(TrustError) {
    var verifier = Verifier(rootCertificates: CertificateStore([root])) {
      RFC5280Policy(fixedExpiryValidationTime: now.date)
      IssuerPolicy()
    }
    let result = await verifier.validate(
      leaf: leaf, intermediates: CertificateStore(intermediates))
    if case .couldNotValidate(let failures) = result {
      throw TrustError(
        .untrusted, "the certificate does not come from this registry",
        reasons: failures.map(\.policyFailureReason.description))
    }
  }

  /// What a chain that is proved does not say: whose the leaf is, and what for.
  func nameOfProved(
    _ leaf: Certificate, as use: CertificateUse, accepting accepted: AcceptedPeer
  ) throws(TrustError) -> VerifiedPeer {
    guard let name = leaf.peerName else {
      throw TrustError(.unnamed, "the certificate names nobody of a registry")
    }
    guard name.registry == registry else {
      throw TrustError(.unnamed, "the certificate is of another registry, \(name.registry)")
    }
    guard accepted.accepts(name.role) else {
      throw TrustError(.wrongRole, "\(name) is not who is expected here")
    }
    guard leaf.isMade(for: use) else {
      throw TrustError(.wrongUse, "the certificate of \(name) is not made for this use")
    }
    return VerifiedPeer(name: name, serial: leaf.serial, notAfter: leaf.validUntil)
  }
}

/// Whoever signs certificates must be allowed to: swift-certificates leaves the key usage alone.
/// RFC 5280, 4.2.1.3.
private struct IssuerPolicy: VerifierPolicy {
  let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [.X509ExtensionID.keyUsage]

  func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) -> PolicyEvaluationResult {
    for issuer in chain.dropFirst() {
      guard let usage = try? issuer.extensions.keyUsage, usage.keyCertSign else {
        return .failsToMeetPolicy(reason: "an issuer in the chain may not sign certificates")
      }
    }
    return .meetsPolicy
  }
}
