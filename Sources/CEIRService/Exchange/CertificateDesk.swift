import DeviceLists
package import ExchangeTrust
import NIOPosix
import X509

/// Renews certificates: those of nodes that ask with the one they have, and the registry's own.
package struct CertificateDesk: Sendable {
  static let longestRequest = CertificateRequest.longestText

  private let folder: AuthorityFolder

  package init(_ folder: AuthorityFolder) { self.folder = folder }

  /// A certificate for the key of a request, in the name of the node that asks; leaf and issuing.
  func issue(
    _ pem: [UInt8], to role: PeerName.Role, asOf now: Instant
  ) async throws -> [Certificate] {
    let request = try CertificateRequest(pem: String(decoding: pem, as: UTF8.self))
    return try await NIOThreadPool.singleton.runIfActive { [folder] in
      try folder.open().issue(
        role, for: request, hosts: HostName.loopback, days: CertificateLifetimes().nodeDays,
        asOf: now)
    }
  }
}
