package import DeviceLists

/// `GET /exchange/v1/status` at a node: where it stands.
package struct NodeStatus: Hashable, Sendable {
  package var registry: RegistryName
  /// Nil where it has no list.
  package var standing: Standing?
  package var held: Int
  package var instance: InstanceID

  package init(registry: RegistryName, standing: Standing?, held: Int, instance: InstanceID) {
    self.registry = registry
    self.standing = standing
    self.held = held
    self.instance = instance
  }
}

extension NodeStatus: JSONMessage {
  package func write(into text: inout JSONText) {
    text.member("registry", registry.description)
    standing?.write(into: &text)
    text.member("held", UInt64(clamping: held))
    text.member("instance", instance.description)
  }

  package init(_ object: JSONValue) throws(ExchangeError) {
    registry = try object.member("registry") { RegistryName($0) }
    standing = try Standing.optional(in: object)
    held = try object.count("held", 0...Int.max)
    instance = try object.member("instance") { InstanceID($0) }
  }
}
