import Foundation
import ListExchange
import Simulation

/// A snapshot of five million entries over TLS with certificates on both sides, beside nginx with
/// the same bytes in a file; and the CEIR's memory while one node fetches and while ten do.
struct SnapshotBenchmark {
  static let entryCount = 5_000_000
  static let ratioLimit = 0.5
  static let readers = 10
  /// What one more reader may cost, in MiB, however long the list: pieces on their way. Our nodes
  /// ask over HTTP/1.1; over HTTP/2 more is on its way.
  static let memoryLimits = [("http1.1", 4.0), ("http2", 6.0)]
  static let load = ["--h1", "-n", "40", "-c", "4", "-t", "1"]
  /// So slow that all read at the same time, in bytes per second.
  static let readerRate = "2M"
  /// A snapshot younger than ten seconds is sent again.
  static let cutLifeMilliseconds = 10_500
  private static let operators = ["alfa", "beta"]

  private let country: BenchmarkCountry
  private let nodes: [TLSFolder]

  static func run() async throws -> [Judgement] {
    var population = try ListPopulation()
    let keys = population.keys(count: entryCount)
    print("seed \(ListPopulation.seed), \(population.types.count) TACs, \(keys.count) entries")
    var fill = ListFill()
    let portion = fill.portion(of: keys)
    return try await BenchmarkCountry.with(
      "snapshot-bench", operators: operators, portion: portion
    ) { country in
      var nodes: [TLSFolder] = []
      for number in 0..<readers {
        nodes.append(
          try await country.issue("eir-\(number)", of: operators[number % operators.count]))
      }
      let benchmark = SnapshotBenchmark(country: country, nodes: nodes)
      var judgements = [try await benchmark.rate()]
      for (version, limit) in memoryLimits {
        judgements.append(try await benchmark.memory(version, limit))
      }
      return judgements
    }
  }

  private var url: String { "https://\(country.exchangeAddress)\(ExchangePath.snapshot)" }

  private func fetch(_ node: TLSFolder, _ more: [String]) throws -> Command {
    try Curl(tls: node, folder: country.folder).start(more + [url])
  }

  /// Leaves a cut of every operator that is young.
  private func cut() async throws {
    try await pace(milliseconds: Self.cutLifeMilliseconds)
    for node in nodes.prefix(Self.operators.count) {
      try await fetch(node, ["--output", "/dev/null"]).end()
    }
  }

  private func memory(_ version: String, _ limit: Double) async throws -> Judgement {
    let ceir = country.ceir.identifier
    try await cut()
    let before = try ProcessMemory(of: ceir)
    let one = try await peak(1, version)
    try await cut()
    let many = try await peak(Self.readers, version)
    let after = try ProcessMemory(of: ceir)
    print(
      "memory of ceir, \(version), MiB: resident \(before.resident) before, "
        + "\(after.resident) after; peak \(one) with 1 reader, \(many) with \(Self.readers)")
    return Judgement(
      name: "snapshot memory, \(version)", unit: "MiB for each further reader",
      ours: [(many - one) / Double(Self.readers - 1)], reference: [], limit: limit,
      sense: .atMost)
  }

  /// The most that is resident while so many fetch at once.
  private func peak(_ count: Int, _ version: String) async throws -> Double {
    try ProcessMemory.forgetPeak(of: country.ceir.identifier)
    let readers = try nodes.prefix(count).map {
      try fetch(
        $0, ["--\(version)", "--output", "/dev/null", "--limit-rate", Self.readerRate])
    }
    for reader in readers { try await reader.end() }
    return try ProcessMemory(of: country.ceir.identifier).peak
  }

  private func rate() async throws -> Judgement {
    let folder = "\(country.folder)/snapshot"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try await cut()
    try await fetch(nodes[0], ["--output", "\(folder)/list.idx"]).end()
    let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/list.idx")
    let mebibytes = Double((attributes[.size] as? Int) ?? 0) / 1_048_576
    print("a snapshot has \(mebibytes) MiB")
    let nginx = try await TLSReference.start(
      for: country,
      "location = \(ExchangePath.snapshot) { alias \(folder)/list.idx; "
        + "default_type \(ExchangePath.index); }", tls: nodes[0])
    let tool = try await H2Load(showing: nodes[0], in: country.folder)
    var (ours, theirs): ([Double], [Double]) = ([], [])
    for run in 1...Benchmark.runs {
      let theirURL = "https://\(nginx.address)\(ExchangePath.snapshot)"
      theirs.append(try await tool.rate(Self.load, theirURL) * mebibytes)
      try await cut()
      ours.append(try await tool.rate(Self.load, url) * mebibytes)
      print("run \(run): ceir \(ours[run - 1]) MiB/s, nginx \(theirs[run - 1]) MiB/s")
    }
    try await nginx.stop()
    return Judgement(
      name: "snapshot", unit: "MiB/s", ours: ours, reference: theirs, limit: Self.ratioLimit,
      sense: .atLeast)
  }
}
