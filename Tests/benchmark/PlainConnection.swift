import Glibc

/// A connection over HTTP/1.1 that waits for each answer, on a thread that may wait. One small
/// question at a time, with an answer that says its length.
final class PlainConnection: Sendable {
  private static let mostBytes = 65_536

  private let descriptor: Int32

  /// - Parameter address: `127.0.0.1:8080`.
  init(_ address: String) throws {
    let port = address.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = port.bigEndian
    target.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &target) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    var noDelay: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(MemoryLayout<Int32>.size))
    guard result == 0 else { throw BenchmarkFailure("Nobody listens on \(address).") }
  }

  deinit { close(descriptor) }

  /// The body of the answer.
  func get(_ target: String) throws -> String {
    let request = "GET \(target) HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    var sent = 0
    let bytes = Array(request.utf8)
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
      guard count > 0 else { throw BenchmarkFailure("A question could not be sent.") }
      sent += count
    }
    return try answer()
  }

  private func answer() throws -> String {
    var text: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4_096)
    while text.count < Self.mostBytes {
      let count = recv(descriptor, &piece, piece.count, 0)
      guard count > 0 else { throw BenchmarkFailure("An answer was cut short.") }
      text += piece[..<count]
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
