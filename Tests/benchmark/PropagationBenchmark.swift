import CEIRService
import DeviceIdentity
import Foundation
import NIOPosix
import PostgreSQL
import Simulation
import Synchronization

/// From the commit of a ground until a node answers by it on N17: ten nodes, half of which follow
/// and half of which are pushed to, at a hundred changes a second.
///
/// Each node is asked for the oldest change that it has not answered yet; what is measured is too
/// long by up to the time between two questions.
struct PropagationBenchmark {
  static let nodeCount = 10
  static let changesPerSecond = 100
  static let changeCount = 3_000
  static let limitSeconds = 0.5
  static let entryCount: UInt64 = 100_000
  /// Between two questions to one node.
  static let questionMilliseconds = 5
  static let longestWait = Duration.seconds(60)
  private static let operatorCode = "alfa"

  private let country: BenchmarkCountry
  private let nodes: [BenchmarkNode]

  static func run() async throws -> [Judgement] {
    var fill = ListFill()
    let portion = fill.portion(of: ListFill.keys(0..<entryCount))
    return try await BenchmarkCountry.with(
      "propagation-bench", operators: [operatorCode], portion: portion
    ) { country in
      var nodes: [BenchmarkNode] = []
      for number in 0..<nodeCount {
        nodes.append(
          try await start("eir-\(number)", isPushed: !number.isMultiple(of: 2), country))
        try await nodes[number].untilLevel(portion)
      }
      let benchmark = PropagationBenchmark(country: country, nodes: nodes)
      try await benchmark.untilStylesAreInForce()
      return try await benchmark.measure()
    }
  }

  private static func start(
    _ name: String, isPushed: Bool, _ country: BenchmarkCountry
  ) async throws -> BenchmarkNode {
    try await country.issue(name, of: operatorCode)
    let node = try await country.startNode(name, of: operatorCode, isPushed: isPushed)
    if let address = node.exchangeAddress {
      try await country.ceir(
        "operator", "parameters", "set", operatorCode, "--node", name, "--style", "push",
        "--endpoint", "https://\(address)")
    }
    return node
  }

  private func untilStylesAreInForce() async throws {
    for node in nodes where node.exchangeAddress != nil {
      // It hears of them with the next answer, which the registry may hold for 50 seconds.
      try await eventually("that \(node.name) is pushed to", within: 180) {
        try node.status().exchange?.style == "push"
      }
    }
  }

  private static func imei(_ number: Int) -> IMEI {
    IMEI(unchecked: ListFill.keys(entryCount + UInt64(number)..<entryCount + UInt64(number) + 1)[0])
  }

  // MARK: - Measuring

  private func measure() async throws -> [Judgement] {
    let threads = NIOThreadPool(numberOfThreads: Self.nodeCount)
    threads.start()
    let answered = nodes.map { node in
      let address = node.checkAddress
      return Task { try await Self.answers(at: address, threads) }
    }
    let committed = try await commit()
    var (all, followed, pushed): ([Double], [Double], [Double]) = ([], [], [])
    for (node, answered) in zip(nodes, answered) {
      let times = zip(committed, try await answered.value).map { start, end in
        max(0, start.duration(to: end) / .seconds(1))
      }
      all += times
      if node.exchangeAddress == nil { followed += times } else { pushed += times }
    }
    try await threads.shutdownGracefully()
    for (name, times) in [("all", all), ("followed", followed), ("pushed", pushed)] {
      print(
        "\(name): median \(times.share(0.5)) s, p99 \(times.share(0.99)) s, "
          + "longest \(times.share(1)) s")
    }
    return [
      Judgement(
        name: "propagation", unit: "s (p99)", ours: [all.share(0.99)], reference: [],
        limit: Self.limitSeconds, sense: .atMost)
    ]
  }

  /// When each ground was committed. A step that is late does not move those after it.
  private func commit() async throws -> [ContinuousClock.Instant] {
    var times: [ContinuousClock.Instant] = []
    try await country.withDatabase { database in
      let pool = database.ownerPool()
      let start = ContinuousClock.now
      try await pool.withConnection { connection in
        for number in 0..<Self.changeCount {
          let due = start + .seconds(1) * number / Self.changesPerSecond
          let early = ContinuousClock.now.duration(to: due) / .milliseconds(1)
          if early > 0 { try await pace(milliseconds: Int(early.rounded())) }
          try await connection.query(Self.addGround, Int64(Self.imei(number).number))
          times.append(.now)
        }
      }
      let taken = start.duration(to: .now) / .seconds(1)
      print("\(Double(Self.changeCount) / taken) changes/s")
      await pool.close()
    }
    return times
  }

  /// When a node answered by each change first.
  private static func answers(
    at address: String, _ threads: NIOThreadPool
  ) async throws -> [ContinuousClock.Instant] {
    let connection = try PlainConnection(address)
    var times: [ContinuousClock.Instant] = []
    for number in 0..<changeCount {
      let target = "/n5g-eir-eic/v1/equipment-status?pei=imei-\(imei(number).dialled)"
      let begin = ContinuousClock.now
      while true {
        let answer = try await threads.runIfActive { try connection.get(target) }
        if answer.contains("BLACKLISTED") { break }
        guard begin.duration(to: .now) < longestWait else {
          throw BenchmarkFailure("\(address) has not answered by change \(number).")
        }
        try await pace(milliseconds: questionMilliseconds)
      }
      times.append(.now)
    }
    return times
  }

  /// As a person's block is recorded.
  private static let addGround = """
    WITH added AS (
      INSERT INTO ceir.ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                               overridable, source, started_at, recorded_by)
      VALUES (1, $1, 0, 0, 'stolen', 1, false, 'bench', now(), 'bench')
      RETURNING subject_key1
    ), marked AS (
      INSERT INTO ceir.dirty (subject_kind, subject_key1, subject_key2, scope, priority)
      SELECT 1, subject_key1, 0, 0, 1 FROM added
    )
    SELECT pg_notify('ceir_dirty', '')
    """
}

extension [Double] {
  /// The least value that this share of all does not exceed.
  fileprivate func share(_ share: Double) -> Double {
    guard !isEmpty else { return .nan }
    return sorted()[Swift.min(count - 1, Int((Double(count) * share).rounded(.up)) - 1)]
  }
}
