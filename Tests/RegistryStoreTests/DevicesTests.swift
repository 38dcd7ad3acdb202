import DeviceIdentity
import DeviceLists
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Devices of several IMEIs: what is in force on one holds for all.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct DevicesTests {
  @Test func `a device is blocked on every IMEI, whichever is named`() async throws {
    try await withRegistry { registry in
      try await link([imei(2), imei(1)], registry)
      let receipt = try await registry.store.write {
        try await $0.block(
          imei(2), with: NewGround(on: .imei(imei(2)), code: .stolen, source: "police"),
          by: "anna")
      }
      #expect(receipt.imeis == [imei(1), imei(2)])
      #expect(receipt.marks.count == 2)
      var state = RegistryState(
        grounds: [
          "1 35000000000001/0 @0 stolen 1 by police, in force",
          "1 35000000000002/0 @0 stolen 1 by police, in force",
        ], dirty: ["1 35000000000001/0 @0 !1", "1 35000000000002/0 @0 !1"])
      #expect(try await RegistryState(of: registry) == state)
      try await registry.store.write {
        _ = try await $0.release(imei(1), caseReference: "", reason: "wrong", by: "anna")
      }
      state.releases = [
        "1 35000000000001/0 @0 stolen, in force", "1 35000000000002/0 @0 stolen, in force",
      ]
      state.dirty += ["1 35000000000001/0 @0 !0", "1 35000000000002/0 @0 !0"]
      #expect(try await RegistryState(of: registry) == state)
    }
  }

  @Test func `an IMEI that joins inherits grounds and releases`() async throws {
    try await withRegistry { registry in
      let tomorrow = try await registry.now(adding: 86_400)
      for ground in [
        NewGround(on: .imei(imei(1)), code: .stolen, source: "police"),
        NewGround(on: .imei(imei(1)), code: .fraud, source: "police", end: tomorrow),
        NewGround(on: .imei(imei(1)), code: .duplicate, source: "alfa", start: tomorrow),
        NewGround(on: .imei(imei(1)), code: .protected, source: "regulator"),
        NewGround(on: .imei(imei(2)), code: .stolen, source: "police"),
        NewGround(on: .imei(imei(3)), code: .lost, source: "police"),
      ] { try await registry.store.write { _ = try await $0.addGround(ground, by: "anna") } }
      try await registry.store.write {
        _ = try await $0.unblock(imei(3), source: "police", reason: "found", by: "anna")
        _ = try await $0.release(imei(1), caseReference: "", reason: "wrong", by: "anna")
      }
      var state = try await RegistryState(of: registry)
      #expect(state.releases == ["1 35000000000001/0 @0 fraud+stolen, in force"])

      try await link([imei(1), imei(2)], registry)
      state.grounds += [
        "1 35000000000002/0 @0 duplicate 1 by alfa, to come",
        "1 35000000000002/0 @0 fraud 1 by police, for a time",
      ]
      state.releases.append("1 35000000000002/0 @0 fraud+stolen, in force")
      state.dirty += Array(repeating: "1 35000000000002/0 @0 !1", count: 1)
      state.dirty.append("1 35000000000002/0 @0 !0")
      #expect(try await RegistryState(of: registry) == state)

      try await link([imei(2), imei(3)], registry)
      state.grounds += [
        "1 35000000000003/0 @0 duplicate 1 by alfa, to come",
        "1 35000000000003/0 @0 fraud 1 by police, for a time",
        "1 35000000000003/0 @0 stolen 1 by police, in force",
      ]
      state.releases.append("1 35000000000003/0 @0 fraud+stolen, in force")
      state.dirty += ["1 35000000000003/0 @0 !1", "1 35000000000003/0 @0 !0"]
      #expect(try await RegistryState(of: registry) == state)

      try await link([imei(1), imei(3)], registry)
      #expect(try await RegistryState(of: registry) == state, "Nothing is new to anyone.")
      #expect(try await registry.number("SELECT count(*) FROM device") == 1)
    }
  }

  @Test func `an inherited release lifts what its own type bears`() async throws {
    try await withRegistry { registry in
      let barred = imei(1, type: 35_000_001)
      let ground = NewGround(on: .imei(imei(1)), code: .notApproved, source: "approvals")
      let wide = NewGround(on: .tac(barred.tac), code: .notApproved, source: "approvals")
      try await registry.store.write {
        _ = try await $0.addGround(ground, by: "anna")
        _ = try await $0.addGround(wide, by: "anna")
        _ = try await $0.release(imei(1), caseReference: "", reason: "wrong", by: "anna")
      }
      try await link([imei(1), barred, imei(2)], registry)
      #expect(
        try await RegistryState(of: registry).releases.sorted() == [
          "1 35000000000001/0 @0 notApproved, in force",
          "1 35000000000002/0 @0 notApproved, in force",
          "1 35000001000001/0 @0 notApproved and wider, in force",
        ])
    }
  }

  @Test func `IMEIs of two devices are not made one`() async throws {
    try await withRegistry { registry in
      try await link([imei(1), imei(2)], registry)
      try await link([imei(3), imei(4)], registry)
      try await registry.expectRefusal(.deviceTaken) {
        _ = try await $0.link([imei(2), imei(3)], source: "customs", by: "anna")
      }
      try await registry.expectRefusal(.unfit) {
        _ = try await $0.link([], source: "customs", by: "anna")
      }
      try await registry.expectRefusal(.unfit) {
        _ = try await $0.link((0..<17).map { imei($0) }, source: "customs", by: "anna")
      }
      try await registry.expectRefusal(.unfit) {
        _ = try await $0.link((4..<20).map { imei($0) }, source: "customs", by: "anna")
      }
    }
  }

  @Test func `whatever is decided at once, the IMEIs of a device are alike at rest`()
    async throws
  {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    try await withRegistry { registry in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<6 {
          group.addTask { try await decide(registry, seed: seed &+ UInt64(writer), count: 40) }
        }
        try await group.waitForAll()
      }
      let unlike = try await registry.number(
        """
        WITH held AS (
          SELECT d.device_id, d.imei, array_agg(DISTINCT g.code || g.source) AS grounds
            FROM device_imei d
            LEFT JOIN ground g ON g.subject_kind = 1 AND g.subject_key1 = d.imei
                               AND g.ended_at IS NULL
           GROUP BY d.device_id, d.imei
        )
        SELECT count(*) FROM held a JOIN held b USING (device_id) WHERE a.grounds <> b.grounds
        """)
      #expect(unlike == 0, "IMEIs of one device with other grounds than their siblings.")
      let doubled = try await registry.number(
        """
        SELECT count(*)
          FROM (SELECT 1 FROM ground WHERE ended_at IS NULL
                 GROUP BY subject_key1, code, source HAVING count(*) > 1) twice
        """)
      #expect(doubled == 0, "The same ground of the same source twice.")
    }
  }

  /// Blocks, unblocks and links among twelve IMEIs.
  private func decide(_ registry: TestRegistry, seed: UInt64, count: Int) async throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<count {
      let one = imei(UInt64.random(in: 0..<12, using: &random))
      let other = imei(UInt64.random(in: 0..<12, using: &random))
      let source = Bool.random(using: &random) ? "police" : "court"
      let action = Int.random(in: 0..<4, using: &random)
      do {
        try await registry.store.write {
          switch action {
          case 0: _ = try await $0.link([one, other], source: "customs", by: "anna")
          case 1: _ = try await $0.unblock(one, source: source, reason: "", by: "anna")
          default:
            _ = try await $0.block(
              one, with: NewGround(on: .imei(one), code: .stolen, source: source), by: "anna")
          }
        }
      } catch let error as StoreError {
        #expect([.alreadyBlocked, .notBlocked, .deviceTaken].contains(error.code))
      }
    }
  }

  @Test func `a device shows all that bears on it`() async throws {
    try await withRegistry { registry in
      try await registry.addOperator("alfa", networks: ["00101"])
      try await link([imei(1), imei(2)], registry)
      try await registry.script(
        """
        INSERT INTO list_entry (subject_kind, subject_key1, subject_key2, scope, status,
                                ground_codes, overridable, since, position)
        VALUES (1, 35000000000001, 0, 0, 1, '{stolen}', false, now(), 1),
               (1, 35000000000001, 0, 1, 2, '{ownershipClaim}', true, now(), 2),
               (1, 35000000000002, 0, 0, 1, '{stolen}', false, now(), 3),
               (2, 35000000000000, 35000000000001, 0, 1, '{simBox}', true, now(), 4),
               (2, 35000000000002, 35000000000009, 0, 1, '{simBox}', true, now(), 5),
               (3, 35000000, 0, 0, 0, '{tacAllocated}', true, now(), 6),
               (3, 35000001, 0, 0, 0, '{tacAllocated}', true, now(), 7),
               (4, 35000000000001, 15001010000000001, 0, 0, '{genuineOwner}', true, now(), 8),
               (4, 35000000000001, 15001010000000001, 1, 0, '{genuineOwner}', true, now(), 9),
               (4, 35000000000001, 15001010000000002, 1, 0, '{genuineOwner}', true, now(), 10)
        """)
      let record = try await registry.store.read { try await $0.device(imei(1)) }
      #expect(record.imei == imei(1))
      #expect(record.siblings == [imei(2)])
      #expect(record.manufacturer == nil)
      #expect(record.entries.map(\.position.number) == [1, 2, 4, 6])
      #expect(record.entries.map(\.scope.description) == ["all", "alfa", "all", "all"])
      #expect(record.pairingCount == 2)
      #expect(record.grounds.isEmpty && record.releases.isEmpty)
    }
  }

  private func link(_ imeis: [IMEI], _ registry: TestRegistry) async throws {
    try await registry.store.write {
      _ = try await $0.link(imeis, source: "customs", by: "anna")
    }
  }
}
