import DeviceIdentity
import DeviceLists
import RegistryStore
import Simulation
import Testing

/// What is kept only for a time.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct RetentionTests {
  /// Three batches that are 100 days old (1–3, 4–7, 8–10), one of 10 days (11–12) and one of today
  /// (13–15); scope 1 has changed only in the first.
  private static let journal = """
    INSERT INTO journal (position, subject_kind, subject_key1, subject_key2, scope, status,
                         ground_codes, overridable)
    SELECT n, 1, 35000000000000 + n, 0, CASE WHEN n = 2 THEN 1 ELSE 0 END, 1, '{stolen}', false
      FROM generate_series(1, 15) n;
    INSERT INTO journal_batch (last_position, first_position, epoch, as_of, published_at)
    SELECT last, first, epoch, now(), now() - days * interval '1 day'
      FROM epoch, (VALUES (1, 3, 100), (4, 7, 100), (8, 10, 100), (11, 12, 10), (13, 15, 0))
                    AS batch (first, last, days);
    INSERT INTO journal_digest (scope, last_position, digest)
    SELECT scope, last, set_byte(decode(repeat('00', 32), 'hex'), 0, value)
      FROM (VALUES (0, 3, 1), (1, 3, 100), (0, 7, 2), (0, 10, 3), (0, 12, 4), (0, 15, 5))
             AS digest (scope, last, value);
    """

  /// Days that are kept, the furthest position, and where the journal begins then.
  @Test(
    arguments: [
      (90, 100, 11), (5, 100, 13), (1, 100, 13), (0, 100, 13), (-5, 100, 13), (200, 100, 1),
      (90, 10, 11), (90, 9, 8), (90, 7, 8), (90, 6, 4), (90, 2, 1), (90, 0, 1),
    ] as [(Int, UInt64, Int)])
  func `the journal loses whole old batches and goes on from there`(
    days: Int, needed: UInt64, first: Int
  ) async throws {
    try await withNodes { registry, _, _ in
      try await registry.script(Self.journal)
      let before = try await feed(registry)
      let trimmed = try await registry.store.write {
        try await $0.trimJournal(days: days, notBeyond: Position(needed))
      }
      #expect(trimmed == first - 1)
      let again = try await registry.store.write {
        try await $0.trimJournal(days: days, notBeyond: Position(needed))
      }
      #expect(again == 0)
      let after = try await feed(registry)
      for (position, line) in before {
        let stays = position >= first - 1 || position >= 15
        #expect(after[position] == (stays ? line : "gone"), "after \(position)")
      }
      let head = try await registry.store.read { try await $0.journalHead() }
      #expect(head.position == Position(15))
      #expect(head.digests.count == 2)
    }
  }

  /// What a node at each end of a batch is given: digest there, changes, digest at the end.
  private func feed(_ registry: TestRegistry) async throws -> [Int: String] {
    var feed: [Int: String] = [:]
    for position in [0, 3, 7, 10, 12, 15] {
      feed[position] = try await registry.store.read {
        let after = Position(UInt64(position))
        guard
          let delta = try await $0.delta(of: ScopeNumber(1), after: after, limit: 1_000)
        else { return "gone" }
        let digest = try await $0.digest(of: ScopeNumber(1), at: after)
        return "\(digest) \(delta.changes.map(\.position)) \(delta.upTo) \(delta.digest)"
      }
    }
    return feed
  }

  @Test func `a journal that has been quiet for long keeps its end`() async throws {
    try await withNodes { registry, _, _ in
      try await registry.script(Self.journal)
      try await registry.script(
        "UPDATE journal_batch SET published_at = published_at - interval '1 year'")
      let trimmed = try await registry.store.write {
        try await $0.trimJournal(days: 90, notBeyond: .last)
      }
      #expect(trimmed == 12)
      let feed = try await feed(registry)
      #expect(feed[10] == "gone")
      #expect(feed[12]?.contains("[13, 14, 15] 15") == true)
      #expect(feed[15]?.contains("[] 15") == true)
      #expect(try await registry.number("SELECT count(*) FROM journal_batch") == 3)
    }
  }

  @Test func `an empty journal has nothing to lose`() async throws {
    try await withRegistry { registry in
      let trimmed = try await registry.store.write {
        try await $0.trimJournal(days: 1, notBeyond: .last)
      }
      #expect(trimmed == 0)
    }
  }

  @Test func `messages go after a week, queries after a day, sightings and subscribers as told`()
    async throws
  {
    try await withNodes { registry, alfa, _ in
      let now = try await registry.now()
      let imsi = try IMSI("001010000000001")
      try await registry.store.write {
        for key in ["a", "b"] {
          _ = try await $0.answered(key, of: alfa, hash: hash(1))
          _ = try await $0.insertQuery([1], of: alfa)
          let request = try await $0.submit(
            NewDeviceRequest(kind: .block, imei: imei(1), imsi: imsi, reason: "x"), of: alfa)
          if key == "b" { _ = try await $0.refuseRequest(request.request, reason: "x", by: "anna") }
        }
        for age in [Int64(0), 1, 5] {
          _ = try await $0.takeSightings(
            [
              NewSighting(
                identity: .imei(imei(1)), imsi: imsi, answer: .black,
                seenAt: now.adding(seconds: -age * 86_400))
            ], of: alfa, asOf: now)
        }
      }
      #expect(try await erased(registry) == [0, 0, 1, 0], "one sighting is older than three days")
      try await registry.script(
        """
        UPDATE exchange_message SET received_at = now() - interval '169 hours' WHERE key = 'a';
        UPDATE exchange_query SET received_at = now() - interval '25 hours';
        UPDATE operator_request SET received_at = now() - interval '4 days';
        """)
      #expect(
        try await erased(registry) == [1, 2, 0, 1], "a request that is pending keeps its own")
      #expect(try await erased(registry) == [0, 0, 0, 0])
      let repetition = try await registry.store.write {
        try await $0.answered("a", of: alfa, hash: hash(2))
      }
      #expect(repetition == .new, "its key may be used again")
    }
  }

  private func erased(_ registry: TestRegistry) async throws -> [Int] {
    try await registry.store.write {
      [
        try await $0.eraseMessages(), try await $0.eraseQueries(),
        try await $0.eraseSightings(days: 3), try await $0.eraseSubscribers(days: 3),
      ]
    }
  }
}
