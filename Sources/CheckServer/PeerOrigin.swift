package import NIOCore

/// Where a connection comes from, so that what one host may take can be limited: an IPv4 address,
/// or the first 64 bits of an IPv6 address, of which a host may use all (RFC 4291, 2.5.1).
package struct PeerOrigin: Hashable, Sendable, CustomStringConvertible {
  /// Behind the family and the port of a `sockaddr_in`; those and the flow of a `sockaddr_in6`.
  private static let (addressOffset, longAddressOffset) = (4, 8)

  private let value: UInt64

  /// Whatever has no such address is one origin.
  package init(_ address: SocketAddress?) {
    switch address {
    case .v4(let address):
      value = withUnsafeBytes(of: address.address) { octets in
        Self.ofIPv4(
          UInt32(
            bigEndian: octets.loadUnaligned(fromByteOffset: Self.addressOffset, as: UInt32.self)))
      }
    case .v6(let address):
      let halves = withUnsafeBytes(of: address.address) { octets in
        [0, 8].map {
          octets.loadUnaligned(fromByteOffset: Self.longAddressOffset + $0, as: UInt64.self)
        }.map(UInt64.init(bigEndian:))
      }
      let (high, low) = (halves[0], halves[1])
      // IPv4 on a socket for both. RFC 4291, 2.5.5.2.
      let isIPv4 = high == 0 && low >> 32 == 0xFFFF
      value = isIPv4 ? Self.ofIPv4(UInt32(truncatingIfNeeded: low)) : high
    case .unixDomainSocket, .none:
      value = .max
    }
  }

  /// `192.0.2.1`, or `2001:db8:0:1::/64`.
  package var description: String {
    guard value != .max else { return "this machine" }
    if value >> 32 == 0xFFFF {
      return (0..<4).map { String(value >> (24 - 8 * $0) & 0xFF) }.joined(separator: ".")
    }
    return (0..<4).map { String(value >> (48 - 16 * $0) & 0xFFFF, radix: 16) }
      .joined(separator: ":") + "::/64"
  }

  /// Among the addresses of IPv6 that belong to nobody.
  private static func ofIPv4(_ address: UInt32) -> UInt64 { 0xFFFF << 32 | UInt64(address) }
}
