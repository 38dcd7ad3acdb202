import Crypto
import DeviceLists
import EIRNode
import ExchangeTrust
import Foundation
import ListExchange

/// The certificates of a registry, made for this run of the tests.
struct TestAuthority: Sendable {
  /// Of the registry `demo`.
  static let shared = made("demo")
  /// Another one of the same name, which no node of the first trusts.
  static let stranger = made("demo")

  let authority: CertificateAuthority
  let signer: CheckpointSigner
  let signerKey: P256.Signing.PublicKey

  private static func made(_ name: String) -> TestAuthority {
    do {
      let registry = RegistryName(name) ?? SmallRegistry.name
      let now = Instant.now()
      let authority = try CertificateAuthority.make(
        registry: registry, lifetimes: .init(), asOf: now
      ).authority
      let signer = try authority.issue(.signer, days: 365, asOf: now)
      return TestAuthority(
        authority: authority,
        signer: CheckpointSigner(
          key: signer.key, certificates: try signer.chain.map { try $0.derBytes() }),
        signerKey: signer.key.publicKey)
    } catch {
      preconditionFailure("no certificates can be made: \(String(reflecting: error))")
    }
  }

  /// Writes `NAME.pem`, `NAME.key` and `root.pem`.
  @discardableResult
  func write(
    _ role: PeerName.Role, to directory: String, name: String, days: Int = 90,
    asOf now: Instant = .now()
  ) throws -> CredentialFiles {
    let files = CredentialFiles(directory: directory, name: name)
    let credential = try authority.issue(
      role, hosts: HostName.loopback, days: days, asOf: now)
    try files.create(credential, root: authority.root)
    return files
  }

  /// A node of the operator `alpha`; what is there stays.
  func writeNode(to directory: String, name: String = "eir-1") throws {
    guard !FileManager.default.fileExists(atPath: directory + "/node.pem") else { return }
    guard let node = NodeName(name) else { return }
    try write(.node(SmallRegistry.alpha, node), to: directory, name: "node")
  }
}

extension ListKeeper {
  /// Installs what stands at ``partPath``, if the registry of the tests has signed it.
  func installPart(asOf now: Instant) throws(NodeError) -> Progress {
    let signed = try ListKeeper.signedCheckpoint(ofFile: partPath)
    guard (try? signed.verify(with: TestAuthority.shared.signerKey)) != nil,
      let right = try? TestAuthority.shared.signer.sign(signed.checkpoint),
      right.certificates == signed.signature.certificates
    else { throw NodeError(.refused(.signatureWrong), "not signed by the registry") }
    return try install(snapshot: partPath, provenBy: signed.checkpoint, asOf: now)
  }
}
