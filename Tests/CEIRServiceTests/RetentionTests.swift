import CEIRService
import DeviceLists
import Logging
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// What the service erases each hour.
struct RetentionTests {
  /// 300 batches of 1,000 rows, as old as they are from the end in days: three steps' worth.
  private static let journal = """
    SET LOCAL search_path = ceir;
    INSERT INTO journal (position, subject_kind, subject_key1, subject_key2, scope, status,
                         ground_codes, overridable)
    SELECT n, 1, n, 0, 0, 1, '{stolen}', false FROM generate_series(1, 300000) n;
    INSERT INTO journal_batch (last_position, first_position, epoch, as_of, published_at)
    SELECT n * 1000, n * 1000 - 999, epoch, now(), now() - (300 - n) * interval '1 day'
      FROM epoch, generate_series(1, 300) n;
    """

  /// Where the registry's own lists stand, and the rows that go.
  @Test(arguments: [(nil, 0), (0, 0), (50_500, 50_000), (300_000, 270_000)] as [(UInt64?, Int)])
  func `the journal is trimmed to its horizon, in steps, as far as the lists have come`(
    reached: UInt64?, rows: Int
  ) async throws {
    let registry = try await TestRegistry.make()
    try await registry.owner.transaction { try await $0.script(Self.journal) }
    var settings = CEIRSettings()
    settings.journalHorizonDays = 30
    let metrics = CEIRMetrics()
    let retention = Retention(
      store: registry.store, settings: settings, metrics: metrics,
      logger: Logger(label: "test"), reached: { reached.map { Position($0) } })
    #expect(try await retention.erase() == Retention.Outcome(journal: rows))
    #expect(try await retention.erase() == Retention.Outcome())
    #expect(metrics.trimmedRows.current == Int64(rows))
    let after = Position(UInt64(rows))
    let delta = try await registry.store.read {
      try await $0.delta(of: .all, after: after, limit: 1)
    }
    #expect(delta?.changes.first?.position == after.next)
    await registry.close()
  }

  @Test func `months of sightings end, and that a device was seen stays`() async throws {
    let registry = try await TestRegistry.make()
    try await registry.owner.transaction {
      try await $0.script(
        """
        SET LOCAL search_path = ceir;
        INSERT INTO operator (code, name) VALUES ('alfa', 'Alfa');
        SELECT add_sighting_month('2020-02-01'), begin_sightings(1, '2020-02-01');
        INSERT INTO sighting_202002_1_new (imei, imsi, msisdn, days, technologies)
        VALUES (35209900176148, 1, 1, 10, 0), (35209900176148, 2, 1, 268435456, 0);
        SELECT finish_sightings(1, '2020-02-01');
        SELECT add_sighting_month(date_trunc('month', now())::date);
        """)
    }
    let retention = Retention(
      store: registry.store, settings: CEIRSettings(), metrics: CEIRMetrics(),
      logger: Logger(label: "test"), reached: { nil })
    #expect(try await retention.erase() == Retention.Outcome(months: 3))
    #expect(try await retention.erase() == Retention.Outcome())
    let seen = try await registry.owner.withConnection { connection in
      try await connection.query(
        "SELECT concat_ws(' ', imei, first_day, last_day) AS line FROM ceir.seen_imei"
      ).map { try $0.string("line") }
    }
    #expect(seen == ["35209900176148 2020-02-02 2020-02-29"])
    await registry.close()
  }

  @Test func `the service runs until it is told to end`() async throws {
    let registry = try await TestRegistry.make()
    try await registry.owner.transaction { try await $0.script(Self.journal) }
    let metrics = CEIRMetrics()
    let retention = Retention(
      store: registry.store, settings: CEIRSettings(), metrics: metrics,
      logger: Logger(label: "test"), reached: { .last })
    let running = Task { try await retention.run() }
    try await eventually("the journal to be trimmed") { metrics.trimmedRows.current == 210_000 }
    running.cancel()
    _ = await running.result
    #expect(metrics.retentionFailures.current == 0)
    await registry.close()
  }
}
