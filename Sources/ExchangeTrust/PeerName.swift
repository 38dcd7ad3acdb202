package import DeviceLists

/// Who a certificate speaks for, as a URI among its subject alternative names:
/// `urn:openceir:XA:ceir`, `urn:openceir:XA:signer`, `urn:openceir:XA:node:alfa:eir-1`.
package struct PeerName: Hashable, Sendable, CustomStringConvertible {
  package enum Role: Hashable, Sendable {
    /// A process of the CEIR.
    case ceir
    /// What signs checkpoints.
    case signer
    case node(OperatorCode, NodeName)
  }

  package let registry: RegistryName
  package let role: Role

  package init(registry: RegistryName, role: Role) {
    self.registry = registry
    self.role = role
  }

  package init?(uri: some StringProtocol) {
    let parts = uri.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0] == "urn", parts[1] == "openceir" else { return nil }
    guard let registry = RegistryName(parts[2]) else { return nil }
    switch (parts[3], parts.count) {
    case ("ceir", 4): self.init(registry: registry, role: .ceir)
    case ("signer", 4): self.init(registry: registry, role: .signer)
    case ("node", 6):
      guard let code = OperatorCode(parts[4]), let node = NodeName(parts[5]) else { return nil }
      self.init(registry: registry, role: .node(code, node))
    default: return nil
    }
  }

  package var description: String {
    switch role {
    case .ceir: "urn:openceir:\(registry):ceir"
    case .signer: "urn:openceir:\(registry):signer"
    case .node(let code, let node): "urn:openceir:\(registry):node:\(code):\(node)"
    }
  }
}
