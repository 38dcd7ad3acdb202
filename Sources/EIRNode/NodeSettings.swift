package import DeviceLists
package import ListExchange

/// What an operator sets for a node, checked.
package struct NodeSettings: Sendable {
  package var directory: String
  package var registry: RegistryName
  package var feed: Feed
  /// `https://HOST:PORT`, where the registry is asked; nil where nobody is.
  package var ceirURL: String?
  /// The directory of `node.pem`, `node.key` and `root.pem`; nil where only the list is looked at.
  package var tlsDirectory: String?
  /// Where the registry hands lists over; nil where it cannot.
  package var exchangeListen: SocketAddress?
  /// Nil where the registry's files are not taken.
  package var files: FilesSettings?
  /// Where and how the CEIR is asked for a device on no list; nil where it cannot be.
  package var ask: Asking?
  /// Where network elements ask.
  package var listen = SocketAddress(host: "127.0.0.1", port: 8080)
  /// Nil where S13 is not answered.
  package var s13: S13Settings?
  package var n17 = N17Settings()
  /// Where the operator's own tools ask; loopback only.
  package var admin = SocketAddress(host: "127.0.0.1", port: 8081)
  /// Nil where GSUP is not spoken.
  package var gsup: GSUPSettings?
  /// Nil where nobody is told of devices that change.
  package var events: EventsSettings?
  package var decision = DecisionSettings()
  package var brake = Brake.Limit()
  /// Nil: none is kept.
  package var checkLog: String?
  /// Every setting that was given, as it was written.
  package var texts: [SettingKey: String] = [:]

  /// The mode of authorisation.
  package struct Asking: Hashable, Sendable {
    package var url: String
    package var timeoutMilliseconds: Int
  }

  /// Sentences about settings that have no effect.
  package var warnings: [String] = []

  package init(directory: String, registry: RegistryName, feed: Feed) {
    self.directory = directory
    self.registry = registry
    self.feed = feed
  }

  /// The file, made at the first start and readable by its owner only, whose content lets the
  /// operator's tools give orders to the running node.
  package var adminTokenPath: String { directory + "/admin.token" }
  var usualCheckLog: String { directory + "/checks.ndjson" }
  package var parametersPath: String { directory + "/exchange.parameters" }
}

package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  package var host: String
  /// 0 for any free one.
  package var port: Int

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard let port = UInt16(digits), digits.allSatisfy({ $0.isASCII && $0.isNumber }) else {
      return nil
    }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }) else {
      return nil
    }
    self.init(host: String(host), port: Int(port))
  }

  package var isLoopback: Bool { Self.isLoopback(host) }

  static func isLoopback(_ host: String) -> Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
