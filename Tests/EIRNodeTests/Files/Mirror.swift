import Crypto
import DeviceLists
import ExchangeTrust
import Foundation
import GZip
import ListExchange

/// The mirror of a registry's outbox, as the carrying fills it.
struct Mirror {
  /// A data file and its manifest, to be spoilt before they are put there.
  struct Replication {
    var name: ReplicationName
    var compression = FileCompression.none
    var data: [UInt8]
    var manifest: [UInt8]
  }

  let path: String

  init(in directory: String) throws {
    path = directory + "/mirror"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// The data file first, both under another name until they are whole.
  func put(_ replication: Replication) throws {
    try put(replication.data, as: replication.name.data(replication.compression))
    try put(replication.manifest, as: replication.name.manifest)
  }

  func put(_ bytes: [UInt8], as name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/.\(name)"))
    guard rename("\(path)/.\(name)", "\(path)/\(name)") == 0 else {
      throw CocoaError(.fileWriteUnknown)
    }
  }

  /// The files that lie there for the node.
  var names: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: path).filter {
        $0.hasSuffix(".json") || $0.hasSuffix(".csv") || $0.hasSuffix(".csv.gz")
      }
    }
  }

  var damaged: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path + "/damaged")) ?? []
  }
}

extension Mirror.Replication {
  /// The whole list.
  static func full(
    _ registry: SmallRegistry, number: Int, isPacked: Bool = false
  ) throws -> Self {
    var writer = ListFileWriter(.full)
    for (subject, listed) in registry.ordered {
      if let all = listed.all { writer.append(subject, .all, all) }
      if let own = listed.own { writer.append(subject, .only(SmallRegistry.alpha), own) }
    }
    return try made(registry, .full, number, &writer, after: .start, registry.position, isPacked)
  }

  /// The changes from one position to another.
  static func incremental(
    _ registry: SmallRegistry, number: Int, after: Position, upTo: Position? = nil,
    isPacked: Bool = false
  ) throws -> Self {
    let upTo = upTo ?? registry.position
    var writer = ListFileWriter(.incremental)
    for change in registry.journal[Int(after.number)..<Int(upTo.number)]
    where SmallRegistry.feed.contains(change.scope) {
      writer.append(change)
    }
    return try made(registry, .incremental, number, &writer, after: after, upTo, isPacked)
  }

  private static func made(
    _ registry: SmallRegistry, _ kind: ReplicationName.Kind, _ number: Int,
    _ writer: inout ListFileWriter, after: Position, _ upTo: Position, _ isPacked: Bool
  ) throws -> Self {
    let text = writer.take()
    let checkpoint = Checkpoint(
      registry: SmallRegistry.name, epoch: registry.epoch, feed: SmallRegistry.feed,
      after: after, position: upTo, digest: registry.digest(at: upTo),
      contentHash: ContentHash(SHA256.hash(data: text)), issuedAt: registry.issuedAt)
    let name = ReplicationName(
      registry: SmallRegistry.name, operatorCode: SmallRegistry.alpha,
      number: FileNumber(number)!, kind: kind)
    var made = Mirror.Replication(
      name: name, compression: isPacked ? .gzip : .none,
      data: isPacked ? try packed(text) : text, manifest: [])
    try made.seal(checkpoint, records: writer.records)
    return made
  }

  /// Writes the manifest anew, for data that were changed by somebody who could sign.
  mutating func seal(
    _ checkpoint: Checkpoint, records: Int, signer: CheckpointSigner = TestAuthority.shared.signer
  ) throws {
    let seal = FileSeal(
      compression: compression, bytes: data.count,
      sha256: ContentHash(SHA256.hash(data: data)))
    manifest =
      ReplicationManifest(
        name: name, file: seal, records: records, parametersVersion: 1,
        checkpoint: try SignedCheckpoint(checkpoint, by: signer)
      ).json
  }

  /// The same with another checkpoint, number of records or signer.
  mutating func sealAgain(
    signer: CheckpointSigner = TestAuthority.shared.signer,
    _ change: (inout Checkpoint, inout Int) -> Void = { _, _ in }
  ) throws {
    let former = try ReplicationManifest(json: manifest)
    var (checkpoint, records) = (former.checkpoint.checkpoint, former.records)
    change(&checkpoint, &records)
    try seal(checkpoint, records: records, signer: signer)
  }

  private static func packed(_ text: [UInt8]) throws -> [UInt8] {
    let writer = try GZipWriter()
    return writer.append(text) + writer.finish()
  }
}
