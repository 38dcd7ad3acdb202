import CheckServer
import DeviceIdentity
import DeviceLists
import Diameter
import EIRNode
import EquipmentCheck
import Foundation
import ListIndex
import Logging
import NIOPosix
import Simulation

/// S13 asked at a steady pace from a list of 20 million entries: quiet, and while a thousand
/// changes a second are applied and the list is written anew all the time.
struct BusyBenchmark {
  static let entryCount = 20_000_000
  static let requestCount = 4_096
  static let perSecond = 4_000.0
  static let seconds = 5.0
  static let quantileLimit = 3.0
  static let changeLimit = 950.0

  private let index: ListIndex
  private let load: DiameterLoad
  private let changes: ChangeLoad

  static func run() async throws -> [Judgement] {
    let folder = try temporaryDirectory("busy-bench")
    defer { Folder.discard(folder) }
    var population = try ListPopulation()
    print("seed \(ListPopulation.seed), \(population.types.count) TACs, \(entryCount) entries")
    guard let registry = RegistryName("bench"), let code = OperatorCode("alfa") else {
      preconditionFailure("These names are constants.")
    }
    let keys = population.keys(count: entryCount)
    let feed = Feed(of: code)
    _ = try population.write(keys, registry: registry, feed: feed, to: folder + "/l.idx")
    try ListDirectory.install(folder + "/l.idx", in: folder + "/eir", registry, feed)
    let index = try ListIndex(
      directory: folder + "/eir", registry: registry, content: .feed(feed))
    let some = (0..<requestCount).map { _ in keys[population.below(keys.count)] }
    let others = (0..<100_000).map { _ in keys[population.below(keys.count)] }
    return try await BusyBenchmark(
      index: index, load: DiameterLoad(imeis: some),
      changes: ChangeLoad(index: index, imeis: others)
    ).measure()
  }

  private func measure() async throws -> [Judgement] {
    let service = try s13()
    let listener = try await service.start(
      host: "127.0.0.1", port: 0, group: MultiThreadedEventLoopGroup.singleton)
    let address = "127.0.0.1:\(listener.port)"
    _ = try await asked(address, seconds: 1)
    var (quiet, busy): ([DiameterLoad.Measured], [DiameterLoad.Measured]) = ([], [])
    var rates: [Double] = []
    for run in 1...Benchmark.runs {
      quiet.append(try await asked(address))
      let compactor = Compactor(index)
      busy.append(
        try await changes.run {
          try await compactor.run { try await asked(address) }
        })
      rates.append(changes.rate)
      print(
        "run \(run): quiet \(quiet[run - 1].line); busy \(busy[run - 1].line), "
          + "\(Int(changes.rate)) changes/s, \(compactor.count) compactions")
    }
    await listener.shutdown()
    return [
      Judgement(
        name: "busy p50", unit: "µs", ours: busy.map { $0.quantile(0.5) * 1e6 },
        reference: quiet.map { $0.quantile(0.5) * 1e6 }, limit: Self.quantileLimit,
        sense: .atMost),
      Judgement(
        name: "busy p99", unit: "µs", ours: busy.map { $0.quantile(0.99) * 1e6 },
        reference: quiet.map { $0.quantile(0.99) * 1e6 }, limit: Self.quantileLimit,
        sense: .atMost),
      Judgement(
        name: "busy changes", unit: "changes/s", ours: rates, reference: [],
        limit: Self.changeLimit, sense: .atLeast),
    ]
  }

  private func asked(
    _ address: String, seconds: Double = seconds
  ) async throws -> DiameterLoad.Measured {
    try await load.run(against: address, perSecond: Self.perSecond, seconds: seconds)
  }

  private func s13() throws -> S13Service {
    guard let host = DiameterIdentity("eir.example.org"),
      let realm = DiameterIdentity("example.org")
    else { preconditionFailure("These names are constants.") }
    let (engine, index) = (DecisionEngine(settings: DecisionSettings()), index)
    let local = LocalNode(host: host, realm: realm, productName: "benchmark", originStateID: 1)
    var logger = Logger(label: "benchmark")
    logger.logLevel = .error
    return S13Service(
      s13: S13(local: local), peers: S13Peers(allowed: .any), logger: logger
    ) { query, _ in
      let verdict = engine.verdict(
        on: query, in: index.current, asOf: Instant(secondsSinceEpoch: 1_800_000_000))
      return .now(verdict.answer)
    }
  }
}

extension DiameterLoad.Measured {
  fileprivate var line: String {
    "p50 \(Int(quantile(0.5) * 1e6)) µs, p99 \(Int(quantile(0.99) * 1e6)) µs, "
      + "\(answered) answers, \(black) black"
  }
}
