package import DeviceLists

/// The last word of a snapshot or a delta: whose list it is, from where to where it goes, what the
/// list adds up to there, and what the bytes before it were.
package struct Checkpoint: Hashable, Sendable {
  package var registry: RegistryName
  package var epoch: Epoch
  package var feed: Feed
  /// The position after which a delta starts; ``Position/start`` for a snapshot.
  package var after: Position
  package var position: Position
  /// At ``position``: the sum of the digests of both scopes.
  package var digest: ListDigest
  package var contentHash: ContentHash
  package var issuedAt: Instant
  /// Approved mass changes, by rising run.
  package var massMarks: [MassMark]

  package init(
    registry: RegistryName, epoch: Epoch, feed: Feed, after: Position, position: Position,
    digest: ListDigest, contentHash: ContentHash, issuedAt: Instant, massMarks: [MassMark] = []
  ) {
    self.registry = registry
    self.epoch = epoch
    self.feed = feed
    self.after = after
    self.position = position
    self.digest = digest
    self.contentHash = contentHash
    self.issuedAt = issuedAt
    self.massMarks = massMarks.sorted { $0.run < $1.run }
  }

  package var head: ListHead {
    ListHead(epoch: epoch, position: position, digest: digest, issuedAt: issuedAt)
  }

  /// The bytes that are signed: `Schema/exchange/feed.md`.
  package var signedText: [UInt8] {
    var text = "openceir-checkpoint-1\nregistry \(registry)\nepoch \(epoch)\nfeed \(feed)\n"
    text += "after \(after)\nposition \(position)\ndigest \(digest)\n"
    text += "sha256 \(contentHash)\nissuedAt \(issuedAt)\n"
    for mark in massMarks {
      text += "mass \(mark.run) \(mark.after) \(mark.upTo) \(mark.blacks)\n"
    }
    return Array(text.utf8)
  }
}

extension Checkpoint: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("registry", registry.description)
    text.member("epoch", epoch.description)
    text.member("feed", feed.description)
    text.member("after", after.number)
    text.member("position", position.number)
    text.member("digest", digest.description)
    text.member("sha256", contentHash.description)
    text.member("issuedAt", issuedAt.description)
    if !massMarks.isEmpty { text.array("mass", massMarks) }
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    registry = try object.member("registry") { RegistryName($0) }
    epoch = try object.member("epoch") { Epoch($0) }
    let code = try object.member("feed") { OperatorCode($0) }
    feed = Feed(of: code)
    after = try object.position("after")
    position = try object.position("position")
    digest = try object.member("digest") { ListDigest($0) }
    contentHash = try object.member("sha256") { ContentHash($0) }
    issuedAt = try object.member("issuedAt") { Instant($0) }
    massMarks = try MassMark.marks(in: object)
    guard after <= position else {
      throw ExchangeError(.wrongOrder, "a checkpoint from \(after) to \(position)")
    }
  }
}
