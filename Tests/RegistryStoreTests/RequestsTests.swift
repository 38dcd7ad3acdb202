import DeviceIdentity
import DeviceLists
import RegistryStore
import Simulation
import Testing

/// What operators ask for devices, under their policy.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct RequestsTests {
  private static let own = "001010000000001"
  private static let foreign = "001020000000001"

  /// Policy, subscriber, and what becomes of a block.
  @Test(
    arguments: [
      (.accepted, own, .accepted),
      (.accepted, foreign, .pending), (.accepted, nil, .pending),
      (.accepted, "901700000000001", .pending), (.reviewed, own, .pending),
      (.reviewed, nil, .pending),
    ] as [(OperatorPolicy.Requests, String?, RecordedRequest.State)])
  func `a block is accepted at once for the operator's own subscribers, by its policy`(
    rule: OperatorPolicy.Requests, imsi: String?, state: RecordedRequest.State
  ) async throws {
    try await withNodes { registry, alfa, _ in
      try await set(OperatorPolicy(blockRequests: rule), of: alfa, registry)
      let request = try await submit(.block, imsi: imsi, by: alfa, registry)
      #expect(request.state == state)
      #expect((request.kind, request.imei, request.node) == (.block, imei(1), "eir-1"))
      #expect(request.decidedBy == (state == .pending ? nil : "node:alfa/eir-1"))
      let found = try await RegistryState(of: registry)
      let ground = "1 35000000000001/0 @1 operatorRequest 1 by operator:alfa, in force"
      #expect(found.grounds == (state == .pending ? [] : [ground]))
      #expect(found.dirty == (state == .pending ? [] : ["1 35000000000001/0 @1 !1"]))
    }
  }

  @Test func `what the policy refuses leaves nothing`() async throws {
    try await withNodes { registry, alfa, beta in
      try await set(
        OperatorPolicy(blockRequests: .refused, unblockRequests: .reviewed), of: alfa, registry)
      try await registry.expectRefusal(.policyForbids) {
        _ = try await $0.submit(request(.block, imsi: Self.own), of: alfa)
      }
      #expect(try await submit(.unblock, imsi: nil, by: alfa, registry).state == .pending)
      #expect(try await submit(.block, imsi: nil, by: beta, registry).state == .pending)
      #expect(try await registry.number("SELECT count(*) FROM operator_request") == 2)
    }
  }

  @Test func `an accepted request is followed to its publication`() async throws {
    try await withNodes { registry, alfa, beta in
      try await set(OperatorPolicy(blockRequests: .accepted), of: alfa, registry)
      let request = try await submit(.block, imsi: Self.own, by: alfa, registry)
      func found(_ number: ScopeNumber?) async throws -> RecordedRequest? {
        try await registry.store.write { try await $0.request(request.request, of: number) }
      }
      #expect(try await found(alfa.operatorNumber) == request)
      #expect(try await found(beta.operatorNumber) == nil)
      try await publishAll(upTo: 7, registry)
      let published = try #require(try await found(nil))
      #expect((published.state, published.position) == (.published, Position(7)))
      try await publishAll(upTo: 9, registry)
      #expect(try await found(nil)?.position == Position(7), "where it was published stays")
    }
  }

  @Test func `an unblock ends the operator's own grounds alone`() async throws {
    try await withNodes { registry, alfa, beta in
      for node in [alfa, beta] {
        try await set(
          OperatorPolicy(blockRequests: .accepted, unblockRequests: .accepted), of: node, registry)
      }
      _ = try await submit(.block, imsi: Self.own, by: alfa, registry)
      _ = try await submit(.block, imsi: Self.foreign, by: beta, registry)
      try await registry.store.write {
        _ = try await $0.block(
          imei(1), with: NewGround(on: .imei(imei(1)), code: .stolen, source: "police"), by: "anna")
      }
      let unblock = try await submit(.unblock, imsi: Self.own, by: alfa, registry)
      #expect(unblock.state == .accepted)
      #expect(
        try await RegistryState(of: registry).grounds == [
          "1 35000000000001/0 @1 operatorRequest 1 by operator:alfa, ended",
          "1 35000000000001/0 @2 operatorRequest 1 by operator:beta, in force",
          "1 35000000000001/0 @0 stolen 1 by police, in force",
        ])
      let again = try await submit(.unblock, imsi: Self.own, by: alfa, registry)
      #expect(again.state == .refused)
      #expect(again.refusal?.contains("operator:alfa has no ground in force") == true)
    }
  }

  @Test func `a block that is there is accepted, one that a release covers is refused`()
    async throws
  {
    try await withNodes { registry, alfa, _ in
      try await set(OperatorPolicy(blockRequests: .accepted), of: alfa, registry)
      for _ in 0..<2 {
        #expect(try await submit(.block, imsi: Self.own, by: alfa, registry).state != .refused)
      }
      #expect(try await RegistryState(of: registry).grounds.count == 1)
      try await registry.store.write {
        _ = try await $0.release(imei(1), caseReference: "", reason: "wrong", by: "anna")
      }
      let refused = try await submit(.block, imsi: Self.own, by: alfa, registry)
      #expect((refused.state, refused.position) == (.refused, nil))
      #expect(refused.refusal?.contains("covers the ground operatorRequest") == true)
      #expect(try await RegistryState(of: registry).grounds.count == 1)
    }
  }

  @Test func `a person accepts and refuses, once`() async throws {
    try await withNodes { registry, alfa, _ in
      let first = try await submit(.block, imsi: nil, by: alfa, registry)
      let second = try await submit(.unblock, imsi: nil, by: alfa, registry)
      let accepted = try await registry.store.write {
        try await $0.acceptRequest(first.request, by: "anna")
      }
      #expect((accepted.state, accepted.decidedBy) == (.accepted, "anna"))
      #expect(
        try await RegistryState(of: registry).grounds == [
          "1 35000000000001/0 @1 operatorRequest 1 by operator:alfa, in force"
        ])
      let refused = try await registry.store.write {
        try await $0.refuseRequest(second.request, reason: "no police report", by: "anna")
      }
      #expect((refused.state, refused.refusal) == (.refused, "no police report"))
      for name in [first.request, second.request] {
        try await registry.expectRefusal(.decidedAlready) {
          _ = try await $0.acceptRequest(name, by: "bert")
        }
        try await registry.expectRefusal(.decidedAlready) {
          _ = try await $0.refuseRequest(name, reason: "", by: "bert")
        }
      }
      try await registry.expectRefusal(.unknownRequest) {
        _ = try await $0.acceptRequest("unheard", by: "bert")
      }
      let unfounded = try await submit(.unblock, imsi: nil, by: alfa, registry)
      try await registry.store.write {
        _ = try await $0.unblock(imei(1), source: "operator:alfa", reason: "", by: "anna")
      }
      try await registry.expectRefusal(.notBlocked) {
        _ = try await $0.acceptRequest(unfounded.request, by: "anna")
      }
    }
  }

  @Test func `two that decide at once do not both decide`() async throws {
    try await withNodes { registry, alfa, _ in
      let pending = try await submit(.block, imsi: nil, by: alfa, registry)
      let decided = await withTaskGroup(of: Bool.self) { group in
        for number in 0..<8 {
          group.addTask {
            (try? await registry.store.write {
              number % 2 == 0
                ? try await $0.acceptRequest(pending.request, by: "anna")
                : try await $0.refuseRequest(pending.request, reason: "no", by: "bert")
            }) != nil
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(decided == 1)
      #expect(try await RegistryState(of: registry).grounds.count <= 1)
    }
  }

  @Test func `a day has so many requests, however many come at once`() async throws {
    try await withNodes { registry, alfa, beta in
      try await set(OperatorPolicy(blockRequests: .accepted, dailyLimit: 5), of: alfa, registry)
      let states = await withTaskGroup(of: String.self) { group in
        for serial in UInt64(0)..<12 {
          group.addTask {
            do {
              return try await registry.store.write {
                try await $0.submit(request(.block, serial, imsi: Self.own), of: alfa)
              }.state.rawValue
            } catch {
              guard case .dailyLimit(let seconds)? = (error as? StoreError)?.code else {
                return "\(error)"
              }
              return (1...86_400).contains(seconds) ? "limit" : "\(seconds) s"
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(
        states.sorted() == Array(repeating: "accepted", count: 5)
          + Array(repeating: "limit", count: 7))
      #expect(try await RegistryState(of: registry).grounds.count == 5)
      #expect(try await submit(.block, imsi: nil, by: beta, registry).state == .pending)
      try await registry.script(
        "UPDATE operator_request SET received_at = received_at - interval '1 day'")
      #expect(try await submit(.block, imsi: nil, by: alfa, registry).state == .pending)
    }
  }

  @Test func `requests are listed by state, operator and page`() async throws {
    try await withNodes { registry, alfa, beta in
      try await set(
        OperatorPolicy(blockRequests: .accepted, unblockRequests: .reviewed), of: alfa, registry)
      var names: [String] = []
      for (serial, kind, node) in [
        (1, .block, alfa), (2, .unblock, alfa), (3, .block, beta), (4, .block, alfa),
      ] as [(UInt64, NewDeviceRequest.Kind, NodeIdentity)] {
        names.append(
          try await registry.store.write {
            try await $0.submit(request(kind, serial, imsi: Self.own), of: node)
          }.request)
      }
      try await publishAll(upTo: 3, registry)
      names.append(
        try await registry.store.write {
          try await $0.submit(request(.block, 5, imsi: Self.own), of: alfa)
        }.request)
      for (node, state, after, limit, expected) in [
        (nil, nil, nil, 10, [0, 1, 2, 3, 4]), (nil, nil, nil, 2, [0, 1]), (nil, nil, 1, 2, [2, 3]),
        (alfa, nil, nil, 10, [0, 1, 3, 4]), (alfa, nil, 1, 10, [3, 4]), (beta, nil, nil, 10, [2]),
        (nil, .pending, nil, 10, [1, 2]), (alfa, .published, nil, 10, [0, 3]),
        (alfa, .accepted, nil, 10, [4]), (nil, .refused, nil, 10, []),
        (alfa, .published, 0, 1, [3]),
      ] as [(NodeIdentity?, RecordedRequest.State?, Int?, Int, [Int])] {
        let found = try await registry.store.write {
          try await $0.requests(
            of: node?.operatorNumber, state: state, after: after.map { names[$0] }, limit: limit)
        }
        #expect(found.map(\.request) == expected.map { names[$0] })
      }
    }
  }

  @Test func `nobody goes on after a request of another operator, or one that is not there`()
    async throws
  {
    try await withNodes { registry, alfa, beta in
      let theirs = try await submit(.block, imsi: nil, by: beta, registry).request
      for (node, cursor) in [(alfa, theirs), (alfa, "unheard"), (nil, "unheard")]
        as [(NodeIdentity?, String)]
      {
        await registry.expectError(.unknownCursor) {
          _ = try await $0.requests(of: node?.operatorNumber, after: cursor, limit: 1)
        }
      }
    }
  }

  private func request(
    _ kind: NewDeviceRequest.Kind, _ serial: UInt64 = 1, imsi: String?
  ) throws -> NewDeviceRequest {
    NewDeviceRequest(
      kind: kind, imei: imei(serial), imsi: try imsi.map { try IMSI($0) }, reason: "stolen",
      caseReference: "T-1")
  }

  private func submit(
    _ kind: NewDeviceRequest.Kind, imsi: String?, by node: NodeIdentity, _ registry: TestRegistry
  ) async throws -> RecordedRequest {
    let request = try request(kind, imsi: imsi)
    return try await registry.store.write { try await $0.submit(request, of: node) }
  }

  private func set(
    _ policy: OperatorPolicy, of node: NodeIdentity, _ registry: TestRegistry
  ) async throws {
    try await registry.store.write {
      try await $0.setPolicy(policy, of: node.operatorCode, by: "anna")
    }
    let found = try await registry.store.read { try await $0.policy(of: node.operatorCode) }
    #expect(found == policy)
  }
}

/// What the publisher does with all marks, as far as waiting for them shows.
func publishAll(upTo position: Int, _ registry: TestRegistry) async throws {
  try await registry.script(
    """
    INSERT INTO journal_batch (last_position, first_position, epoch, as_of)
    SELECT \(position), COALESCE((SELECT max(last_position) FROM journal_batch), 0) + 1, epoch,
           now()
      FROM epoch;
    DELETE FROM dirty
    """)
}
