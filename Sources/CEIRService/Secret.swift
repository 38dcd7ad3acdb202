import Crypto

/// A token that proves who asks: 32 random bytes. It is shown once; only its SHA-256 is kept.
package struct Secret: Sendable {
  package static let prefix = "ceir_"
  /// Longer ones are refused before they are hashed.
  package static let longestText = 128

  /// `ceir_` and 64 hexadecimal digits.
  package let text: String

  package init(using generator: inout some RandomNumberGenerator) {
    let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
    text = Self.prefix + Hexadecimal.text(bytes)
  }

  package init(_ text: String) { self.text = text }

  package var hash: [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }
}

enum Hexadecimal {
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }
}
