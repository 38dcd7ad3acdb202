/// A connection over HTTP/1.1 that waits for each answer, on a thread that may wait. One small
/// question at a time, with an answer that says its length.
final class PlainConnection: Sendable {
  private static let mostBytes = 65_536

  private let socket: PlainSocket

  /// - Parameter address: `127.0.0.1:8080`.
  init(_ address: String) throws { socket = try PlainSocket(address) }

  /// The body of the answer.
  func get(_ target: String) throws -> String {
    try socket.write(Array("GET \(target) HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".utf8))
    return try answer()
  }

  private func answer() throws -> String {
    var text: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4_096)
    while text.count < Self.mostBytes {
      text += piece[..<(try socket.read(into: &piece, at: 0))]
      if let body = Self.body(of: text) { return body }
    }
    throw BenchmarkFailure("An answer is longer than \(Self.mostBytes) bytes.")
  }

  /// Nil until it has come whole.
  private static func body(of text: [UInt8]) -> String? {
    let answer = String(decoding: text, as: UTF8.self)
    let lines = answer.split(separator: "\r\n", omittingEmptySubsequences: false)
    guard let end = lines.firstIndex(of: "") else { return nil }
    let name = "content-length:"
    let length = lines[..<end].first { $0.lowercased().hasPrefix(name) }
      .flatMap { Int($0.dropFirst(name.count).filter(\.isNumber)) }
    let body = lines[(end + 1)...].joined(separator: "\r\n")
    guard let length, body.utf8.count >= length else { return nil }
    return body
  }
}
