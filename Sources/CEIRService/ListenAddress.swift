/// Where a listener listens: `HOST:PORT`, with the host in brackets where it is an IPv6 address.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  package let host: String
  /// 0 takes a free one.
  package let port: Int

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  package init(_ text: String, _ key: String) throws(SettingsError) {
    guard let colon = text.lastIndex(of: ":"),
      let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port)
    else { throw Self.unusable(text, key) }
    var host = text[..<colon]
    let isBracketed = host.first == "[" && host.last == "]"
    if isBracketed { host = host.dropFirst().dropLast() }
    guard !host.isEmpty, host.contains(":") == isBracketed else { throw Self.unusable(text, key) }
    self.init(host: String(host), port: port)
  }

  private static func unusable(_ text: String, _ key: String) -> SettingsError {
    SettingsError(
      "\(key) must be an address and a port such as 127.0.0.1:8443, and \"\(text)\" is not.")
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
