package import DeviceLists

/// `GET /exchange/v1/status` at the CEIR: where the registry stands.
package struct RegistryStatus: Hashable, Sendable {
  package var registry: RegistryName
  package var epoch: Epoch
  package var position: Position

  package init(registry: RegistryName, epoch: Epoch, position: Position) {
    self.registry = registry
    self.epoch = epoch
    self.position = position
  }
}

extension RegistryStatus: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("registry", registry.description)
    text.member("epoch", epoch.description)
    text.member("position", position.number)
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    registry = try object.member("registry") { RegistryName($0) }
    epoch = try object.member("epoch") { Epoch($0) }
    position = try object.position("position")
  }
}
