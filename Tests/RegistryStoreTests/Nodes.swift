import DeviceIdentity
import DeviceLists
import RegistryStore
import Simulation
import Testing

extension TestRegistry {
  /// Makes the node where it is not there yet.
  func node(_ code: String = "alfa", _ name: String = "eir-1") async throws -> NodeIdentity {
    let code = try #require(OperatorCode(code))
    let name = try #require(NodeName(name))
    return try await store.write { try await $0.addNode(named: name, of: code) }
  }

  /// Writes, and expects a refusal.
  @discardableResult
  func expectError(
    _ code: StoreError.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: @Sendable (RegistryTransaction) async throws -> Void
  ) async -> StoreError? {
    let error = await #expect(throws: StoreError.self, sourceLocation: sourceLocation) {
      try await store.write { try await body($0) }
    }
    #expect(error?.code == code, sourceLocation: sourceLocation)
    return error
  }
}

/// A registry with the operators alfa (00101) and beta (00102), a node of each.
nonisolated(nonsending) func withNodes(
  _ body: (TestRegistry, _ alfa: NodeIdentity, _ beta: NodeIdentity) async throws -> Void
) async throws {
  try await withRegistry { registry in
    try await registry.addOperator("alfa", networks: ["00101"])
    try await registry.addOperator("beta", networks: ["00102"])
    try await body(registry, registry.node("alfa"), registry.node("beta"))
  }
}

/// 32 bytes that stand for a hash.
func hash(_ byte: UInt8) -> [UInt8] { Array(repeating: byte, count: 32) }
