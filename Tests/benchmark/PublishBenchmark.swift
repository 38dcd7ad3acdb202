import CEIRService
import DeviceLists
import PostgreSQL
import RegistryStore
import Simulation

/// 200,000 grounds on as many subjects, from their commit until the journal holds the last.
/// Reference: `INSERT … SELECT` of as many rows into a table like the journal.
struct PublishBenchmark {
  static let subjects = 200_000
  static let ratioLimit = 10.0
  static let rateLimit = 20_000.0

  func run() async throws -> [Judgement] {
    var ours: [Double] = []
    var reference: [Double] = []
    let cluster = TestCluster(isDurable: true)
    for run in 1...Benchmark.runs {
      let registry = try await TestRegistry.make(
        in: cluster, publisherSetUp: Publisher.setUpStatements)
      reference.append(try await insert(registry))
      ours.append(try await publish(registry))
      print(
        "run \(run): publisher \(ours[run - 1]) s, INSERT … SELECT \(reference[run - 1]) s")
      await registry.close()
    }
    let registry = try await TestRegistry.make(
      in: cluster, publisherSetUp: Publisher.setUpStatements)
    let besideReader = try await publishBesideOldReader(registry)
    await registry.close()
    let rates = ours.map { Double(Self.subjects) / $0 }
    return [
      Judgement(
        name: "publish", unit: "s", ours: ours, reference: reference, limit: Self.ratioLimit,
        sense: .atMost),
      Judgement(
        name: "publish rate", unit: "changes/s", ours: rates, reference: [],
        limit: Self.rateLimit, sense: .atLeast),
      Judgement(
        name: "publish rate beside an old reader", unit: "changes/s",
        ours: [Double(Self.subjects) / besideReader], reference: [], limit: Self.rateLimit,
        sense: .atLeast),
    ]
  }

  private func publish(_ registry: TestRegistry) async throws -> Double {
    _ = try await registry.owner.withConnection {
      try await $0.query(Self.addGrounds, Self.subjects)
    }
    return try await seconds {
      try await registry.publisher.withConnection { connection in
        let transaction = RegistryTransaction(connection: connection)
        var session = PublisherSession(head: try await transaction.journalHead())
        while session.head.position.number < Self.subjects {
          _ = try await session.publishBatch(on: connection)
        }
      }
    }.0
  }

  /// A transaction that stays open keeps every mark that was taken in the table and its index.
  private func publishBesideOldReader(_ registry: TestRegistry) async throws -> Double {
    try await registry.service.transaction(isolation: .repeatableRead) { reader in
      _ = try await reader.query("SELECT count(*) FROM dirty")
      return try await publish(registry)
    }
  }

  private func insert(_ registry: TestRegistry) async throws -> Double {
    try await registry.owner.withConnection { connection in
      try await connection.script("CREATE TABLE ceir.reference (LIKE ceir.journal INCLUDING ALL)")
      return try await seconds {
        try await connection.query(Self.insertReference, Self.subjects)
      }.0
    }
  }

  private static let insertReference = """
    INSERT INTO ceir.reference (position, subject_kind, subject_key1, subject_key2, scope, status,
                                ground_codes, overridable)
    SELECT n, 1, 35000000000000 + n * 7919 % 1000000000, 0, 0, 1, '{stolen}', false
      FROM generate_series(1, $1::integer) n
    """

  private static let addGrounds = """
    WITH added AS (
      INSERT INTO ceir.ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                               overridable, source, started_at, recorded_by)
      SELECT 1, 35000000000000 + n * 7919 % 1000000000, 0, 0, 'stolen', 1, false, 'bench', now(),
             'bench'
        FROM generate_series(1, $1::bigint) n
      RETURNING subject_key1
    )
    INSERT INTO ceir.dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT 1, subject_key1, 0, 0, 2 FROM added
    """
}
