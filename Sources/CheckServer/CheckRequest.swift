package import NIOCore
import NIOHPACK
import NIOHTTP1

/// One request, complete with its body, as either protocol brought it.
package struct CheckRequest: Sendable {
  private enum Lines: Sendable {
    case http1(HTTPHeaders)
    case http2(HPACKHeaders)
  }

  package let method: String
  /// Path and query as sent, percent-encoded; empty for CONNECT.
  package let target: String
  package var body = ByteBuffer()
  /// Where the connection comes from.
  package let origin: PeerOrigin
  /// Who asks, where the listener has a ``ConnectionSecurity``.
  package let peer: ConnectionPeer?
  private let lines: Lines

  init(
    _ lines: RequestLines, headers: HPACKHeaders, origin: PeerOrigin, peer: ConnectionPeer?
  ) {
    self.origin = origin
    self.peer = peer
    method = lines.method
    target = lines.target
    self.lines = .http2(headers)
  }

  init(http1 head: HTTPRequestHead, origin: PeerOrigin, peer: ConnectionPeer?) {
    self.origin = origin
    self.peer = peer
    method = head.method.rawValue
    target = Self.originForm(of: head.uri)
    lines = .http1(head.headers)
  }

  /// The values of a header line, joined by commas where it is repeated (RFC 9110, 5.3).
  ///
  /// - Parameter name: in lower case.
  package func header(_ name: String) -> String? {
    var joined: String?
    func take(_ value: String) {
      joined = joined.map { $0 + ", " + value } ?? value
    }
    switch lines {
    case .http2(let headers):
      for (found, value, _) in headers where found == name { take(value) }
    case .http1(let headers):
      for value in headers[name] { take(value) }
    }
    return joined
  }

  /// What `content-length` announces; nil where it is absent or no number.
  var announcedBodyBytes: Int? {
    header("content-length").flatMap(Int.init)
  }

  /// `http://host/path` is `/path` to the server that it names. RFC 9112, 3.2.2.
  private static func originForm(of target: String) -> String {
    guard target.utf8.first != UInt8(ascii: "/") else { return target }
    let lowered = target.prefix(8).lowercased()
    let schemes = ["http://", "https://"]
    guard let scheme = schemes.first(where: lowered.hasPrefix) else { return target }
    let rest = target.dropFirst(scheme.count)
    guard let slash = rest.firstIndex(of: "/") else { return "/" }
    return String(rest[slash...])
  }
}
