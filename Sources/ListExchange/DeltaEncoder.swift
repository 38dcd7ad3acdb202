import Crypto
import DeviceIdentity
package import DeviceLists

/// Writes a delta as NDJSON: one line per change, then the checkpoint.
///
/// The caller gives the changes of one feed in rising order and takes the bytes in pieces as large
/// as it likes; the SHA-256 goes along.
package struct DeltaEncoder {
  private var bytes: [UInt8] = []
  private var hash = SHA256()
  private let after: Position
  /// The end of a line, from the status on: changes by the thousand share few of them.
  private var endings: [EntryClass?: [UInt8]] = [:]
  private var lastEnding: (of: EntryClass?, bytes: [UInt8]) = (nil, Self.ending(of: nil))
  private var lastScope: (of: Scope, bytes: [UInt8]) = (.all, Self.text(of: .all))
  private static let mostEndings = 1_024

  /// - Parameter after: where the delta starts: the position that the node asked from.
  package init(after: Position, reservingBytes: Int = 65_536) {
    self.after = after
    bytes.reserveCapacity(reservingBytes)
  }

  /// Bytes written and not yet taken.
  package var byteCount: Int { bytes.count }

  package mutating func append(_ change: Change) {
    bytes.append(static: "{\"position\":")
    bytes.append(decimal: change.position.number)
    append(scope: change.scope)
    append(change.subject)
    append(endingOf: change.entryClass)
  }

  /// What was written since the last call. The array keeps its capacity for the next piece.
  package mutating func take() -> [UInt8] {
    hash.update(data: bytes)
    let piece = bytes
    bytes.removeAll(keepingCapacity: true)
    return piece
  }

  /// Writes the checkpoint and returns what was not yet taken. Nothing may follow.
  ///
  /// - Parameter head: its digest is the whole feed's at its position.
  package mutating func finish(
    registry: RegistryName, feed: Feed, head: ListHead, massMarks: [MassMark] = [],
    signer: CheckpointSigner
  ) throws(ExchangeError) -> [UInt8] {
    let checkpoint = checkpoint(registry, feed, head, massMarks)
    finish(try SignedCheckpoint(checkpoint, by: signer))
    return bytes
  }

  /// The same without a signature: for those who look at a list and trust the way it came.
  package mutating func finish(registry: RegistryName, feed: Feed, head: ListHead) -> [UInt8] {
    finish(checkpoint(registry, feed, head, []))
    return bytes
  }

  private func checkpoint(
    _ registry: RegistryName, _ feed: Feed, _ head: ListHead, _ massMarks: [MassMark]
  ) -> Checkpoint {
    var hash = hash
    hash.update(data: bytes)
    return Checkpoint(
      registry: registry, epoch: head.epoch, feed: feed, after: after, position: head.position,
      digest: head.digest, contentHash: ContentHash(hash.finalize()), issuedAt: head.issuedAt,
      massMarks: massMarks)
  }

  private mutating func finish(_ checkpoint: some JSONMessage) {
    var text = JSONText()
    text.open()
    text.object("checkpoint", checkpoint)
    text.close()
    bytes += text.bytes
    bytes.append(0x0A)
  }

  private mutating func append(scope: Scope) {
    if scope != lastScope.of { lastScope = (scope, Self.text(of: scope)) }
    bytes += lastScope.bytes
  }

  private static func text(of scope: Scope) -> [UInt8] { Array(",\"scope\":\"\(scope)\"".utf8) }

  private mutating func append(_ subject: Subject) {
    switch subject {
    case .imei(let imei):
      bytes.append(static: ",\"imei\":\"")
      bytes.append(digitsOf: imei.number, width: 14)
      bytes.append(static: "\"")
    case .tac(let tac):
      bytes.append(static: ",\"tac\":\"")
      bytes.append(digitsOf: UInt64(tac.number), width: 8)
      bytes.append(static: "\"")
    case .range(let range):
      bytes.append(static: ",\"range\":{\"first\":\"")
      bytes.append(digitsOf: range.first.number, width: 14)
      bytes.append(static: "\",\"last\":\"")
      bytes.append(digitsOf: range.last.number, width: 14)
      bytes.append(static: "\"}")
    case .pairing(let pairing):
      bytes.append(static: ",\"pairing\":{\"imei\":\"")
      bytes.append(digitsOf: pairing.imei.number, width: 14)
      bytes.append(static: "\",\"imsi\":\"")
      bytes.append(contentsOf: pairing.imsi.digits.utf8)
      bytes.append(static: "\"}")
    }
  }

  private mutating func append(endingOf entryClass: EntryClass?) {
    if entryClass != lastEnding.of {
      let ending = endings[entryClass] ?? Self.ending(of: entryClass)
      if endings.count < Self.mostEndings { endings[entryClass] = ending }
      lastEnding = (entryClass, ending)
    }
    bytes += lastEnding.bytes
  }

  private static func ending(of entryClass: EntryClass?) -> [UInt8] {
    guard let entryClass else { return Array(",\"status\":null}\n".utf8) }
    let grounds = entryClass.codes.codes.map { "\"\($0)\"" }.joined(separator: ",")
    let text =
      ",\"status\":\"\(entryClass.status)\",\"grounds\":[\(grounds)],"
      + "\"overridable\":\(entryClass.isOverridable)}\n"
    return Array(text.utf8)
  }
}
