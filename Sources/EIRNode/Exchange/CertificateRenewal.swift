import Crypto
package import DeviceLists
package import ExchangeTrust
import ListExchange
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import X509

/// Gets a new certificate for a new key before the old one ends. What is open goes on; what is
/// opened from then on shows the new one.
package struct CertificateRenewal: Sendable {
  /// The old certificate is renewed when so much of its life is over, in thirds.
  private static let thirds: Int64 = 2
  private static let betweenLooks = Duration.seconds(600)
  private static let longestChainBytes = 32_768

  let files: TrustedFiles
  let client: RegistryClient

  package init(files: TrustedFiles, client: RegistryClient) {
    self.files = files
    self.client = client
  }

  /// Two thirds through the life of a certificate.
  static func dueAt(_ certificate: Certificate) -> Instant {
    let life = certificate.validUntil.seconds(since: certificate.validFrom)
    return certificate.validFrom.adding(seconds: life * thirds / 3)
  }

  /// Renews now; returns the new certificate's last second.
  package func renew(asOf now: Instant) async throws -> Instant {
    let key = P256.Signing.PrivateKey()
    let request = try CertificateRequest.pemText(for: key)
    let answer = try await client.document(
      .POST, ExchangePath.certificates,
      body: (ExchangePath.certificateRequest, Array(request.utf8)), key: .random(),
      most: Self.longestChainBytes)
    let credential = try Credential(pem: String(decoding: answer, as: UTF8.self), key: key)
    let material = files.current
    let peer = try await material.verifier.verify(
      credential.chain, as: .client, accepting: .exactly(material.own.role), asOf: now)
    try files.files.replace(with: credential)
    try files.reload()
    return peer.notAfter
  }

  /// Until it is cancelled.
  func run(logger: Logger) async {
    var backoff = Backoff()
    backoff.longestMilliseconds = 3_600_000
    var chance = SystemRandomNumberGenerator()
    while !Task.isCancelled {
      var pause = Self.betweenLooks
      if Instant.now() >= Self.dueAt(files.current.credential.leaf) {
        do {
          let end = try await renew(asOf: .now())
          backoff.succeeded()
          logger.notice("the certificate is renewed", metadata: ["until": "\(end)"])
        } catch {
          pause = backoff.failed(using: &chance)
          if !Task.isCancelled {
            logger.warning(
              "the certificate cannot be renewed",
              metadata: [
                "until": "\(files.current.credential.leaf.validUntil)", "reason": "\(error)",
              ])
          }
        }
      }
      await WakeUp().wait(atMost: pause)
    }
  }
}
