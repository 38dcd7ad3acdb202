import DeviceIdentity
import DeviceLists
import DeviceRules
import Foundation
import NightlyJobs
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Conditions over what operators' files have brought into a real registry.
///
/// One at a time: each has a database of its own, and a server has a hundred connections.
@Suite(.serialized)
struct ClassifyJobTests {
  /// The last day that counts in these tests.
  static let asOf = "2026-11-20"

  static let duplicates = """
    {"label": "duplicates", "dimensions": [{"dimension": "manySubscribers", "threshold": 5}],
     "blocking": true, "groundCode": "duplicate", "graceDays": 10,
     "reason": "used by many subscribers", "mostMatching": 1}
    """
  static let unknownTypes = """
    {"label": "types", "dimensions": [{"dimension": "tacNotAllocated"}], "blocking": true,
     "groundCode": "tacNotAllocated", "reason": "the type is unknown", "mostMatching": 1}
    """
  static let malformed = """
    {"label": "malformed", "dimensions": [{"dimension": "malformedIdentity"}],
     "blocking": true, "groundCode": "malformed", "reason": "no IMEI", "mostMatching": 1}
    """

  /// The device 35209900176148 with so many subscribers, on one day each.
  static func clone(_ network: String, subscribers: Int, day: String = "20261103") -> [String] {
    (0..<subscribers).map { "\(day),352099001761481,\(network)00000000\(10 + $0),\($0 + 1),4G" }
  }

  @Test func `a device with many subscribers is told first and blocked at the day it was told`()
    async throws
  {
    try await withOperators { country in
      try await country.imported(
        "alfa", "alfa_20261101_20261120.csv", Self.clone("00101", subscribers: 3))
      try await country.imported(
        "beta", "beta_20261101_20261120.csv", Self.clone("00102", subscribers: 3))
      try await country.set(Self.duplicates)
      let report = try await country.classify(asOf: Self.asOf)
      #expect(report.conditions.map(\.matching) == [1], "Only both operators together show it.")
      #expect(
        try await country.found() == ["duplicates 35209900176148 2026-11-20 2026-11-30 open"])
      #expect(
        try await country.grounds() == [
          "35209900176148 duplicate 1 condition:duplicates 2026-11-29T23:00:00 open"
        ], "Midnight of the registry's time zone, an hour before that of UTC.")
    }
  }

  @Test func `a correction clears whom it should, and a device that comes back gets a new grace`()
    async throws
  {
    try await withOperators { country in
      try await country.imported(
        "alfa", "alfa_20261101_20261110.csv",
        Self.clone("00101", subscribers: 6) + ["20261103,352099001761499,001010000000001,1,4G"])
      try await country.set(Self.duplicates)
      _ = try await country.classify(asOf: "2026-11-11")
      try await country.imported(
        "alfa", "alfa_20261101_20261110.v2.csv",
        ["20261103,352099001761499,001010000000001,1,4G"], accept: ["correction"])
      let report = try await country.classify(asOf: "2026-11-11")
      #expect(!report.isFull)
      #expect(report.devices == 1, "Only the device that has changed is looked at.")
      #expect(
        try await country.found() == [
          "duplicates 35209900176148 2026-11-11 2026-11-21 until 2026-11-11"
        ])
      #expect(try await country.openGrounds() == [])
      try await country.imported(
        "alfa", "alfa_20261111_20261120.csv",
        Self.clone("00101", subscribers: 6, day: "20261112"))
      _ = try await country.classify(asOf: Self.asOf)
      #expect(
        try await country.found() == [
          "duplicates 35209900176148 2026-11-11 2026-11-21 until 2026-11-11",
          "duplicates 35209900176148 2026-11-20 2026-11-30 open",
        ])
    }
  }

  @Test func `a condition that finds too many stops the run, which has changed nothing`()
    async throws
  {
    try await withOperators { country in
      try await country.imported(
        "alfa", "alfa_20261101_20261120.csv",
        // Reporting body 52 has no time to announce a type.
        Self.clone("00101", subscribers: 6) + ["20261103,522099001761499,001010000000001,1,4G"])
      try await country.set(Self.duplicates)
      let limited = Self.unknownTypes.replacingOccurrences(
        of: "\"mostMatching\": 1", with: "\"mostMatching\": 0.4")
      try await country.set(limited)
      let report = try await country.classify(asOf: Self.asOf)
      #expect(report.excesses.count == 1)
      #expect(try await country.found() == [], "The other condition has changed nothing either.")
      #expect(try await country.grounds() == [])
      #expect(try await country.pending() == ["-1"], "The next run looks at all again.")
    }
  }

  @Test func `what has changed is held against the limit too`() async throws {
    try await withOperators { country in
      let others = (0..<9).map { "20261103,52209900\(176200 + $0)0,001010000000001,1,4G" }
      try await country.imported("alfa", "alfa_20261101_20261110.csv", others)
      let limited = Self.duplicates.replacingOccurrences(
        of: "\"mostMatching\": 1", with: "\"mostMatching\": 0.2")
      try await country.set(limited)
      _ = try await country.classify(asOf: Self.asOf)
      let clones = (0..<6).flatMap { subscriber in
        (0..<2).map { device in
          "20261112,52209900\(176100 + device)0,00101000000000\(subscriber),1,4G"
        }
      }
      try await country.imported(
        "alfa", "alfa_20261112_20261112.csv", clones,
        accept: ["volume-imei", "volume-imsi", "volume-triplet"])
      let report = try await country.classify(asOf: Self.asOf)
      #expect(!report.isFull)
      #expect(report.excesses.count == 1)
      #expect(try await country.found() == [])
    }
  }

  @Test func `what is no IMEI is found and counted, and never blocked`() async throws {
    try await withOperators { country in
      let lines = (0..<6).map { "20261103,ABC,00101000000000\($0),\($0 + 1),4G" }
      try await country.imported(
        "alfa", "alfa_20261101_20261120.csv", lines,
        accept: ["unclean-imei", "unclean-either"])
      try await country.set(Self.malformed)
      _ = try await country.classify(asOf: Self.asOf)
      _ = try await country.classify(asOf: Self.asOf)
      #expect(try await country.found() == ["malformed ABC 2026-11-20 – open"])
      #expect(try await country.grounds() == [])
    }
  }

  @Test func `a new type has its time to be announced`() async throws {
    try await withOperators { country in
      // Reporting body 35 has 20 days.
      try await country.imported(
        "alfa", "alfa_20261001_20261031.csv",
        ["20261001,350000001234567,001010000000001,1,4G"])
      try await country.imported(
        "alfa", "alfa_20261101_20261120.csv",
        [
          "20261103,350000001234567,001010000000001,1,4G",
          "20261110,350000009999997,001010000000002,2,4G",
        ], accept: ["volume-imei", "volume-imsi", "volume-triplet"])
      try await country.set(Self.unknownTypes)
      _ = try await country.classify(asOf: Self.asOf)
      #expect(try await country.found().map { $0.prefix(20) } == ["types 35000000123456"])
    }
  }

  @Test func `a month that an operator has not handed over stops the run`() async throws {
    try await withOperators { country in
      try await country.imported(
        "alfa", "alfa_20261001_20261031.csv", Self.clone("00101", subscribers: 6, day: "20261003"))
      try await country.imported(
        "beta", "beta_20261001_20261031.csv", Self.clone("00102", subscribers: 6, day: "20261003"))
      try await country.imported(
        "alfa", "alfa_20261101_20261120.csv", Self.clone("00101", subscribers: 6))
      try await country.set(Self.duplicates)
      let refusal = await #expect(throws: ImportRefusal.self) {
        _ = try await country.classify(asOf: Self.asOf)
      }
      #expect(refusal?.description.contains("Of 2026-11 beta handed over nothing") == true)
      _ = try await country.classify(asOf: Self.asOf, acceptsMissingMonth: true)
      #expect(try await country.found().count == 1)
    }
  }

  @Test func `a condition that is removed ends what it found`() async throws {
    try await withOperators { country in
      try await country.imported(
        "alfa", "alfa_20261101_20261120.csv", Self.clone("00101", subscribers: 6))
      try await country.set(Self.duplicates)
      _ = try await country.classify(asOf: Self.asOf)
      try await country.registry.store.write {
        _ = try await $0.setCondition("duplicates", document: nil, reason: "x", by: "anna")
      }
      _ = try await country.classify(asOf: Self.asOf)
      #expect(try await country.openGrounds() == [])
      #expect(try await country.found().map { $0.hasSuffix("until 2026-11-20") } == [true])
    }
  }

  @Test func `live sightings count with those of files`() async throws {
    try await withOperators { country in
      try await country.set(Self.duplicates)
      try await country.execute(
        """
        INSERT INTO ceir.sighting_live (operator_id, day, imei, identity, imsi, status, msisdn,
                                        technology, seen_at)
        SELECT 1 + n % 2, '2026-11-19', 35209900176148, '', 15001010000000000 + n, 3, 0, '', now()
          FROM generate_series(1, 6) n
        """)
      _ = try await country.classify(asOf: Self.asOf)
      #expect(try await country.found().count == 1)
      #expect(try await country.rows().count == 6)
      try await country.execute(
        """
        INSERT INTO ceir.sighting_live (operator_id, day, imei, identity, imsi, status, msisdn,
                                        technology, seen_at)
        VALUES (1, '2026-11-20', 35209900176148, '', 15001010000000002, 3, 0, '', now())
        """)
      let report = try await country.classify(asOf: Self.asOf)
      #expect(report.devices == 1)
      #expect(try await country.rows().contains { $0.contains("19,20") })
    }
  }

  @Test func `one run at a time, and one that was taken over changes nothing`() async throws {
    try await withOperators { country in
      let store = country.registry.store
      let day = try #require(CivilDate(Self.asOf))
      let run = try await store.write {
        try await $0.beginJob("classify", asOf: day, takeOver: false, by: "anna")
      }
      let error = await #expect(throws: StoreError.self) {
        _ = try await country.classify(asOf: Self.asOf)
      }
      #expect(error?.code == .jobRuns)
      _ = try await country.classify(asOf: Self.asOf, takesOver: true)
      let lost = await #expect(throws: StoreError.self) {
        try await store.write { try await $0.keepJob(run) }
      }
      #expect(lost?.code == .jobLost)
    }
  }

  @Test func `a run over what has changed gives what a run over all gives`() async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    try await withOperators { country in
      var generator = SeededGenerator(seed: seed)
      func lines(_ network: String, _ count: Int) -> [String] {
        (0..<count).map { _ in
          let day = 1 + Int(generator.next() % 20)
          return "202611\(day < 10 ? "0" : "")\(day),3520990017\(10_000 + generator.next() % 60),"
            + "\(network)00000000\(10 + generator.next() % 40),\(1 + generator.next() % 9),4G"
        }
      }
      try await country.set(Self.duplicates)
      try await country.set(Self.unknownTypes)
      let accept = ["correction", "volume-imei", "volume-imsi", "volume-triplet"]
      for round in 0..<4 {
        for (code, network) in [("alfa", "00101"), ("beta", "00102")] {
          try await country.imported(
            code, "\(code)_20261101_20261120.v\(round).csv", lines(network, 150 + round * 60),
            accept: accept)
        }
        _ = try await country.classify(asOf: Self.asOf)
        let incremental = try await country.openGrounds()
        let full = try await country.classify(asOf: Self.asOf, isFull: true)
        #expect(full.isFull)
        #expect(full.conditions.allSatisfy { $0.begun + $0.changed + $0.ended == 0 })
        #expect(try await country.openGrounds() == incremental)
      }
      let last = try await country.openGrounds()
      #expect(!last.isEmpty)
    }
  }

  @Test func `only the months of the period are read, in the order that they are in`()
    async throws
  {
    try await withOperators { country in
      for month in ["202608", "202609", "202610"] {
        let lines = (0..<3_000).map {
          "\(month)05,3520990017\(10_000 + $0),001010000000001,1,4G"
        }
        try await country.imported(
          "alfa", "alfa_\(month)01_\(month)30.csv", lines, accept: ["volume-imsi"])
      }
      let months = ["2026-09-01", "2026-10-01"].compactMap { CivilDate($0) }
      let statement = RegistryTransaction.facts(months: months, needs: .grounds, of: nil)
      let plan = try await country.texts("EXPLAIN \(statement)")
      #expect(!plan.contains { $0.contains("sighting_202608") }, "\(plan)")
      #expect(plan.contains { $0.contains("sighting_202609_1") }, "\(plan)")
    }
  }
}

extension OperatorCountry {
  func set(_ document: String) async throws {
    let condition = try RuleLoading.condition(Data(document.utf8))
    let text = try RuleLoading.canonical(condition)
    try await registry.store.write {
      _ = try await $0.setCondition(condition.label, document: text, reason: "x", by: "anna")
    }
  }

  func classify(
    asOf day: String, isFull: Bool = false, isTrial: Bool = false,
    acceptsMissingMonth: Bool = false, takesOver: Bool = false
  ) async throws -> ClassifyReport {
    var options = ClassifyJob.Options(actor: "anna")
    options.asOf = CivilDate(day)
    options.isFull = isFull
    options.isTrial = isTrial
    options.acceptsMissingMonth = acceptsMissingMonth
    options.takesOver = takesOver
    return try await ClassifyJob(store: registry.store, options: options).run()
  }

  func found() async throws -> [String] {
    try await texts(
      """
      SELECT concat_ws(' ', condition,
               CASE WHEN imei < 0 THEN identity ELSE lpad(imei::text, 14, '0') END, since,
               COALESCE(block_on::text, '–'), COALESCE('until ' || until, 'open'))
        FROM ceir.classification ORDER BY condition, imei, identity, since, classification_id
      """)
  }

  func grounds() async throws -> [String] {
    try await texts(
      """
      SELECT concat_ws(' ', lpad(subject_key1::text, 14, '0'), code, status, source,
               to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'),
               CASE WHEN ended_at IS NULL THEN 'open' ELSE 'ended' END)
        FROM ceir.ground ORDER BY 1
      """)
  }

  func openGrounds() async throws -> [String] {
    try await grounds().filter { $0.hasSuffix("open") }
  }
}
