package import DeviceLists
import RegistryStore

extension Registrar {
  /// Ends a node. Returns the serials of the certificates that ended with it; nil where it had
  /// retired before, which changes nothing.
  package func retireNode(
    _ name: NodeName, of code: OperatorCode, reason: String, by actor: String
  ) async throws -> [String]? {
    try await store.write { registry in
      let serials = try await registry.retireNode(name, of: code, by: actor, reason: reason)
      guard let serials else { return nil }
      try await registry.recordActivity(
        "operator.retireNode", by: actor,
        about: [
          "operator": code.description, "node": name.description, "reason": reason,
          "serials": serials.joined(separator: " "),
        ])
      return serials
    }
  }
}
