#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Tells the manager of services, where there is one, how far this process is. sd_notify(3):
/// a datagram to the socket that `NOTIFY_SOCKET` names.
package struct ServiceNotice: Sendable {
  package enum Event: String, Sendable {
    case ready = "READY=1"
    case stopping = "STOPPING=1"
  }

  private let path: [UInt8]?

  package init(environment: [String: String]) {
    path = environment["NOTIFY_SOCKET"].map { Array($0.utf8) }
  }

  /// False where nobody was told.
  @discardableResult
  package func tell(_ event: Event) -> Bool {
    guard var path, !path.isEmpty else { return false }
    // `@` stands for the zero of a name that is in no directory.
    if path[0] == 0x40 { path[0] = 0 }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let file = socket(AF_UNIX, kind, 0)
    guard file >= 0 else { return false }
    defer { close(file) }
    let length = MemoryLayout<sa_family_t>.size + path.count
    let bytes = Array(event.rawValue.utf8)
    return withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(file, bytes, bytes.count, 0, $0, socklen_t(length)) == bytes.count
      }
    }
  }
}
