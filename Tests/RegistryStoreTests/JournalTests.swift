import DeviceIdentity
import DeviceLists
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// The journal as feeds and the registry's own index read it.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct JournalTests {
  /// Ten rows in three batches: 1–3, 4–7 and 8–10; odd positions concern all, even ones operator 1,
  /// position 10 operator 2. Rows stand for their positions: serial 5 has position 5.
  private static let journal = """
    INSERT INTO journal (position, subject_kind, subject_key1, subject_key2, scope, status,
                         ground_codes, overridable)
    SELECT n, 1, 35000000000000 + n, 0, CASE WHEN n = 10 THEN 2 WHEN n % 2 = 0 THEN 1 ELSE 0 END,
           CASE WHEN n = 7 THEN NULL ELSE 1 END,
           CASE WHEN n = 7 THEN '{}' ELSE ARRAY['lost', 'stolen'] END, n = 7
      FROM generate_series(1, 10) n;
    INSERT INTO journal_batch (last_position, first_position, epoch, as_of)
    SELECT last, first, epoch, '2026-11-23T06:23:17Z'
      FROM epoch, (VALUES (1, 3), (4, 7), (8, 10)) AS batch (first, last);
    INSERT INTO journal_digest (scope, last_position, digest)
    SELECT scope, last, set_byte(decode(repeat('00', 32), 'hex'), 0, value)
      FROM (VALUES (0, 3, 1), (1, 3, 10), (0, 7, 2), (1, 7, 20), (0, 10, 3), (2, 10, 100))
             AS digest (scope, last, value);
    """

  private func withJournal(_ body: (TestRegistry) async throws -> Void) async throws {
    try await withRegistry { registry in
      try await registry.addOperator("alfa", networks: [])
      try await registry.addOperator("beta", networks: [])
      try await registry.script(Self.journal)
      try await body(registry)
    }
  }

  private func digest(_ firstByte: UInt8) -> ListDigest {
    ([firstByte] + Array(repeating: 0, count: 31)).withUnsafeBytes {
      ListDigest(littleEndian: $0)
    }
  }

  @Test func `the head is where the journal ends`() async throws {
    try await withJournal { registry in
      let head = try await registry.store.read { try await $0.journalHead() }
      let asOf = try #require(Instant("2026-11-23T06:23:17Z"))
      #expect(
        head
          == JournalHead(
            epoch: Epoch(high: 1, low: 2), position: Position(10),
            asOfMicroseconds: asOf.secondsSinceEpoch * 1_000_000,
            digests: [
              .all: digest(3), ScopeNumber(1): digest(20), ScopeNumber(2): digest(100),
            ]))
    }
  }

  @Test func `an empty journal begins at 0`() async throws {
    try await withRegistry { registry in
      let (head, delta) = try await registry.store.read {
        (try await $0.journalHead(), try await $0.delta(of: .all, after: .start, limit: 10))
      }
      #expect(
        head
          == JournalHead(
            epoch: Epoch(high: 1, low: 2), position: .start, asOfMicroseconds: .min, digests: [:]))
      #expect(delta?.changes.isEmpty == true)
      #expect(delta?.upTo == .start)
      #expect(delta?.digest == .zero)
    }
  }

  /// Scope, after, limit; then the end, the positions and the first byte of the digest there.
  @Test(
    arguments: [
      (1, 0, 1, 3, [1, 2, 3], 11),
      (1, 0, 3, 3, [1, 2, 3], 11),
      (1, 0, 6, 3, [1, 2, 3], 11),
      (1, 0, 7, 7, [1, 2, 3, 4, 5, 6, 7], 22),
      (1, 2, 4, 3, [3], 11),
      (1, 3, 100, 10, [4, 5, 6, 7, 8, 9], 23),
      (1, 5, 1, 7, [6, 7], 22),
      (1, 10, 5, 10, [], 23),
      (2, 0, 100, 10, [1, 3, 5, 7, 9, 10], 103),
      (2, 3, 1, 7, [5, 7], 2),
      (2, 7, 1, 10, [9, 10], 103),
      (1, UInt64(Int64.max), 5, UInt64(Int64.max), [], 23),
      (1, .max, 5, .max, [], 23),
    ] as [(Int32, UInt64, Int, UInt64, [UInt64], UInt8)])
  func `a delta is whole batches of a feed, of no more rows than asked for where it is several`(
    scope: Int32, after: UInt64, limit: Int, upTo: UInt64, positions: [UInt64], firstByte: UInt8
  ) async throws {
    try await withJournal { registry in
      let found = try await registry.store.read {
        try await $0.delta(of: ScopeNumber(scope), after: Position(after), limit: limit)
      }
      let delta = try #require(found)
      #expect(delta.upTo == Position(upTo))
      #expect(delta.changes.map(\.position.number) == positions)
      #expect(delta.digest == digest(firstByte))
      #expect(delta.changes.map(\.subject) == positions.map { .imei(imei($0)) })
      for change in delta.changes {
        #expect([ScopeNumber.all, ScopeNumber(scope)].contains(change.scope))
        let stolen = EntryClass(
          status: .black, codes: [GroundCodeSet(.lost), GroundCodeSet(.stolen)],
          isOverridable: false)
        #expect(change.entryClass == (change.position == Position(7) ? nil : stolen))
      }
    }
  }

  /// Rows of positions after `after`, as many as are the feed's own where all are looked at.
  @Test(
    arguments: [(1, 0, 9), (1, 3, 6), (1, 9, 0), (2, 9, 1), (2, 0, 6), (1, 10, 0), (1, 99, 0)]
      as [(Int32, UInt64, Int)])
  func `how far a feed is behind is estimated`(scope: Int32, after: UInt64, count: Int)
    async throws
  {
    try await withJournal { registry in
      let found = try await registry.store.read {
        try await $0.backlog(of: ScopeNumber(scope), after: Position(after))
      }
      #expect(found == count)
    }
  }

  @Test(arguments: [false, true])
  func `no part of a long journal is read by passing over the rest`(isAnalysed: Bool)
    async throws
  {
    try await withRegistry { registry in
      try await registry.script(
        """
        INSERT INTO journal (position, subject_kind, subject_key1, subject_key2, scope, status,
                             ground_codes, overridable)
        SELECT n, 1, 35000000000000 + n, 0, n % 3, 1, '{stolen}', false
          FROM generate_series(1, 200000) n;
        INSERT INTO journal_batch (last_position, first_position, epoch, as_of)
        SELECT n * 1000, n * 1000 - 999, epoch, now() FROM epoch, generate_series(1, 200) n;
        """)
      if isAnalysed { try await registry.script("ANALYZE") }
      try await registry.service.transaction { connection in
        let store = RegistryTransaction(connection: connection)
        for after in UInt64(1)...8 {
          let start = Position(after * 20_000)
          _ = try await store.delta(of: ScopeNumber(1), after: start, limit: 1_000)
          _ = try await store.journal(after: start, limit: 1_000)
          _ = try await store.backlog(of: ScopeNumber(1), after: start)
        }
        let reads = try await connection.query(
          """
          SELECT sum(seq_tup_read)::bigint FROM pg_stat_xact_user_tables
           WHERE relname IN ('journal', 'journal_batch')
          """
        ).only().int(0)
        #expect(reads == 0)
      }
    }
  }

  @Test func `before the horizon there is no delta`() async throws {
    try await withJournal { registry in
      try await registry.script("DELETE FROM journal WHERE position <= 4")
      for (after, isThere) in [(0, false), (3, false), (4, true), (5, true), (10, true)] {
        let delta = try await registry.store.read {
          try await $0.delta(of: .all, after: Position(UInt64(after)), limit: 100)
        }
        #expect((delta != nil) == isThere, "after \(after)")
      }
    }
  }

  @Test func `the registry's own index reads every scope`() async throws {
    try await withJournal { registry in
      for (after, limit, positions) in [
        (0, 1, Array(1...3)), (2, 3, [3]), (2, 5, Array(3...7)), (9, 100, [10]),
        (10, 100, []), (11, 1, []),
      ] as [(UInt64, Int, [UInt64])] {
        let rows = try await registry.store.read {
          try await $0.journal(after: Position(after), limit: limit)
        }
        #expect(rows.map(\.position.number) == positions)
      }
    }
  }

  @Test func `the list is read page by page, in order`() async throws {
    try await withRegistry { registry in
      try await registry.script(
        """
        INSERT INTO list_entry (subject_kind, subject_key1, subject_key2, scope, status,
                                ground_codes, overridable, since, position)
        SELECT kind, key1, key2, scope, 1, '{stolen}', false, now(), 1
          FROM (VALUES (4, 1, 5000000000000001), (3, 7, 0), (1, 9, 0), (2, 3, 4), (2, 3, 5),
                       (1, 8, 0)) AS subject (kind, key1, key2),
               (VALUES (0), (2)) AS scope (scope)
        """)
      var read: [String] = []
      var last: (subject: Subject, scope: ScopeNumber)?
      while true {
        let after = last
        let page = try await registry.store.read {
          try await $0.entries(after: after?.subject, scope: after?.scope ?? .all, limit: 5)
        }
        guard let end = page.last else { break }
        read += page.map { "\($0.subject.kind.rawValue) \($0.subject.keys) @\($0.scope.number)" }
        last = (end.subject, end.scope)
      }
      let subjects = [
        "1 (first: 8, second: 0)", "1 (first: 9, second: 0)", "2 (first: 3, second: 4)",
        "2 (first: 3, second: 5)", "3 (first: 7, second: 0)",
        "4 (first: 1, second: 5000000000000001)",
      ]
      #expect(read == subjects.flatMap { ["\($0) @0", "\($0) @2"] })
    }
  }

  @Test func `an epoch begins after the journal as it is`() async throws {
    try await withJournal { registry in
      try await registry.owner.transaction { connection in
        try await connection.script(RegistryStore.searchPath)
        let transaction = RegistryTransaction(connection: connection)
        let cluster = try await transaction.clusterIdentities()
        #expect(cluster.known == cluster.now)
        try await transaction.begin(Epoch(high: 3, low: 4), reason: "restored")
      }
      let head = try await registry.store.read { try await $0.journalHead() }
      #expect(head.epoch == Epoch(high: 3, low: 4))
      #expect(head.position == Position(10))
      #expect(
        try await registry.number("SELECT after_position FROM epoch WHERE epoch_number = 2") == 10)
    }
  }
}
