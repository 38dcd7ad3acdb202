import Crypto

/// What a node names a message by, so that it can be sent again without being done twice: 1 to 64
/// of `A`–`Z`, `a`–`z`, `0`–`9`, `.`, `_` and `-`.
package struct IdempotencyKey: Hashable, Sendable, CustomStringConvertible {
  package static let longestText = 64

  package let description: String

  package init?(_ text: some StringProtocol) {
    guard (1...Self.longestText).contains(text.utf8.count) else { return nil }
    let isAllowed = text.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
      default: false
      }
    }
    guard isAllowed else { return nil }
    description = String(text)
  }

  /// - Parameter header: the field `Idempotency-Key`; without a usable one nothing is done.
  package init(header: String?) throws(ExchangeError) {
    guard let key = header.flatMap({ IdempotencyKey($0) }) else {
      throw ExchangeError(.noIdempotencyKey)
    }
    self = key
  }

  /// What is kept beside the key: the same key with another hash is another message.
  package static func messageHash(
    method: String, path: String, body: some Collection<UInt8>
  ) -> ContentHash {
    var hash = SHA256()
    hash.update(data: Array("\(method) \(path)\n".utf8))
    hash.update(data: Array(body))
    return ContentHash(hash.finalize())
  }
}
