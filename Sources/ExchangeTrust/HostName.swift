import Glibc
import SwiftASN1
import X509

/// A DNS name or an IP address by which clients that check host names find a server.
package struct HostName: Hashable, Sendable, CustomStringConvertible {
  /// RFC 1035, 2.3.4.
  package static let longestText = 253

  package let description: String
  private let address: [UInt8]?

  /// - Throws: `host` where it is neither a name of letters, digits, `-` and dots nor an address.
  package init(_ text: String) throws(TrustError) {
    description = text
    if let address = Self.address(text) {
      self.address = address
      return
    }
    address = nil
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    let isLabel: (Substring) -> Bool = { label in
      (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
        && label.utf8.allSatisfy {
          0x61...0x7A ~= $0 || 0x41...0x5A ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x2D
        }
    }
    guard text.utf8.count <= Self.longestText, labels.allSatisfy(isLabel) else {
      throw TrustError(.host, "\"\(text)\" is neither a host name nor an IP address")
    }
  }

  /// The names by which a server on the same machine is asked.
  package static let loopback: [HostName] = ["localhost", "127.0.0.1", "::1"].compactMap {
    try? HostName($0)
  }

  var generalName: GeneralName {
    if let address { return .ipAddress(ASN1OctetString(contentBytes: address[...])) }
    return .dnsName(description)
  }

  /// Nil for what is no host.
  init?(generalName: GeneralName) {
    switch generalName {
    case .dnsName(let name): try? self.init(name)
    case .ipAddress(let address):
      var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
      let family = address.bytes.count == 4 ? AF_INET : AF_INET6
      guard [4, 16].contains(address.bytes.count) else { return nil }
      let isWritten = address.bytes.withUnsafeBytes {
        inet_ntop(family, $0.baseAddress, &text, socklen_t(text.count)) != nil
      }
      guard isWritten else { return nil }
      try? self.init(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self))
    default: return nil
    }
  }

  private static func address(_ text: String) -> [UInt8]? {
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: &four) { Array($0) } }
    var six = in6_addr()
    if inet_pton(AF_INET6, text, &six) == 1 { return withUnsafeBytes(of: &six) { Array($0) } }
    return nil
  }
}
