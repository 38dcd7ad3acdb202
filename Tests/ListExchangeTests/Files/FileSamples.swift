import Crypto
import DeviceLists
import Foundation

@testable import ListExchange

/// Values that the tests of files use.
enum FileSamples {
  static let signer = CheckpointSigner(key: P256.Signing.PrivateKey(), certificates: [[1, 2, 3]])
  static let repository = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func manifest(
    _ number: Int, _ kind: ReplicationName.Kind, after: UInt64, upTo: UInt64,
    digest: ListDigest = Samples.digest(7), epoch: Epoch = Samples.epoch,
    issuedAt: Instant = Samples.issuedAt
  ) throws -> ReplicationManifest {
    let hash = ContentHash(SHA256.hash(data: [UInt8]()))
    let checkpoint = Checkpoint(
      registry: Samples.registry, epoch: epoch, feed: Samples.feed, after: Position(after),
      position: Position(upTo), digest: digest, contentHash: hash, issuedAt: issuedAt)
    return ReplicationManifest(
      name: ReplicationName(
        registry: Samples.registry, operatorCode: Samples.alpha, number: FileNumber(number)!,
        kind: kind),
      file: FileSeal(compression: .gzip, bytes: 117, sha256: hash), records: 2,
      parametersVersion: 3, checkpoint: try SignedCheckpoint(checkpoint, by: signer))
  }

  static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
