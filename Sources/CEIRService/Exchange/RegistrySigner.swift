package import ExchangeTrust
package import ListExchange
import Synchronization

/// Signs checkpoints with the registry's key, which is read again when its files change.
package final class RegistrySigner: Sendable {
  private let files: TrustedFiles
  private let made = Mutex<(generation: Int, signer: CheckpointSigner)?>(nil)

  package init(_ files: CredentialFiles) throws { self.files = try TrustedFiles(files) }

  package var current: CheckpointSigner {
    get throws {
      let material = files.current
      if let made = made.withLock({ $0 }), made.generation == material.generation {
        return made.signer
      }
      let signer = CheckpointSigner(
        key: material.credential.key,
        certificates: try material.credential.chain.map { try $0.derBytes() })
      made.withLock { $0 = (material.generation, signer) }
      return signer
    }
  }

  /// Until it is cancelled.
  func watch(report: @Sendable (TrustError?) -> Void) async { await files.watch(report: report) }
}
