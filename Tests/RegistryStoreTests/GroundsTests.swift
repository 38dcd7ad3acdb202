import DeviceIdentity
import DeviceLists
import PostgreSQL
import RegistryStore
import Simulation
import Synchronization
import Testing

/// Grounds and releases as people write them; the whole state after each step.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct GroundsTests {
  @Test func `a block and its end are marked, and the source ends only its own`() async throws {
    try await withRegistry { registry in
      let store = registry.store
      try await block(imei(1), .stolen, source: "police", in: registry)
      var state = RegistryState(
        grounds: ["1 35000000000001/0 @0 stolen 1 by police, in force"],
        dirty: ["1 35000000000001/0 @0 !1"])
      #expect(try await RegistryState(of: registry) == state)

      try await registry.expectRefusal(.alreadyBlocked) {
        _ = try await $0.block(
          imei(1), with: NewGround(on: .imei(imei(1)), code: .stolen, source: "police"),
          by: "anna")
      }
      try await registry.expectRefusal(.notBlocked) {
        _ = try await $0.unblock(imei(1), source: "court", reason: "", by: "anna")
      }

      try await block(imei(1), .courtOrder, source: "court", in: registry)
      state.grounds.append("1 35000000000001/0 @0 courtOrder 1 by court, in force")
      state.dirty.append("1 35000000000001/0 @0 !1")
      #expect(try await RegistryState(of: registry) == state)

      let receipt = try await store.write {
        try await $0.unblock(imei(1), source: "police", reason: "found", by: "bert")
      }
      #expect(receipt.marks.count == 1)
      state.grounds[0] = "1 35000000000001/0 @0 stolen 1 by police, ended"
      state.dirty.append("1 35000000000001/0 @0 !0")
      #expect(try await RegistryState(of: registry) == state)
      let record = try await store.read { try await $0.device(imei(1)) }
      #expect(record.grounds.map(\.endRecordedBy) == [nil, "bert"])
      #expect(record.grounds.map(\.endReason) == [nil, "found"])
    }
  }

  @Test func `a change is published once its marks are gone`() async throws {
    try await withRegistry { registry in
      let receipt = try await registry.store.write {
        try await $0.block(
          imei(1), with: NewGround(on: .imei(imei(1)), code: .stolen, source: "police"),
          by: "anna")
      }
      func published() async throws -> Position? {
        try await registry.store.read { try await $0.published(receipt) }
      }
      #expect(try await published() == nil)
      try await registry.script(
        """
        INSERT INTO journal_batch (last_position, first_position, epoch, as_of)
        SELECT 7, 1, epoch, now() FROM epoch;
        DELETE FROM dirty
        """)
      #expect(try await published() == Position(7))
    }
  }

  @Test func `a ground of another time hides none`() async throws {
    try await withRegistry { registry in
      let tomorrow = try await registry.now(adding: 86_400)
      func add(from start: Instant? = nil, to end: Instant? = nil) async throws {
        try await registry.store.write {
          _ = try await $0.block(
            imei(1),
            with: NewGround(
              on: .imei(imei(1)), code: .fraud, source: "police", start: start, end: end),
            by: "anna")
        }
      }
      try await add(from: tomorrow, to: tomorrow.adding(seconds: 60))
      try await add(to: tomorrow)
      try await add()
      #expect(
        try await RegistryState(of: registry).grounds == [
          "1 35000000000001/0 @0 fraud 1 by police, to come",
          "1 35000000000001/0 @0 fraud 1 by police, for a time",
          "1 35000000000001/0 @0 fraud 1 by police, in force",
        ])
      try await registry.expectRefusal(.alreadyBlocked) {
        _ = try await $0.block(
          imei(1),
          with: NewGround(on: .imei(imei(1)), code: .fraud, source: "police", end: tomorrow),
          by: "anna")
      }
      try await registry.store.write {
        _ = try await $0.unblock(imei(1), source: "police", reason: "", by: "bert")
      }
      let ended = "1 35000000000001/0 @0 fraud 1 by police, ended"
      #expect(try await RegistryState(of: registry).grounds == [ended, ended, ended])
    }
  }

  @Test(arguments: [(0, -1), (-10, -20), (20, 10), (10, 10)] as [(Int64, Int64)])
  func `a ground that would never be in force is refused`(start: Int64, end: Int64) async throws {
    try await withRegistry { registry in
      let now = try await registry.now()
      try await registry.expectRefusal(.unfit) {
        _ = try await $0.block(
          imei(1),
          with: NewGround(
            on: .imei(imei(1)), code: .stolen, source: "police",
            start: start == 0 ? nil : now.adding(seconds: start), end: now.adding(seconds: end)),
          by: "anna")
      }
    }
  }

  @Test func `a type, a range and a pairing have grounds too`() async throws {
    try await withRegistry { registry in
      try await registry.addOperator("alfa", networks: ["00101"])
      let type = Subject.tac(imei(0).tac)
      let range = Subject.range(try #require(IMEIRange(first: imei(5), last: imei(9))))
      let pairing = Subject.pairing(
        Pairing(imei: imei(1), imsi: try IMSI("001010123456789")))
      let alfa = Scope.only(try #require(OperatorCode("alfa")))
      let grounds = [
        NewGround(on: type, scope: alfa, code: .notApproved, source: "approvals"),
        NewGround(on: range, code: .barredTac, source: "approvals"),
        NewGround(on: pairing, code: .genuineOwner, source: "court"),
        NewGround(on: type, code: .tacAllocated, source: "approvals"),
      ]
      for ground in grounds {
        try await registry.store.write { _ = try await $0.addGround(ground, by: "anna") }
      }
      var state = RegistryState(
        grounds: [
          "3 35000000/0 @1 notApproved 1 by approvals, in force",
          "2 35000000000005/35000000000009 @0 barredTac 1 by approvals, in force",
          "4 35000000000001/15001010123456789 @1 genuineOwner 0 by court, in force",
          "3 35000000/0 @0 tacAllocated 0 by approvals, in force",
        ],
        dirty: [
          "3 35000000/0 @1 !1", "2 35000000000005/35000000000009 @0 !1",
          "4 35000000000001/15001010123456789 @1 !1", "3 35000000/0 @0 !1",
        ])
      #expect(try await RegistryState(of: registry) == state)
      for ground in grounds {
        try await registry.expectRefusal(.alreadyBlocked) {
          _ = try await $0.addGround(ground, by: "anna")
        }
      }
      try await registry.expectRefusal(.unfit) {
        _ = try await $0.addGround(
          NewGround(on: pairing, code: .ownershipClaim, source: "court"), by: "anna")
      }
      try await registry.expectRefusal(.notBlocked) {
        _ = try await $0.endGrounds(
          on: type, code: .notApproved, source: "court", reason: "", by: "anna")
      }
      try await registry.store.write {
        _ = try await $0.endGrounds(
          on: type, code: .notApproved, source: "approvals", reason: "", by: "anna")
        _ = try await $0.endGrounds(on: pairing, source: "court", reason: "", by: "anna")
      }
      state.grounds[0] = "3 35000000/0 @1 notApproved 1 by approvals, ended"
      state.grounds[2] = "4 35000000000001/15001010123456789 @1 genuineOwner 0 by court, ended"
      state.dirty += ["3 35000000/0 @1 !0", "4 35000000000001/15001010123456789 @1 !0"]
      #expect(try await RegistryState(of: registry) == state)
    }
  }

  @Test func `a write that fails leaves nothing`() async throws {
    struct OnPurpose: Error {}
    try await withRegistry { registry in
      await #expect(throws: OnPurpose.self) {
        try await registry.store.write {
          _ = try await $0.block(
            imei(1), with: NewGround(on: .imei(imei(1)), code: .stolen, source: "police"),
            by: "anna")
          throw OnPurpose()
        }
      }
      let state = try await RegistryState(of: registry)
      #expect(state == RegistryState())
    }
  }

  /// A standby that never answers holds a commit after it is stored here; then the connection is
  /// cut. Some commits may pass before the server has heard of the standby, which is the server's
  /// own: every commit on it waits.
  @Test func `a write that is stored though it failed is there once when it is repeated`()
    async throws
  {
    try await withRegistry(in: TestCluster(isDurable: false)) { registry in
      let (count, failure) = try await cutUntilUnknown(registry)
      #expect(failure?.code == .commitUnknown, "write \(count): \(String(describing: failure))")
      #expect(
        try await RegistryState(of: registry)
          == RegistryState(
            grounds: (1...count).map { "1 \(imei($0))/0 @0 stolen 1 by police, in force" },
            dirty: (1...count).map { "1 \(imei($0))/0 @0 !1" }))
      try await registry.expectRefusal(.alreadyBlocked) {
        let ground = NewGround(on: .imei(imei(count)), code: .stolen, source: "police")
        _ = try await $0.block(imei(count), with: ground, by: "anna")
      }
    }
  }

  /// A server that is just hearing of the standby may let a commit go that it held; then the cut
  /// comes before the next one, which is not stored, and is tried again.
  private func cutUntilUnknown(
    _ registry: TestRegistry
  ) async throws -> (count: UInt64, failure: PostgreSQLError?) {
    var last = try await cutWhileCommitting(registry, from: 1)
    for _ in 1...4 where last.failure?.code != .commitUnknown {
      last = try await cutWhileCommitting(registry, from: last.count)
    }
    return last
  }

  /// Which write was cut, and what its caller was told.
  private func cutWhileCommitting(
    _ registry: TestRegistry, from first: UInt64
  ) async throws -> (count: UInt64, failure: PostgreSQLError?) {
    try await nameStandby("nobody", registry)
    let isOver = Mutex(false)
    async let writes = blockUntilFailure(registry, from: first) { isOver.withLock { $0 = true } }
    var cut: Int64 = 0
    while cut == 0, !isOver.withLock({ $0 }) {
      cut = try await registry.number(
        """
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE wait_event = 'SyncRep' AND datname = current_database()
        """)
    }
    try await nameStandby("", registry)
    return await writes
  }

  private func nameStandby(_ name: String, _ registry: TestRegistry) async throws {
    try await registry.owner.withConnection { connection in
      try await connection.query("ALTER SYSTEM SET synchronous_standby_names = '\(name)'")
      try await connection.query("SELECT pg_reload_conf()")
    }
  }

  /// Blocks one device after the other until a write fails: that is the last one counted.
  private func blockUntilFailure(
    _ registry: TestRegistry, from first: UInt64, over: @Sendable () -> Void
  ) async -> (count: UInt64, failure: PostgreSQLError?) {
    defer { over() }
    let most: UInt64 = 20_000
    for serial in first...most {
      do {
        try await registry.service.transaction { connection in
          try await connection.query("SET LOCAL synchronous_commit = on")
          _ = try await RegistryTransaction(connection: connection).block(
            imei(serial),
            with: NewGround(on: .imei(imei(serial)), code: .stolen, source: "police"), by: "anna")
        }
      } catch {
        return (serial, error as? PostgreSQLError)
      }
    }
    return (most, nil)
  }

  private func block(
    _ imei: IMEI, _ code: GroundCode, source: String, in registry: TestRegistry
  ) async throws {
    let receipt = try await registry.store.write {
      try await $0.block(
        imei, with: NewGround(on: .imei(imei), code: code, source: source), by: "anna")
    }
    #expect(receipt.imeis == [imei])
  }
}
