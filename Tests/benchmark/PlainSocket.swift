import Glibc

/// A TCP connection on a thread that may wait.
final class PlainSocket: Sendable {
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

  func write(_ bytes: [UInt8]) throws { try write(bytes[...]) }

  func write(_ bytes: ArraySlice<UInt8>) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
      guard count > 0 else { throw BenchmarkFailure("A question could not be sent.") }
      rest = rest.dropFirst(count)
    }
  }

  /// How many bytes have come; waits for one at least.
  func read(into buffer: inout [UInt8], at offset: Int) throws -> Int {
    let count = buffer.withUnsafeMutableBytes {
      recv(descriptor, $0.baseAddress?.advanced(by: offset), $0.count - offset, 0)
    }
    guard count > 0 else { throw BenchmarkFailure("An answer was cut short.") }
    return count
  }
}
