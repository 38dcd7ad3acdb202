import Foundation
import Simulation

/// A node that is a million changes behind, until its list has the registry's digest: by following
/// deltas, and by what the registry finds cheaper, which is a snapshot.
final class CatchUpBenchmark {
  static let behind: UInt64 = 1_000_000
  static let rounds = 3
  static let limit = 200_000.0
  private static let node = "eir-1"
  private static let operatorCode = "alfa"

  private let country: BenchmarkCountry
  private var fill = ListFill()
  private var used: UInt64 = 0

  static func run() async throws -> [Judgement] {
    let (deltas, chosen) = try await BenchmarkCountry.with(
      "catch-up-bench", operators: [operatorCode]
    ) { country in
      try await country.issue(node, of: operatorCode)
      let benchmark = CatchUpBenchmark(country)
      try await benchmark.install()
      var (deltas, chosen): ([Double], [Double]) = ([], [])
      for round in 1...rounds {
        deltas.append(try await benchmark.byDeltas())
        chosen.append(try await benchmark.asChosen())
        print("run \(round): deltas \(deltas[round - 1])/s, as chosen \(chosen[round - 1])/s")
      }
      return (deltas, chosen)
    }
    return [("catch-up by deltas", deltas), ("catch-up as chosen", chosen)].map { name, rates in
      Judgement(
        name: name, unit: "changes/s", ours: rates, reference: [], limit: limit, sense: .atLeast)
    }
  }

  private init(_ country: BenchmarkCountry) { self.country = country }

  private func start() async throws -> BenchmarkNode {
    try await country.startNode(Self.node, of: Self.operatorCode)
  }

  /// The node's first list.
  private func install() async throws {
    let node = try await start()
    try await node.untilLevel(portion(0))
    try await node.command.stop()
  }

  private func portion(_ count: UInt64) -> ListFill.Portion {
    let keys = ListFill.keys(used..<used + count)
    used += count
    return fill.portion(of: keys)
  }

  /// A registry goes on with the deltas that it has begun, where it would otherwise name the
  /// snapshot as cheaper: a first change begins them, and the node sleeps while all the others
  /// appear at once.
  private func byDeltas() async throws -> Double {
    let (first, rest) = (portion(1), portion(Self.behind))
    let sentBefore = try country.metric(Self.sentMetric)
    var started: BenchmarkNode?
    try await country.withDatabase { database in
      try await rest.write(to: database) {
        let node = try await start()
        started = node
        try await first.write(to: database)
        try await node.untilLevel(first)
        node.command.send(SIGSTOP)
      }
    }
    guard let node = started else { throw BenchmarkFailure("The node was not started.") }
    try await untilListsAreLevel(rest)
    // What is in the sockets already took no time of the node's.
    let sent = try country.metric(Self.sentMetric) - sentBefore
    let clock = ContinuousClock.now
    node.command.send(SIGCONT)
    try await node.untilLevel(rest)
    let taken = clock.duration(to: .now) / .seconds(1)
    guard try node.metric("eir_snapshots_total") == 0 else {
      throw BenchmarkFailure("The node took a snapshot instead of deltas.")
    }
    try await node.command.stop()
    return Double(Int(Self.behind) - sent) / taken
  }

  private static let sentMetric = "ceir_exchange_changes_total"

  /// From the node's start.
  private func asChosen() async throws -> Double {
    let portion = portion(Self.behind)
    try await country.withDatabase { try await portion.write(to: $0) }
    try await untilListsAreLevel(portion)
    let clock = ContinuousClock.now
    let node = try await start()
    try await node.untilLevel(portion)
    let taken = clock.duration(to: .now) / .seconds(1)
    try await node.command.stop()
    return Double(Self.behind) / taken
  }

  /// The registry's own index takes the same changes in; it is not what is measured.
  private func untilListsAreLevel(_ portion: ListFill.Portion) async throws {
    try await eventually("the registry's index at \(portion.position)", within: 300) {
      try country.metric("ceir_index_position") == Int(portion.position)
    }
  }
}
