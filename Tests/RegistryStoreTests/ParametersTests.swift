import DeviceLists
import RegistryStore
import Simulation
import Testing

/// How operators and nodes are told of changes, changed while they are.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct ParametersTests {
  @Test func `a set is in force once it is confirmed and its position is reached`() async throws {
    try await withNodes { registry, alfa, beta in
      try await report(alfa, 5, registry)
      #expect(try await shown(alfa, registry) == "–/–")
      #expect(try await propose("alfa", .push, after: 5, registry) == 1)
      #expect(try await shown(alfa, registry) == "–/1 push")
      #expect(try await shown(beta, registry) == "–/–")
      try await registry.store.write { try await $0.confirmParameters(1, of: alfa) }
      #expect(try await shown(alfa, registry) == "1 push/–")
      #expect(try await propose("alfa", .follow, after: 9, registry) == 2)
      try await registry.store.write { try await $0.confirmParameters(2, of: alfa) }
      #expect(try await shown(alfa, registry) == "1 push/2 follow", "until then the former goes on")
      try await report(alfa, 8, registry)
      #expect(try await shown(alfa, registry) == "1 push/2 follow")
      try await report(alfa, 9, registry)
      #expect(try await shown(alfa, registry) == "2 follow/–")
      #expect(try await propose("beta", .push, after: 0, registry) == 1, "of each operator its own")
    }
  }

  @Test func `only what was proposed last can be confirmed`() async throws {
    try await withNodes { registry, alfa, beta in
      await registry.expectError(.otherParameters) { try await $0.confirmParameters(1, of: alfa) }
      _ = try await propose("alfa", .push, after: 0, registry)
      _ = try await propose("alfa", .pushAsync, after: 0, registry)
      for version in [0, 1, 3] {
        await registry.expectError(.otherParameters) {
          try await $0.confirmParameters(version, of: alfa)
        }
      }
      await registry.expectError(.otherParameters) { try await $0.confirmParameters(2, of: beta) }
      for _ in 0..<2 {
        try await registry.store.write { try await $0.confirmParameters(2, of: alfa) }
      }
      #expect(try await shown(alfa, registry) == "2 pushAsync/–")
      #expect(try await registry.number("SELECT count(*) FROM exchange_confirmation") == 1)
    }
  }

  @Test func `a node may have parameters of its own`() async throws {
    try await withNodes { registry, first, _ in
      let second = try await registry.node("alfa", "eir-2")
      _ = try await propose("alfa", .push, after: 0, registry)
      _ = try await propose("alfa", .files, after: 0, of: "eir-2", registry)
      #expect(try await shown(first, registry) == "–/1 push")
      #expect(try await shown(second, registry) == "–/2 files")
      try await registry.store.write { try await $0.confirmParameters(1, of: first) }
      await registry.expectError(.otherParameters) { try await $0.confirmParameters(1, of: second) }
      let alfa = first.operatorCode
      try await registry.store.write { try await $0.confirmParameters(2, of: alfa, by: "anna") }
      #expect(try await shown(first, registry) == "1 push/–")
      #expect(try await shown(second, registry) == "2 files/–")
      let records = try await registry.store.read { try await $0.parameters(of: alfa) }
      #expect(records.map(\.version) == [2, 1])
      #expect(records.map(\.node) == ["eir-2", nil])
      #expect(records.map(\.isInForce) == [true, true])
      #expect(records.map(\.confirmedBy) == ["anna", "eir-1"])
      #expect(records.first?.document == #"{"version":2}"#)
      let files = try await registry.store.read { try await $0.fileParameters(of: alfa) }
      #expect(files?.version == 2)
      let plans = try await registry.store.read { try await $0.nodePlans() }
      #expect(plans.map(\.node.name) == ["eir-1", "eir-1", "eir-2"])
      #expect(plans.map(\.style) == [.push, .follow, .files])
      await registry.expectError(.unknownNode) {
        _ = try await $0.proposeParameters(
          for: alfa, node: NodeName("eir-9"), style: .push, effectiveAfter: 0, by: "anna"
        ) { _ in "" }
      }
    }
  }

  @Test func `files become effective with their replication, for an operator without nodes too`()
    async throws
  {
    try await withRegistry { registry in
      try await registry.addOperator("alfa", networks: [])
      let alfa = try #require(OperatorCode("alfa"))
      _ = try await propose("alfa", .files, after: 2, registry)
      await registry.expectError(.otherParameters) {
        try await $0.confirmParameters(2, of: alfa, by: "anna")
      }
      try await registry.store.write { try await $0.confirmParameters(1, of: alfa, by: "anna") }
      for number in Int64(1)...2 {
        let before = try await registry.store.read { try await $0.fileParameters(of: alfa) }
        #expect(before == nil)
        try await registry.store.write { try await $0.record(replication(number), of: alfa) }
      }
      let files = try await registry.store.read { try await $0.fileParameters(of: alfa) }
      #expect(files?.version == 1)
      let all = try await registry.store.read { try await $0.fileParameters() }
      #expect(all.map(\.code) == [alfa])
      #expect(all.map(\.number) == [ScopeNumber(1)])
    }
  }

  @Test func `who proposes at once gets versions one after the other`() async throws {
    try await withNodes { registry, alfa, _ in
      let versions = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<12 {
          group.addTask { try await propose("alfa", .push, after: 0, registry) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(versions.sorted() == Array(1...12))
      #expect(try await shown(alfa, registry) == "–/12 push")
    }
  }

  /// One of them is proposed while the other is confirmed: either the newest was confirmed, or the
  /// confirmation was refused.
  @Test func `a confirmation never agrees to parameters that it has not seen`() async throws {
    try await withNodes { registry, alfa, _ in
      for round in 1...10 {
        let version = try await propose("alfa", .push, after: 0, registry)
        let confirmation = Task {
          try await registry.store.write { try await $0.confirmParameters(version, of: alfa) }
        }
        _ = try await propose("alfa", .follow, after: 0, registry)
        let isConfirmed = (try? await confirmation.value) != nil
        let count = try await registry.number(
          "SELECT count(*) FROM exchange_confirmation WHERE version = \(version)")
        #expect(count == (isConfirmed ? 1 : 0), "round \(round)")
        #expect(try await shown(alfa, registry).hasSuffix("/\(version + 1) follow"))
      }
    }
  }

  /// `1 push/2 follow`: what is in force, and what was proposed after it.
  private func shown(_ node: NodeIdentity, _ registry: TestRegistry) async throws -> String {
    let found = try await registry.store.read { try await $0.parameters(of: node) }
    return [found.inForce, found.proposed].map { record in
      record.map { "\($0.version) \($0.style)" } ?? "–"
    }.joined(separator: "/")
  }

  private func propose(
    _ code: String, _ style: DeliveryStyle, after: Int64, of node: String? = nil,
    _ registry: TestRegistry
  ) async throws -> Int {
    let code = try #require(OperatorCode(code))
    return try await registry.store.write {
      try await $0.proposeParameters(
        for: code, node: node.flatMap { NodeName($0) }, style: style, effectiveAfter: after,
        by: "anna"
      ) { #"{"version":\#($0)}"# }
    }
  }

  private func report(
    _ node: NodeIdentity, _ position: UInt64, _ registry: TestRegistry
  ) async throws {
    try await registry.store.write {
      try await $0.report(
        of: node,
        NodeReport(standing: .init(epoch: Epoch(high: 1, low: 2), position: Position(position))))
    }
  }
}

func replication(_ number: Int64, kind: ReplicationRecord.Kind = .full) -> ReplicationRecord {
  ReplicationRecord(
    number: number, kind: kind, fileName: "XA_alfa_\(number)_\(kind).csv", bytes: 10,
    sha256: hash(UInt8(truncatingIfNeeded: number)), records: 3, parametersVersion: 1,
    epoch: Epoch(high: 1, low: 2), after: .start, upTo: Position(UInt64(number)),
    manifest: "{}")
}
