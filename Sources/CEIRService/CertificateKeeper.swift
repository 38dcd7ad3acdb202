import DeviceLists
package import ExchangeTrust
package import Logging
package import RegistryStore
import ServiceLifecycle

/// Keeps the CEIR's trust up to date: takes up renewed files, closes what is revoked or has ended,
/// and renews the CEIR's own certificates when two thirds of their life are over.
package struct CertificateKeeper: Service {
  /// How often the revoked are asked for; a certificate revoked by another process is refused
  /// within this time.
  package static let revocationPeriod = Duration.seconds(1)
  /// How often the age of the own certificates is looked at.
  package static let renewalPeriod = Duration.seconds(3_600)

  private let store: RegistryStore
  private let folder: AuthorityFolder
  private let files: TrustedFiles
  private let connections: PeerConnections
  private let logger: Logger

  package init(
    store: RegistryStore, folder: AuthorityFolder, files: TrustedFiles,
    connections: PeerConnections, logger: Logger
  ) {
    self.store = store
    self.folder = folder
    self.files = files
    self.connections = connections
    self.logger = logger
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      await withTaskGroup { group in
        group.addTask { await files.watch { report($0) } }
        group.addTask { await repeating(every: Self.revocationPeriod) { await lookForRevoked() } }
        group.addTask { await repeating(every: Self.renewalPeriod) { await renewIfDue() } }
      }
    }
  }

  /// To be called before the listeners open, so that none of the revoked comes in.
  package func prepare() async throws {
    connections.revoke(try await revoked())
  }

  private func revoked() async throws -> Set<CertificateSerial> {
    try await store.read { registry in try await registry.revokedCertificates() }
  }

  private func lookForRevoked() async {
    connections.closeExpired(asOf: .now)
    do {
      let closed = connections.revoke(try await revoked())
      guard closed > 0 else { return }
      logger.notice(
        "Connections with revoked certificates were closed.", metadata: ["count": "\(closed)"])
    } catch {
      // Those known before stay refused.
      logger.warning(
        "The revoked certificates cannot be asked for.",
        metadata: ["error": "\(String(reflecting: error))"])
    }
  }

  private func renewIfDue() async {
    do {
      let leaves = [try folder.ceir.read().leaf, try folder.signer.read().leaf]
      guard leaves.contains(where: { $0.shouldBeRenewed(asOf: .now) }) else { return }
      let renewal = try folder.makeRenewal(asOf: .now)
      try await store.write { registry in
        for leaf in renewal.leaves { try await registry.record(leaf, by: "ceir") }
      }
      try folder.install(renewal)
    } catch {
      logger.error(
        "The CEIR's own certificates cannot be renewed: see ceir pki renew --help.",
        metadata: ["error": "\(String(reflecting: error))"])
    }
  }

  private func report(_ error: TrustError?) {
    if let error {
      logger.error(
        "The certificate files have changed and cannot be used; the former ones are kept.",
        metadata: ["error": "\(error.debugDescription)"])
    } else {
      logger.notice("A renewed certificate is in use.")
    }
  }

  private func repeating(every period: Duration, _ work: () async -> Void) async {
    while !Task.isCancelled {
      await work()
      guard (try? await Task.sleep(for: period)) != nil else { return }
    }
  }
}
