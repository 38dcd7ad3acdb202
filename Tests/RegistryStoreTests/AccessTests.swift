import DeviceIdentity
import DeviceLists
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Operators, their nodes, and tokens.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct AccessTests {
  @Test func `an operator has its networks and its policy`() async throws {
    try await withRegistry { registry in
      try await registry.addOperator("alfa", networks: ["00101", "001012"])
      try await registry.addOperator("beta", networks: ["00102"])
      try await expectAdding("alfa", ["00103"], refused: .operatorExists, registry)
      try await expectAdding("gama", ["00104", "00102"], refused: .networkTaken, registry)
      let records = try await registry.store.read { try await $0.operatorRecords() }
      #expect(records.map(\.code.description) == ["alfa", "beta"])
      #expect(records.map(\.networks) == [["00101", "001012"], ["00102"]])
      #expect(records.map(\.policy.mode) == [.unknown, .unknown])
      let modes = try await registry.store.read { try await $0.operatorModes() }
      #expect(modes == [ScopeNumber(1): .unknown, ScopeNumber(2): .unknown])
      let directory = try await registry.store.read { try await $0.operators() }
      let alfa = try #require(OperatorCode("alfa"))
      #expect(directory.number(.only(alfa)) == ScopeNumber(1))
      #expect(directory.scope(ScopeNumber(1)) == .only(alfa))
      #expect(directory.scope(.all) == .all)
      #expect(directory.scope(ScopeNumber(99)) == nil)
    }
  }

  @Test func `a token is known by its hash until it is revoked or expires`() async throws {
    try await withRegistry { registry in
      let now = try await registry.now()
      let tokens: [(name: String, role: StaffRole, hash: UInt8, expiry: Instant?)] = [
        ("anna", .officer, 1, nil), ("bert", .viewer, 2, now.adding(seconds: 3_600)),
        ("cleo", .auditor, 3, now.adding(seconds: -1)),
      ]
      #expect(try await registry.store.read { try await $0.hasTokens() } == false)
      for token in tokens {
        try await registry.store.write {
          try await $0.addToken(
            named: token.name, role: token.role, hash: hash(token.hash), expiresAt: token.expiry)
        }
      }
      #expect(try await registry.store.read { try await $0.hasTokens() })
      let (anna, bert) = ("anna officer", "bert viewer")
      #expect(try await staff(registry) == [anna, bert, nil, nil])
      try await registry.expectRefusal(.nameTaken) {
        try await $0.addToken(named: "anna", role: .viewer, hash: hash(9), expiresAt: nil)
      }
      try await registry.store.write { try await $0.revokeToken(named: "anna") }
      #expect(try await staff(registry) == [nil, bert, nil, nil])
      try await registry.expectRefusal(.unknownToken) { try await $0.revokeToken(named: "anna") }
      try await registry.store.write {
        try await $0.addToken(named: "anna", role: .viewer, hash: hash(4), expiresAt: nil)
      }
      #expect(try await staff(registry) == [nil, bert, nil, "anna viewer"])
      let listed = try await registry.store.read { try await $0.tokens() }
      #expect(listed.map(\.name) == ["cleo", "anna", "anna", "bert"])
      #expect(listed.map { $0.revokedAt != nil } == [false, true, false, false])
    }
  }

  @Test(arguments: ["", "alfa/eir-1", "a\nb", String(repeating: "a", count: 65)])
  func `a name that could not be revoked is refused`(name: String) async throws {
    try await withRegistry { registry in
      try await registry.expectRefusal(.unfit) {
        try await $0.addToken(named: name, role: .viewer, hash: hash(1), expiresAt: nil)
      }
    }
  }

  @Test func `a node speaks for its operator, and its position is never beyond the last`()
    async throws
  {
    try await withNodes { registry, alfa, _ in
      #expect((alfa.name, alfa.operatorNumber) == ("eir-1", ScopeNumber(1)))
      #expect(try await registry.node() == alfa, "it is made once")
      for position in [UInt64(7), .max] {
        try await registry.store.write {
          try await $0.report(
            of: alfa,
            NodeReport(
              standing: .init(epoch: Epoch(high: 1, low: 2), position: Position(position))))
        }
        let record = try await registry.store.read { try await $0.operatorRecords() }
          .first?.nodes.first
        #expect(record?.position?.number == min(position, UInt64(Int64.max)))
        #expect(record?.epoch == Epoch(high: 1, low: 2).description)
      }
    }
  }

  private func hash(_ byte: UInt8) -> [UInt8] { Array(repeating: byte, count: 32) }

  /// Whom the tokens with the hashes 1 to 4 stand for.
  private func staff(_ registry: TestRegistry) async throws -> [String?] {
    try await registry.store.read { registry in
      var staff: [String?] = []
      for byte in UInt8(1)...4 {
        let found = try await registry.staff(tokenHash: hash(byte))
        staff.append(found.map { "\($0.name) \($0.role)" })
      }
      return staff
    }
  }

  private func expectAdding(
    _ code: String, _ networks: [String], refused: StoreError.Code, _ registry: TestRegistry
  ) async throws {
    let error = await #expect(throws: StoreError.self) {
      try await registry.addOperator(code, networks: networks)
    }
    #expect(error?.code == refused)
  }
}
