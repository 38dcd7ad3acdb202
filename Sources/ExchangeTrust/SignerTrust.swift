package import Crypto
package import DeviceLists
package import X509

/// From the certificates that a checkpoint carries to the key that must have signed it.
package actor SignerTrust {
  /// Leaf and issuing.
  package static let longestChain = 2
  /// Signers remembered: the one in use, the next one, and some to spare.
  private static let rememberedMax = 8

  private let verifier: PeerVerifier
  private var remembered: [[[UInt8]]: Signer] = [:]

  private struct Signer {
    let key: P256.Signing.PublicKey
    let validFrom: Instant
    let validUntil: Instant
  }

  package init(root: Certificate, registry: RegistryName) {
    verifier = PeerVerifier(root: root, registry: registry)
  }

  /// - Parameter certificates: DER, the signer's first.
  package func key(
    for certificates: [[UInt8]], asOf now: Instant
  ) async throws(TrustError) -> P256.Signing.PublicKey {
    if let signer = remembered[certificates], (signer.validFrom...signer.validUntil).contains(now) {
      return signer.key
    }
    let chain = try Self.read(certificates)
    _ = try await verifier.verify(chain, as: .signature, accepting: .signer, asOf: now)
    guard let key = P256.Signing.PublicKey(chain[0].publicKey) else {
      throw TrustError(.wrongUse, "the signer's key is not on P-256")
    }
    if remembered.count >= Self.rememberedMax { remembered = [:] }
    remembered[certificates] = Signer(
      key: key, validFrom: chain.map(\.validFrom).max() ?? now,
      validUntil: chain.map(\.validUntil).min() ?? now)
    return key
  }

  private static func read(_ certificates: [[UInt8]]) throws(TrustError) -> [Certificate] {
    guard (1...longestChain).contains(certificates.count) else {
      throw TrustError(.untrusted, "a checkpoint carries 1 to \(longestChain) certificates")
    }
    var chain: [Certificate] = []
    for bytes in certificates {
      guard bytes.count <= Credential.longestCertificate else {
        throw TrustError(
          .untrusted, "a certificate is longer than \(Credential.longestCertificate) bytes")
      }
      chain.append(try Certificate(der: bytes))
    }
    return chain
  }
}
