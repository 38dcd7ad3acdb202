import DeviceIdentity
import DeviceLists
import RegistryStore
import Simulation
import Testing

/// What keeps a device black: the grounds that neither have ended nor are released.
@Suite(.serialized)
struct StandingTests {
  @Test func `each ground that blocks is named until it is ended or released`() async throws {
    try await withRegistry { registry in
      try await registry.addOperator("alfa", networks: [])
      let alfa = Scope.only(try #require(OperatorCode("alfa")))
      let tomorrow = try await registry.now(adding: 86_400)
      let device = Subject.imei(imei(1))
      for ground in [
        NewGround(on: device, code: .stolen, source: "police"),
        NewGround(on: device, scope: alfa, code: .operatorRequest, source: "operator:alfa"),
        NewGround(on: .tac(imei(1).tac), code: .notApproved, source: "approvals"),
        NewGround(on: device, code: .fraud, source: "court", start: tomorrow),
        NewGround(on: device, code: .ownershipClaim, source: "owner"),
      ] { try await registry.store.write { _ = try await $0.addGround(ground, by: "anna") } }
      #expect(try await standing(registry) == ["notApproved", "operatorRequest", "stolen"])
      #expect(
        try await standing(registry, asOf: tomorrow)
          == ["fraud", "notApproved", "operatorRequest", "stolen"])
      try await registry.store.write {
        _ = try await $0.unblock(imei(1), source: "police", reason: "found", by: "anna")
      }
      #expect(try await standing(registry) == ["notApproved", "operatorRequest"])
      try await registry.store.write {
        _ = try await $0.release(imei(1), caseReference: "", reason: "wrong", by: "anna")
      }
      #expect(try await standing(registry) == [])
      try await registry.store.write {
        _ = try await $0.endReleases(of: imei(1), reason: "mistake", by: "anna")
        _ = try await $0.addGround(
          NewGround(on: device, code: .protected, source: "regulator"), by: "anna")
      }
      #expect(try await standing(registry) == [])
    }
  }

  private func standing(
    _ registry: TestRegistry, asOf moment: Instant? = nil
  ) async throws -> [String] {
    let now = if let moment { moment } else { try await registry.now() }
    return try await registry.store.read { try await $0.device(imei(1)) }
      .standingBlacks(asOf: now).map(\.code.description).sorted()
  }
}
