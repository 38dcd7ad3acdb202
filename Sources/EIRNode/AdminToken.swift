#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The secret between a running node and its operator's tools, in a file that only they can read.
package struct AdminToken: Hashable, Sendable {
  package let text: String

  /// Made at the first start.
  package static func obtain(path: String) throws(NodeError) -> AdminToken {
    if let token = try read(path: path) { return token }
    var chance = SystemRandomNumberGenerator()
    let text = (0..<4).map { _ in
      let digits = String(UInt64.random(in: .min ... .max, using: &chance), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
    try SmallFile.replace(path, with: Array(text.utf8), mode: 0o600)
    return AdminToken(text: text)
  }

  /// Nil where there is none yet.
  package static func read(path: String) throws(NodeError) -> AdminToken? {
    guard let bytes = try SmallFile.content(of: path), !bytes.isEmpty else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    return AdminToken(text: String(text.filter { !$0.isWhitespace }))
  }

  /// Takes as long for every text of the same length.
  func matches(authorization: String?) -> Bool {
    let expected = Array("Bearer \(text)".utf8)
    let given = Array((authorization ?? "").utf8)
    guard given.count == expected.count else { return false }
    return zip(given, expected).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
