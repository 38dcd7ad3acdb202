import Crypto
package import DeviceLists
package import ExchangeTrust
package import ListExchange

/// Proves who has signed what the registry sends, before anything else of it is believed.
package actor SignatureProof {
  private let files: TrustedFiles
  private let registry: RegistryName
  private var trust: (generation: Int, signers: SignerTrust)?

  package init(files: TrustedFiles, registry: RegistryName) {
    self.files = files
    self.registry = registry
  }

  /// Throws for what nobody has signed, for another's signature and for a wrong one.
  package func prove(
    _ delta: ReceivedDelta, asOf now: Instant
  ) async throws(NodeError) {
    do throws(ExchangeError) {
      try await prove(delta.signed(), asOf: now)
    } catch {
      throw NodeError(error)
    }
  }

  package func prove(_ signed: SignedCheckpoint, asOf now: Instant) async throws(ExchangeError) {
    let key: P256.Signing.PublicKey
    do throws(TrustError) {
      key = try await signers.key(for: signed.signature.certificates, asOf: now)
    } catch {
      throw ExchangeError(.signerNotTrusted, error.description)
    }
    try signed.verify(with: key)
  }

  /// Anew where the root was replaced.
  private var signers: SignerTrust {
    let material = files.current
    if let trust, trust.generation == material.generation { return trust.signers }
    let signers = SignerTrust(root: material.root, registry: registry)
    trust = (material.generation, signers)
    return signers
  }
}
