package import Crypto
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

  package init(
    registry: RegistryName, epoch: Epoch, feed: Feed, after: Position, position: Position,
    digest: ListDigest, contentHash: ContentHash, issuedAt: Instant
  ) {
    self.registry = registry
    self.epoch = epoch
    self.feed = feed
    self.after = after
    self.position = position
    self.digest = digest
    self.contentHash = contentHash
    self.issuedAt = issuedAt
  }

  package var head: ListHead {
    ListHead(epoch: epoch, position: position, digest: digest, issuedAt: issuedAt)
  }

  /// One JSON object without a line break: what a snapshot carries as its trailer.
  package var json: [UInt8] {
    var text = JSONText()
    write(into: &text, named: nil)
    return text.bytes
  }

  /// Reads what ``json`` writes.
  package init(json bytes: some Collection<UInt8>) throws(ExchangeError) {
    guard bytes.count <= ExchangeLimits.longestDocumentBytes else {
      throw ExchangeError(.lineTooLong, "a checkpoint of \(bytes.count) bytes")
    }
    try self.init(JSONValue(bytes: bytes))
  }

  func write(into text: inout JSONText, named name: StaticString?) {
    text.open(name)
    text.member("registry", registry.description)
    text.member("epoch", epoch.description)
    text.member("feed", feed.description)
    text.member("after", after.number)
    text.member("position", position.number)
    text.member("digest", digest.description)
    text.member("sha256", contentHash.description)
    text.member("issuedAt", issuedAt.description)
    text.close()
  }

  init(_ object: JSONValue) throws(ExchangeError) {
    registry = try object.member("registry") { RegistryName($0) }
    epoch = try object.member("epoch") { Epoch($0) }
    let code = try object.member("feed") { OperatorCode($0) }
    feed = Feed(of: code)
    after = Position(try object.number("after"))
    position = Position(try object.number("position"))
    digest = try object.member("digest") { ListDigest($0) }
    contentHash = try object.member("sha256") { ContentHash($0) }
    issuedAt = try object.member("issuedAt") { Instant($0) }
    guard after <= position else {
      throw ExchangeError(.wrongOrder, "a checkpoint from \(after) to \(position)")
    }
  }
}

/// The SHA-256 of the bytes of a message before its checkpoint.
package struct ContentHash: Hashable, Sendable, CustomStringConvertible {
  /// 64 hexadecimal digits, the first byte first.
  package let description: String

  package init(_ hash: SHA256.Digest) { self.init(bytes: Array(hash)) }

  /// - Parameter bytes: the 32 bytes of a SHA-256.
  package init(bytes: [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    description = String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  package init?(_ text: some StringProtocol) {
    guard text.utf8.count == 64 else { return nil }
    guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }) else { return nil }
    description = String(text)
  }
}

extension JSONValue {
  init(bytes: some Collection<UInt8>) throws(ExchangeError) {
    let array = ContiguousArray(bytes)
    let result = array.withUnsafeBytes { buffer in
      Result { () throws(ExchangeError) in try JSONValue(buffer) }
    }
    self = try result.get()
  }

  func member<Value>(_ name: String, _ read: (String) -> Value?) throws(ExchangeError) -> Value {
    guard let text = self[name]?.text, let value = read(text) else {
      throw ExchangeError(.malformed, "no usable \"\(name)\"")
    }
    return value
  }

  func number(_ name: String) throws(ExchangeError) -> UInt64 {
    guard let number = self[name]?.whole else {
      throw ExchangeError(.malformed, "no usable \"\(name)\"")
    }
    return number
  }
}
