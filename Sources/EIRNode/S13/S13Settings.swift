package import Diameter

/// Where and for whom S13 is answered.
package struct S13Settings: Hashable, Sendable {
  /// Who may connect, by the Origin-Host that a peer tells.
  package enum AllowedPeers: Hashable, Sendable {
    case any
    /// Names, and domains (`*.DOMAIN`) whose every name is allowed.
    case named(Set<DiameterIdentity>, domains: [DiameterIdentity])

    /// `any`, or names and `*.DOMAIN` with commas between.
    package init?(_ text: String) {
      if text == "any" {
        self = .any
        return
      }
      var names: Set<DiameterIdentity> = []
      var domains: [DiameterIdentity] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let part = part.drop { $0 == " " }
        if part.hasPrefix("*.") {
          guard let domain = DiameterIdentity(part.dropFirst(2)) else { return nil }
          domains.append(domain)
        } else {
          guard let name = DiameterIdentity(part) else { return nil }
          names.insert(name)
        }
      }
      self = .named(names, domains: domains)
    }

    func allow(_ peer: DiameterIdentity) -> Bool {
      switch self {
      case .any: true
      case .named(let names, let domains):
        names.contains(peer) || domains.contains { peer.isBelow($0) }
      }
    }
  }

  /// Over TCP.
  package var listen: SocketAddress?
  /// Over TCP with TLS, and with what.
  package var tlsListen: SocketAddress?
  package var tls: ListenerCertificates?
  /// Over SCTP, where the kernel has it.
  package var sctpListen: SocketAddress?
  /// Origin-Host and Origin-Realm of this node.
  package var host: DiameterIdentity
  package var realm: DiameterIdentity
  /// Destination-Realms that are served besides ``realm``.
  package var realms: [DiameterIdentity] = []
  package var peers: AllowedPeers
  /// Tw of RFC 3539.
  package var watchdogSeconds = 30

  package static let watchdogSecondsAllowed = 6...600

  package init(host: DiameterIdentity, realm: DiameterIdentity, peers: AllowedPeers) {
    self.host = host
    self.realm = realm
    self.peers = peers
  }
}

extension SettingsText {
  /// Nil where S13 is not answered.
  mutating func s13() -> S13Settings? {
    let (listen, sctpListen) = (s13Address(.s13Listen), s13Address(.s13SCTPListen))
    let tlsListen = s13Address(.s13TLSListen)
    let tls = certificates(.s13TLSCertificate, .s13TLSKey, .s13TLSClientCA)
    if let tlsListen, tls?.clientCA == nil {
      complain(
        .s13TLSListen, "\(tlsListen)",
        "name s13.tls.certificate, s13.tls.key and s13.tls.clientCa too, or leave this out")
    }
    guard listen != nil || sctpListen != nil || tlsListen != nil else { return nil }
    let host = required(.s13Host, "give this node's Diameter name, such as eir.example.org") {
      DiameterIdentity($0)
    }
    let realm = required(.s13Realm, "give this node's Diameter realm, such as example.org") {
      DiameterIdentity($0)
    }
    let peers = required(
      .s13Peers, "name the peers that may connect, *.DOMAIN for all below it, with commas, or any"
    ) { S13Settings.AllowedPeers($0) }
    let realms = optional(.s13Realms, "give realms with commas between") { text in
      let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      let realms = parts.compactMap { part in DiameterIdentity(part.drop { $0 == " " }) }
      return realms.count == parts.count ? realms : nil
    }
    let seconds = optional(.s13WatchdogSeconds, "give whole seconds, from 6 to 600") { text in
      Int(text).flatMap { S13Settings.watchdogSecondsAllowed.contains($0) ? $0 : nil }
    }
    guard let host, let realm, let peers else { return nil }
    var settings = S13Settings(host: host, realm: realm, peers: peers)
    settings.listen = listen
    settings.sctpListen = sctpListen
    settings.tlsListen = tlsListen
    settings.tls = tls
    settings.realms = realms ?? []
    if let seconds { settings.watchdogSeconds = seconds }
    return settings
  }

  private mutating func s13Address(_ key: SettingKey) -> SocketAddress? {
    optional(key, "give an address and a port, such as 127.0.0.1:3868") { SocketAddress($0) }
  }
}
