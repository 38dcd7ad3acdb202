import CEIRService
import DeviceIdentity
import DeviceLists
import ListExchange
import Logging
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// The publisher against writers, failures and the clock, on a real PostgreSQL.
struct PublisherTests {
  @Test func `at rest every entry is the fold, whoever wrote at once and whatever failed`()
    async throws
  {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    let registry = try await TestRegistry.make(publisherSetUp: Publisher.setUpStatements)
    try await addOperator(registry)
    try await withThrowingTaskGroup(of: Void.self) { group in
      let publishing = Task { try await publishUntilCancelled(registry, seed: seed) }
      for writer in 0..<8 {
        group.addTask { try await write(to: registry, seed: seed &+ UInt64(writer), count: 60) }
      }
      try await group.waitForAll()
      try await untilQueueIsEmpty(registry)
      publishing.cancel()
      _ = await publishing.result
    }
    try await expectWhole(registry)
    await registry.close()
  }

  @Test func `a ground that begins and ends later is published at its times`() async throws {
    let registry = try await TestRegistry.make(publisherSetUp: Publisher.setUpStatements)
    let imei = try IMEI(dialled: "490154203237518")
    let now = try await databaseNow(registry)
    try await registry.store.write {
      _ = try await $0.block(
        imei,
        with: NewGround(
          on: .imei(imei), code: .notApproved, source: "test",
          start: now.adding(seconds: 3_600), end: now.adding(seconds: 7_200)), by: "test")
    }
    try await registry.publisher.withConnection { connection in
      var head = try await RegistryTransaction(connection: connection).journalHead()
      var statuses: [ListStatus?] = []
      for (hour, positions) in [(0, 0), (1, 1), (2, 2)] as [(Int64, UInt64)] {
        // No fold looks at an earlier moment than the one before: so the clock is moved on.
        head.asOfMicroseconds = (now.secondsSinceEpoch + hour * 3_601) * 1_000_000
        var session = PublisherSession(head: head)
        _ = try await session.publishBatch(on: connection)
        head = session.head
        #expect(head.position.number == positions, "after \(hour) hours")
        let subject = Subject.imei(imei)
        let entry = try await registry.store.read {
          try await $0.entries(after: nil, scope: .all, limit: 10).first { $0.subject == subject }
        }
        statuses.append(entry?.entryClass.status)
      }
      #expect(statuses == [nil, .black, nil])
    }
    await registry.close()
  }

  @Test func `nothing is unpublished when the clock goes back`() async throws {
    let registry = try await TestRegistry.make(publisherSetUp: Publisher.setUpStatements)
    let imei = try IMEI(dialled: "490154203237518")
    try await block(imei, in: registry)
    try await registry.publisher.withConnection { connection in
      let transaction = RegistryTransaction(connection: connection)
      var head = try await transaction.journalHead()
      var session = PublisherSession(head: head)
      _ = try await session.publishBatch(on: connection)
      head = session.head
      #expect(head.position.number == 1)
      // A fold of an hour from now stands for the clock that has gone back by an hour since.
      head.asOfMicroseconds += 3_600_000_000
      var later = PublisherSession(head: head)
      try await registry.store.write {
        _ = try await $0.block(
          imei, with: NewGround(on: .imei(imei), code: .fraud, source: "test"), by: "test")
      }
      _ = try await later.publishBatch(on: connection)
      #expect(later.head.asOfMicroseconds >= head.asOfMicroseconds)
      #expect(later.head.position.number == 2)
    }
    try await expectWhole(registry)
    await registry.close()
  }

  @Test func `a database that is another than before begins a new epoch`() async throws {
    let registry = try await TestRegistry.make(publisherSetUp: Publisher.setUpStatements)
    let before = try await registry.store.read { try await $0.currentEpoch() }
    // What a restored backup looks like: the identity that was noted is of another cluster.
    try await registry.owner.withConnection {
      try await $0.script("UPDATE ceir.epoch SET system_identifier = 1")
    }
    let publisher = Publisher(
      pool: registry.publisher, dirtyBell: Bell(), journalBell: Bell(), metrics: CEIRMetrics(),
      logger: Logger(label: "test"))
    let publishing = Task { try await publisher.run() }
    try await eventually("a new epoch") {
      try await registry.store.read { try await $0.currentEpoch() } != before
    }
    try await block(try #require(IMEI(number: 1)), in: registry)
    try await eventually("a batch of the new epoch") {
      try await registry.store.read { try await $0.journalHead().position.number } == 1
    }
    publishing.cancel()
    _ = await publishing.result
    try await expectWhole(registry)
    await registry.close()
  }

  @Test func `a person's release overtakes a mass run`() async throws {
    let registry = try await TestRegistry.make(publisherSetUp: Publisher.setUpStatements)
    let wronged = try #require(IMEI(number: 35_000_000_000_001))
    try await block(wronged, in: registry)
    try await registry.publisher.withConnection { connection in
      let transaction = RegistryTransaction(connection: connection)
      var session = PublisherSession(head: try await transaction.journalHead())
      _ = try await session.publishBatch(on: connection)
      try await addMassGrounds(25_000, to: registry)
      _ = try await session.publishBatch(on: connection)
      try await registry.store.write {
        _ = try await $0.release(wronged, caseReference: "", reason: "wrong", by: "test")
      }
      _ = try await session.publishBatch(on: connection)
      let row = try await registry.store.read { registry in
        try await registry.journal(after: Position(10_001), limit: 1).first
      }
      #expect(row?.subject == .imei(wronged))
      #expect(row?.entryClass == nil)
      while try await session.publishBatch(on: connection) > 0 {}
      #expect(session.head.position.number == 25_002)
    }
    try await expectWhole(registry)
    await registry.close()
  }

  @Test func `a batch is never longer than a delta may be, and what is due has its share of it`()
    async throws
  {
    #expect(Publisher.batchLimit <= ExchangeParameters.Window.changesAllowed.lowerBound)
    let registry = try await TestRegistry.make(publisherSetUp: Publisher.setUpStatements)
    try await registry.owner.withConnection {
      try await $0.script(
        """
        INSERT INTO ceir.dirty (subject_kind, subject_key1, subject_key2, scope, priority)
        SELECT 1, 35000000000000 + n, 0, 0, 2 FROM generate_series(1, 15000) n;
        INSERT INTO ceir.due (due_at, subject_kind, subject_key1, subject_key2, scope)
        SELECT now() - interval '1 hour', 1, 36000000000000 + n, 0, 0
          FROM generate_series(1, 7000) n;
        """)
    }
    try await registry.publisher.withConnection { connection in
      let head = try await RegistryTransaction(connection: connection).journalHead()
      var session = PublisherSession(head: head)
      var batches: [Int] = []
      for _ in 0..<4 { batches.append(try await session.publishBatch(on: connection)) }
      #expect(batches == [10_000, 10_000, 2_000, 0])
    }
    await registry.close()
  }

  @Test func `of two publishers that both believe to lead, one cannot write`() async throws {
    let registry = try await TestRegistry.make(publisherSetUp: Publisher.setUpStatements)
    try await block(try #require(IMEI(number: 1)), in: registry)
    let stale = try await registry.store.read { try await $0.journalHead() }
    try await registry.publisher.withConnection { connection in
      var leader = PublisherSession(head: stale)
      _ = try await leader.publishBatch(on: connection)
      try await block(try #require(IMEI(number: 2)), in: registry)
      let error = await #expect(throws: PostgreSQLError.self) {
        var other = PublisherSession(head: stale)
        _ = try await other.publishBatch(on: connection)
      }
      #expect(error?.isUniqueViolation == true)
      _ = try await leader.publishBatch(on: connection)
      #expect(leader.head.position.number == 2)
    }
    try await expectWhole(registry)
    await registry.close()
  }

  // MARK: - What the tests are made of

  private func addOperator(_ registry: TestRegistry) async throws {
    let code = try #require(OperatorCode("alfa"))
    try await registry.store.write {
      try await $0.addOperator(
        code, name: "Alfa", networks: [PLMN("00101")], mode: .unknown, by: "test")
    }
  }

  private func block(_ imei: IMEI, in registry: TestRegistry) async throws {
    try await registry.store.write {
      _ = try await $0.block(
        imei, with: NewGround(on: .imei(imei), code: .stolen, source: "test"), by: "test")
    }
  }

  private func databaseNow(_ registry: TestRegistry) async throws -> Instant {
    try await registry.service.withConnection {
      Instant(
        secondsSinceEpoch: try await $0.query("SELECT clock_timestamp()").only().timestamp(0)
          .secondsSince1970)
    }
  }

  private func addMassGrounds(_ count: Int, to registry: TestRegistry) async throws {
    try await registry.service.transaction { connection in
      _ = try await connection.query(
        """
        WITH added AS (
          INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                              overridable, source, started_at, recorded_by)
          SELECT 1, 35000001000000 + n, 0, 0, 'duplicate', 1, true, 'mass', now(), 'test'
            FROM generate_series(1, $1::integer) n
          RETURNING subject_key1
        )
        INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
        SELECT 1, subject_key1, 0, 0, 2 FROM added
        """, count)
    }
  }

  /// Blocks, unblocks and releases among ten devices; one transaction in four fails on purpose.
  private func write(to registry: TestRegistry, seed: UInt64, count: Int) async throws {
    struct OnPurpose: Error {}
    var random = SeededGenerator(seed: seed)
    let alfa = try #require(OperatorCode("alfa"))
    for _ in 0..<count {
      let imei = IMEI(unchecked: 35_000_000_000_000 + UInt64.random(in: 0..<10, using: &random))
      let code = [GroundCode.stolen, .duplicate, .ownershipClaim, .protected]
        .randomElement(using: &random)
      let scope = Bool.random(using: &random) ? Scope.all : .only(alfa)
      let source = ["police", "court"].randomElement(using: &random) ?? "police"
      let action = Int.random(in: 0..<6, using: &random)
      let fails = Int.random(in: 0..<4, using: &random) == 0
      do {
        try await registry.store.write { registry in
          switch action {
          case 0...2:
            _ = try await registry.block(
              imei,
              with: NewGround(
                on: .imei(imei), scope: scope, code: code ?? .stolen, source: source), by: "test")
          case 3:
            _ = try await registry.unblock(imei, source: source, reason: "", by: "test")
          case 4:
            _ = try await registry.release(imei, caseReference: "", reason: "r", by: "test")
          default: _ = try await registry.endReleases(of: imei, reason: "", by: "test")
          }
          if fails { throw OnPurpose() }
        }
      } catch is OnPurpose {
        continue
      } catch let error as StoreError {
        #expect([.alreadyBlocked, .notBlocked, .notReleased, .releaseStands].contains(error.code))
      }
    }
  }

  /// A publisher whose connection is cut by the server again and again.
  private func publishUntilCancelled(_ registry: TestRegistry, seed: UInt64) async throws {
    var random = SeededGenerator(seed: ~seed)
    while !Task.isCancelled {
      let batches = Int.random(in: 1...5, using: &random)
      do {
        try await registry.publisher.withConnection { connection in
          let transaction = RegistryTransaction(connection: connection)
          _ = try await transaction.takeLeadership()
          var session = PublisherSession(head: try await transaction.journalHead())
          for _ in 0..<batches { _ = try await session.publishBatch(on: connection) }
          try await connection.query("SELECT pg_terminate_backend(pg_backend_pid())")
        }
      } catch is PostgreSQLError {
        continue
      }
    }
  }

  private func untilQueueIsEmpty(_ registry: TestRegistry) async throws {
    try await eventually("the publication") {
      try await registry.service.withConnection {
        try await $0.query("SELECT count(*) FROM dirty").only().int(0) == 0
      }
    }
  }

  /// The whole state: entries against an independent fold in SQL, the journal's density, the
  /// journal replayed against the entries, and the digests.
  private func expectWhole(_ registry: TestRegistry) async throws {
    try await registry.owner.withConnection { connection in
      try await connection.script(RegistryStore.searchPath)
      let wrong = try await connection.query(
        """
        WITH counted AS (
          SELECT g.subject_kind, g.subject_key1, g.subject_key2, g.scope, g.code, g.status
            FROM ground g
           WHERE g.started_at <= clock_timestamp()
             AND (g.ended_at IS NULL OR g.ended_at > clock_timestamp())
             AND (g.code = 'protected' OR NOT EXISTS (
                   SELECT FROM release r
                    WHERE (r.subject_kind, r.subject_key1, r.scope)
                          = (g.subject_kind, g.subject_key1, g.scope)
                      AND g.code = ANY (r.codes)
                      AND (r.ended_at IS NULL OR r.ended_at > clock_timestamp())))
        ), folded AS (
          SELECT subject_kind, subject_key1, subject_key2, scope,
                 CASE WHEN bool_or(code = 'protected') THEN 0
                      WHEN bool_or(status = 1) THEN 1
                      WHEN bool_or(status = 2) THEN 2
                      ELSE 0 END AS status
            FROM counted
           GROUP BY subject_kind, subject_key1, subject_key2, scope
        )
        SELECT count(*)
          FROM folded f
          FULL JOIN list_entry e USING (subject_kind, subject_key1, subject_key2, scope)
         WHERE f.status IS DISTINCT FROM e.status
        """
      ).only().int(0)
      #expect(wrong == 0, "Entries that are not the fold of their grounds.")
      let gaps = try await connection.query(
        "SELECT count(*) <> COALESCE(max(position), 0) FROM journal"
      ).only().bool(0)
      #expect(!gaps, "Positions that are not dense.")
    }
    let rows = try await registry.store.read { registry in
      try await registry.journal(after: .start, limit: 1_000_000)
    }
    var replayed: [Entry: Void] = [:]
    var current: [Subject: [ScopeNumber: EntryClass]] = [:]
    for row in rows { current[row.subject, default: [:]][row.scope] = row.entryClass }
    var digests: [ScopeNumber: ListDigest] = [:]
    let operators = try await registry.store.read { try await $0.operators() }
    for (subject, scopes) in current {
      for (number, entryClass) in scopes {
        let scope = try #require(operators.scope(number))
        let entry = Entry(subject: subject, scope: scope, entryClass: entryClass)
        replayed[entry] = ()
        digests[number, default: .zero] += entry.digest
      }
    }
    let head = try await registry.store.read { try await $0.journalHead() }
    for (number, digest) in head.digests {
      #expect(digests[number, default: .zero] == digest, "A digest that is not that of the list.")
    }
    let stored = try await registry.store.read {
      try await $0.entries(after: nil, scope: .all, limit: 1_000_000)
    }
    #expect(stored.count == replayed.count)
    for (subject, number, entryClass) in stored {
      #expect(current[subject]?[number] == entryClass)
    }
  }
}
