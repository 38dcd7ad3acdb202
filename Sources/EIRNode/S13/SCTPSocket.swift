import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A listening place for SCTP in its one-to-one style, whose connections are read and written like
/// those of TCP. RFC 6458, 4; RFC 6733, 2.1.
enum SCTPSocket {
  private static let protocolNumber: Int32 = 132
  /// `SCTP_NODELAY` and `SCTP_DEFAULT_SEND_PARAM` of linux/sctp.h.
  private static let noDelay: Int32 = 3
  private static let defaultSendParameter: Int32 = 10
  /// Diameter without DTLS. RFC 6733, 11.4.
  private static let payloadProtocol: UInt32 = 46

  /// `struct sctp_sndrcvinfo` of linux/sctp.h; accepted connections inherit it.
  private struct SendParameter {
    var stream: UInt16 = 0
    var sequenceNumber: UInt16 = 0
    var flags: UInt16 = 0
    var payloadProtocol: UInt32 = SCTPSocket.payloadProtocol.bigEndian
    var context: UInt32 = 0
    var timeToLive: UInt32 = 0
    var transmissionSequenceNumber: UInt32 = 0
    var cumulative: UInt32 = 0
    var association: Int32 = 0
  }

  /// - Parameter address: with the number of an address, not a name.
  static func bound(to address: SocketAddress) throws(NodeError) -> (Int32, port: Int) {
    let target: NIOCore.SocketAddress
    do {
      target = try NIOCore.SocketAddress(ipAddress: address.host, port: address.port)
    } catch {
      throw NodeError(
        .cannotListen, "cannot listen on \(address) (s13.sctp.listen): give an IP address",
        underlying: error)
    }
    let family = if case .v6 = target { AF_INET6 } else { AF_INET }
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), protocolNumber)
    guard descriptor >= 0 else {
      throw NodeError(
        .cannotListen,
        "this machine's kernel has no SCTP (\(String(cString: strerror(errno)))): load its module, "
          + "sctp, or leave out s13.sctp.listen and use s13.listen")
    }
    var (one, parameter): (Int32, SendParameter) = (1, SendParameter())
    let isSet =
      setsockopt(
        descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size)) == 0
      && setsockopt(
        descriptor, protocolNumber, noDelay, &one, socklen_t(MemoryLayout<Int32>.size)) == 0
      && setsockopt(
        descriptor, protocolNumber, defaultSendParameter, &parameter,
        socklen_t(MemoryLayout<SendParameter>.size)) == 0
    let isBound =
      isSet
      && target.withSockAddr { pointer, size in bind(descriptor, pointer, socklen_t(size)) } == 0
    guard isBound else {
      let reason = String(cString: strerror(errno))
      close(descriptor)
      throw NodeError(
        .cannotListen, "cannot listen on \(address) (s13.sctp.listen): \(reason)")
    }
    return (descriptor, port(of: descriptor) ?? address.port)
  }

  /// The one that the kernel has chosen where none was given.
  private static func port(of descriptor: Int32) -> Int? {
    // Room for an address of either family; in both the port stands behind two bytes.
    var address = [UInt8](repeating: 0, count: 28)
    var size = socklen_t(address.count)
    let result = address.withUnsafeMutableBytes { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &size) }
    }
    return result == 0 ? Int(address[2]) << 8 | Int(address[3]) : nil
  }
}
