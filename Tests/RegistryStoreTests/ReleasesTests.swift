import DeviceIdentity
import DeviceLists
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Releases, and what lies wider than one device.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct ReleasesTests {
  @Test func `a release names what is in force on device, type and range, by scope`()
    async throws
  {
    try await withRegistry { registry in
      try await registry.addOperator("alfa", networks: ["00101"])
      let alfa = Scope.only(try #require(OperatorCode("alfa")))
      let range = try #require(IMEIRange(first: imei(0), last: imei(9)))
      let elsewhere = try #require(IMEIRange(first: imei(10), last: imei(19)))
      let tomorrow = try await registry.now(adding: 86_400)
      for ground in [
        NewGround(on: .imei(imei(1)), code: .stolen, source: "police"),
        NewGround(on: .imei(imei(1)), code: .fraud, source: "police", start: tomorrow),
        NewGround(on: .imei(imei(1)), scope: alfa, code: .ownershipClaim, source: "alfa"),
        NewGround(on: .imei(imei(1)), code: .registered, source: "customs"),
        NewGround(on: .imei(imei(2)), code: .lost, source: "police"),
        NewGround(on: .range(range), code: .notApproved, source: "approvals"),
        NewGround(on: .range(elsewhere), code: .simBox, source: "approvals"),
        NewGround(on: .tac(imei(0).tac), scope: alfa, code: .barredTac, source: "approvals"),
      ] { try await registry.store.write { _ = try await $0.addGround(ground, by: "anna") } }
      let before = try await RegistryState(of: registry)

      try await release(imei(1), registry)
      var state = before
      state.releases = [
        "1 35000000000001/0 @0 notApproved+stolen and wider, in force",
        "1 35000000000001/0 @1 barredTac+ownershipClaim and wider, in force",
      ]
      state.dirty += ["1 35000000000001/0 @0 !0", "1 35000000000001/0 @1 !0"]
      #expect(try await RegistryState(of: registry) == state)

      try await registry.expectRefusal(.notBlocked) {
        _ = try await $0.release(imei(1), caseReference: "", reason: "again", by: "anna")
      }
      try await registry.store.write {
        _ = try await $0.endReleases(of: imei(1), reason: "mistake", by: "anna")
      }
      state.releases = state.releases.map { $0.replacing("in force", with: "ended") }
      state.dirty += ["1 35000000000001/0 @0 !1", "1 35000000000001/0 @1 !1"]
      #expect(try await RegistryState(of: registry) == state)
      try await registry.expectRefusal(.notReleased) {
        _ = try await $0.endReleases(of: imei(1), reason: "", by: "anna")
      }
    }
  }

  @Test func `who blocks what a release covers is told`() async throws {
    try await withRegistry { registry in
      try await registry.addOperator("alfa", networks: ["00101"])
      let alfa = Scope.only(try #require(OperatorCode("alfa")))
      @Sendable func ground(_ scope: Scope, _ source: String) -> NewGround {
        NewGround(on: .imei(imei(1)), scope: scope, code: .stolen, source: source)
      }
      try await registry.store.write {
        _ = try await $0.block(imei(1), with: ground(.all, "police"), by: "anna")
      }
      try await release(imei(1), registry)
      try await registry.expectRefusal(.releaseStands) {
        _ = try await $0.block(imei(1), with: ground(.all, "court"), by: "anna")
      }
      // Each scope is folded for itself: this block has its effect.
      try await registry.store.write {
        _ = try await $0.block(imei(1), with: ground(alfa, "court"), by: "anna")
      }
      #expect(
        try await RegistryState(of: registry).grounds == [
          "1 35000000000001/0 @0 stolen 1 by police, in force",
          "1 35000000000001/0 @1 stolen 1 by court, in force",
        ])
    }
  }

  @Test func `what comes to the type after a release is released by another`() async throws {
    try await withRegistry { registry in
      for subject in [Subject.imei(imei(1)), .tac(imei(0).tac)] {
        let ground = NewGround(on: subject, code: .notApproved, source: "approvals")
        try await registry.store.write { _ = try await $0.addGround(ground, by: "anna") }
        try await release(imei(1), registry)
      }
      #expect(
        try await RegistryState(of: registry).releases == [
          "1 35000000000001/0 @0 notApproved, in force",
          "1 35000000000001/0 @0 notApproved and wider, in force",
        ])
    }
  }

  /// TS 23.003, 2.2: MCC and MNC lead the IMSI; of two networks the longer is meant.
  @Test(arguments: [
    ("001010123456789", 1), ("001021234567890", 2), ("001020", 2), ("001028", 3), ("00103", 0),
    ("901700000000001", 0),
  ])
  func `a pairing has the scope of its subscriber's operator`(imsi: String, scope: Int)
    async throws
  {
    try await withRegistry { registry in
      try await registry.addOperator("alfa", networks: ["00101"])
      try await registry.addOperator("beta", networks: ["00102"])
      try await registry.addOperator("gama", networks: ["001028"])
      let pairing = Pairing(imei: imei(1), imsi: try IMSI(imsi))
      let receipt = try await registry.store.write {
        try await $0.addGround(
          NewGround(on: .pairing(pairing), code: .genuineOwner, source: "court"), by: "anna")
      }
      #expect(receipt.imeis == [imei(1)])
      #expect(
        try await RegistryState(of: registry)
          == RegistryState(
            grounds: [
              "4 35000000000001/\(pairing.imsi.packed) @\(scope) genuineOwner 0 by court, in force"
            ],
            dirty: ["4 35000000000001/\(pairing.imsi.packed) @\(scope) !1"]))
    }
  }

  @Test func `pairings follow their network to a new operator`() async throws {
    try await withRegistry { registry in
      try await registry.addOperator("alfa", networks: ["00102"])
      let end = try await registry.now(adding: 86_400)
      for (imsi, code, end) in [
        ("001010000000001", GroundCode.genuineOwner, nil), ("001010000000002", .fraud, end),
        ("001020000000003", .genuineOwner, nil), ("001020000000004", .fraud, nil),
      ] {
        let pairing = Pairing(imei: imei(1), imsi: try IMSI(imsi))
        let ground = NewGround(on: .pairing(pairing), code: code, source: "court", end: end)
        try await registry.store.write { _ = try await $0.addGround(ground, by: "anna") }
      }
      try await registry.addOperator("beta", networks: ["00101", "001020"])
      let state = try await RegistryState(of: registry)
      #expect(
        state.grounds.sorted() == [
          "4 35000000000001/15001010000000001 @0 genuineOwner 0 by court, ended",
          "4 35000000000001/15001010000000001 @2 genuineOwner 0 by court, in force",
          "4 35000000000001/15001010000000002 @0 fraud 1 by court, ended",
          "4 35000000000001/15001010000000002 @2 fraud 1 by court, for a time",
          "4 35000000000001/15001020000000003 @1 genuineOwner 0 by court, ended",
          "4 35000000000001/15001020000000003 @2 genuineOwner 0 by court, in force",
          "4 35000000000001/15001020000000004 @1 fraud 1 by court, ended",
          "4 35000000000001/15001020000000004 @2 fraud 1 by court, in force",
        ])
      #expect(
        state.dirty.dropFirst(4).sorted() == [
          "4 35000000000001/15001010000000001 @0 !2", "4 35000000000001/15001010000000001 @2 !2",
          "4 35000000000001/15001010000000002 @0 !2", "4 35000000000001/15001010000000002 @2 !2",
          "4 35000000000001/15001020000000003 @1 !2", "4 35000000000001/15001020000000003 @2 !2",
          "4 35000000000001/15001020000000004 @1 !2", "4 35000000000001/15001020000000004 @2 !2",
        ])
    }
  }

  /// The first runs of a statement are planned for their values, later ones perhaps for any.
  @Test(arguments: [false, true])
  func `no decision on a device reads all grounds`(isAnalysed: Bool) async throws {
    try await withRegistry { registry in
      try await registry.script(
        """
        INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                            overridable, source, started_at, recorded_by)
        SELECT 1, 35000000000000 + n, 0, 0, 'duplicate', 1, true, 'mass', now(), 'test'
          FROM generate_series(1, 200000) n;
        INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                            overridable, source, started_at, recorded_by)
        SELECT 2, 35000000000000 + n, 35000000000000 + n + 10, 0, 'simBox', 1, true, 'mass', now(),
               'test'
          FROM generate_series(1, 1000) n;
        """)
      if isAnalysed { try await registry.script("ANALYZE ground") }
      try await registry.service.transaction { connection in
        let store = RegistryTransaction(connection: connection)
        for serial in UInt64(500)..<508 {
          _ = try await store.device(imei(serial))
          _ = try await store.block(
            imei(serial), with: NewGround(on: .imei(imei(serial)), code: .stolen, source: "p"),
            by: "anna")
          _ = try await store.release(imei(serial), caseReference: "", reason: "r", by: "anna")
          _ = try await store.endReleases(of: imei(serial), reason: "r", by: "anna")
          _ = try await store.unblock(imei(serial), source: "p", reason: "r", by: "anna")
          _ = try await store.link([imei(serial), imei(serial, type: 1)], source: "p", by: "anna")
        }
        let reads = try await connection.query(
          "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relid = 'ground'::regclass"
        ).only().int(0)
        #expect(reads == 0)
      }
    }
  }

  private func release(_ imei: IMEI, _ registry: TestRegistry) async throws {
    try await registry.store.write {
      _ = try await $0.release(imei, caseReference: "", reason: "wrong", by: "anna")
    }
  }
}
