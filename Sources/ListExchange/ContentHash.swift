package import Crypto

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
