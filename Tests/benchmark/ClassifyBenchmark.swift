import DeviceLists
import Foundation
import NightlyJobs
import PostgreSQL
import RegistryStore
import Simulation

/// Every rule over a month in which two operators saw 2 million devices in 5 million sightings: all
/// devices, and then the one in a hundred that has changed. Reference: one `GROUP BY imei` over the
/// same sightings.
struct ClassifyBenchmark {
  static let devices = 2_000_000
  static let sightings = 5_000_000
  static let changed = 20_000
  static let fullLimit = 5.0
  static let incrementalLimit = 0.15
  /// The day of the runs; the month before it is the one that is read.
  static let asOf = "2026-10-31"

  /// Every dimension once, but those that need an operator's timed events.
  static let dimensions = [
    #""dimension": "manySubscribers", "threshold": 6"#,
    #""dimension": "manySubscribers", "threshold": 6, "counting": "msisdn""#,
    #""dimension": "manySubscribersDaily", "average": 4, "minimumDays": 5"#,
    #""dimension": "tacNotAllocated""#, #""dimension": "testType""#,
    #""dimension": "placeholderIdentity""#, #""dimension": "malformedIdentity""#,
    #""dimension": "reportedStolen""#, #""dimension": "barred""#,
    #""dimension": "barredType""#, #""dimension": "goldenDevice""#, #""dimension": "monitored""#,
    #""dimension": "notRegistered""#, #""dimension": "notTypeApproved""#,
    #""dimension": "notAssociated""#, #""dimension": "subscriberNotOwner""#,
    #""dimension": "technologyNotSupported""#,
    #""dimension": "technologyNewerThanModel""#,
    #""dimension": "transientSubscribers", "average": 3"#,
    #""dimension": "subscriberSequence""#, #""dimension": "rotatingSubscribers""#,
    #""dimension": "usedBy", "subscribers": "roamer""#, #""dimension": "seenLately", "days": 2"#,
  ]

  private let registry: TestRegistry

  static func run() async throws -> [Judgement] {
    let registry = try await TestRegistry.make(in: TestCluster(isDurable: true), connections: 6)
    let judgements = try await ClassifyBenchmark(registry: registry).measure()
    await registry.close()
    return judgements
  }

  private func measure() async throws -> [Judgement] {
    try await fill()
    try await setConditions()
    let first = try await classify(isFull: true)
    print("the first run: \(first.seconds) s, \(first.report.groundsBegun) grounds begun")
    var (full, part, grouped): ([Double], [Double], [Double]) = ([], [], [])
    for run in 1...Benchmark.runs {
      grouped.append(try await group())
      full.append(try await classify(isFull: true).seconds)
      try await change()
      let incremental = try await classify(isFull: false)
      guard incremental.report.devices == Self.changed else {
        throw BenchmarkFailure("\(incremental.report.devices) devices were looked at.")
      }
      part.append(incremental.seconds)
      print(
        "run \(run): all \(full[run - 1]) s, changed \(part[run - 1]) s; GROUP BY "
          + "\(grouped[run - 1]) s")
    }
    return [
      Judgement(
        name: "classify", unit: "s", ours: full, reference: grouped, limit: Self.fullLimit,
        sense: .atMost),
      Judgement(
        name: "classify what has changed", unit: "s", ours: part, reference: full,
        limit: Self.incrementalLimit, sense: .atMost),
    ]
  }

  private func classify(
    isFull: Bool
  ) async throws -> (seconds: Double, report: ClassifyReport) {
    var options = ClassifyJob.Options(actor: "bench")
    options.asOf = CivilDate(Self.asOf)
    options.isFull = isFull
    options.acceptsMissingMonth = true
    let job = ClassifyJob(store: registry.store, options: options)
    let (seconds, report) = try await seconds { try await job.run() }
    guard report.excesses.isEmpty, report.isFull == isFull else {
      throw BenchmarkFailure("The run was another: \(report.excesses)")
    }
    return (seconds, report)
  }

  private func group() async throws -> Double {
    try await registry.owner.withConnection { connection in
      try await seconds {
        _ = try await connection.query(
          """
          SELECT count(*) FROM (SELECT imei, count(*) FROM ceir.sighting GROUP BY imei) g
          """)
      }.0
    }
  }

  private func change() async throws {
    try await registry.owner.withConnection {
      try await $0.script(
        """
        INSERT INTO ceir.classify_pending (imei)
        SELECT DISTINCT imei FROM ceir.sighting WHERE imei % 100 = 7 LIMIT \(Self.changed)
        """)
    }
  }

  /// Half of the devices have a subscriber at each operator, and each a second one at one of them.
  private func fill() async throws {
    let half = Self.sightings / 2
    try await registry.owner.transaction(statementTimeout: .seconds(600)) { connection in
      try await connection.script(
        """
        SET LOCAL search_path = ceir;
        INSERT INTO operator (code, name) VALUES ('alfa', 'Alfa'), ('beta', 'Beta');
        INSERT INTO operator_plmn (plmn, operator_id) VALUES ('00101', 1), ('00102', 2);
        INSERT INTO operator_policy (operator_id, version, mode, set_by)
        VALUES (1, 1, 'unknown', 'bench'), (2, 1, 'unknown', 'bench');
        INSERT INTO import (kind, file_name, sha256, source, form, rows_read, rows_kept,
                            rows_repeated, rows_refused, imported_by)
        VALUES ('tac', 't', sha256('x'), 'bench', '', 0, 0, 0, 0, 'bench');
        INSERT INTO tac_allocation (tac, manufacturer, model, attributes, import_id)
        SELECT 35000000 + n, 'M', n::text, '{"bands": "GSM 900,LTE FDD Band 3"}', 1
          FROM generate_series(0, 1999) n;
        SELECT add_sighting_month('2026-10-01');
        """)
      for number in 1...2 {
        try await connection.script(
          """
          SELECT begin_sightings(\(number), '2026-10-01');
          INSERT INTO sighting_202610_\(number)_new (imei, imsi, msisdn, days, technologies)
          SELECT 35000000000000 + (n * 7919::bigint % \(Self.devices)) / 1000 * 1000000
                   + (n * 7919::bigint % \(Self.devices)) % 1000,
                 1500101\(number)000000000 + n, 12000000000000000 + n,
                 (n * 2654435761 % 2147483646 + 1)::integer & 2147483647, 4
            FROM generate_series(1, \(half)::bigint) n
           ORDER BY 1, 2, 3;
          SELECT finish_sightings(\(number), '2026-10-01');
          """)
      }
    }
  }

  private func setConditions() async throws {
    for (number, dimension) in Self.dimensions.enumerated() {
      let document = """
        {"label": "rule-\(number)", "dimensions": [{\(dimension)}], "mostMatching": 1,
         "reason": "a benchmark", "blocking": \(number < 3),
         "groundCode": "duplicate"}
        """
      let condition = try RuleLoading.condition(Data(document.utf8))
      let text = try RuleLoading.canonical(condition)
      try await registry.store.write {
        _ = try await $0.setCondition("rule-\(number)", document: text, reason: "x", by: "bench")
      }
    }
  }
}
