package import DeviceLists

/// Whom the other side has proved to be.
package struct VerifiedPeer: Hashable, Sendable {
  package let name: PeerName
  package let serial: CertificateSerial
  /// The last second in which its certificate counts.
  package let notAfter: Instant

  package init(name: PeerName, serial: CertificateSerial, notAfter: Instant) {
    self.name = name
    self.serial = serial
    self.notAfter = notAfter
  }
}

/// Who is taken at one place.
package enum AcceptedPeer: Hashable, Sendable {
  case anyNode
  case ceir
  case signer
  case exactly(PeerName.Role)

  func accepts(_ role: PeerName.Role) -> Bool {
    switch (self, role) {
    case (.anyNode, .node), (.ceir, .ceir), (.signer, .signer): true
    case (.exactly(let wanted), let shown): wanted == shown
    default: false
    }
  }
}
