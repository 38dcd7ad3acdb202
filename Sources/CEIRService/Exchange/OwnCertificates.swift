import DeviceLists
import ExchangeTrust
import Logging
import NIOPosix
import RegistryStore
import ServiceLifecycle
import X509

/// Gives the registry's own certificates a new life before they end, and uses what somebody else
/// has put in their place.
struct OwnCertificates: Service {
  static let interval = Duration.seconds(60)

  let folder: AuthorityFolder
  let files: TrustedFiles
  let signer: RegistrySigner
  let store: RegistryStore
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        group.addTask { await files.watch { self.report($0) } }
        group.addTask { await signer.watch { self.report($0) } }
        group.addTask { await self.renewInTime() }
      }
    }
  }

  private func report(_ error: TrustError?) {
    if let error {
      logger.error(
        "The registry's certificate files cannot be used; the former ones are.",
        metadata: ["error": "\(String(reflecting: error))"])
    } else {
      logger.notice("The registry's new certificate is in use.")
    }
  }

  /// `ceir pki init` needs no database: what it made is noted here.
  private func note() async throws {
    let leaves = [files.current.credential.leaf, try folder.signer.read().leaf]
    try await store.write { registry in
      let known = Set(try await registry.certificates().map(\.serial))
      for leaf in leaves where !known.contains(leaf.serial.description) {
        try await registry.record(leaf, by: "ceir")
      }
    }
  }

  private func renewInTime() async {
    var isNoted = false
    while !Task.isCancelled {
      do {
        if !isNoted { try await note() }
        isNoted = true
        let leaves = [files.current.credential.leaf, try folder.signer.read().leaf]
        if leaves.contains(where: { $0.shouldBeRenewed(asOf: .now) }) { try await renew() }
        try await Task.sleep(for: Self.interval)
      } catch is CancellationError {
        return
      } catch {
        logger.error(
          "The registry's certificates were not renewed.",
          metadata: ["error": "\(String(reflecting: error))"])
        guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
      }
    }
  }

  private func renew() async throws {
    let renewal = try await NIOThreadPool.singleton.runIfActive { [folder] in
      try folder.makeRenewal(asOf: .now)
    }
    try await store.write { registry in
      for leaf in renewal.leaves { try await registry.record(leaf, by: "ceir") }
    }
    try await NIOThreadPool.singleton.runIfActive { [folder] in try folder.install(renewal) }
    logger.notice("The registry's certificates were renewed.")
  }
}
