/// How N17 is guarded; nothing is, where nothing is set.
package struct N17Settings: Hashable, Sendable {
  /// The file of the NRF's public keys; nil where no token is asked for.
  package var tokenKeys: String?
  /// Who this node is to the NRF: a UUID in small letters. TS 29.571, 5.3.2.
  package var nfInstanceID: String?
  package var tls: ListenerCertificates?

  package init() {}
}

extension SettingsText {
  mutating func n17() -> N17Settings {
    var settings = N17Settings()
    settings.tokenKeys = text(.n17TokenKeys)
    if let id = text(.n17NFInstanceID) {
      settings.nfInstanceID = Self.uuid(id)
      if settings.nfInstanceID == nil {
        complain(.n17NFInstanceID, id, "give a UUID, as the NRF knows this node by")
      }
    }
    settings.tls = certificates(.n17TLSCertificate, .n17TLSKey, .n17TLSClientCA)
    return settings
  }

  /// 8-4-4-4-12 hexadecimal digits. RFC 9562, 4.
  private static func uuid(_ text: String) -> String? {
    let groups = text.split(separator: "-", omittingEmptySubsequences: false)
    guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12] else { return nil }
    guard groups.allSatisfy({ $0.utf8.allSatisfy(Self.isHexadecimal) }) else { return nil }
    return text.lowercased()
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
    default: false
    }
  }
}
