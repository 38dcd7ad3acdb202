import DeviceIdentity
import DeviceLists
import ListIndex
import Simulation

/// Checks of a list of 20 million entries with 64 classes, half of which hit; the others share the
/// types that are listed. Reference: Swift's `Set<UInt64>` of the same keys.
struct IndexBenchmark {
  static let entryCount = 20_000_000
  static let queryCount = 5_000_000
  static let ratioLimit = 1.2
  static let bytesLimit = 3.0

  private let snapshot: ListSnapshot
  private let reference: Set<UInt64>
  private let queries: [UInt64]
  private let bytesPerEntry: Double

  static func run() throws -> [Judgement] { try IndexBenchmark().measure() }

  private init() throws {
    var population = try ListPopulation()
    print("seed \(ListPopulation.seed), \(population.types.count) TACs, \(Self.entryCount) entries")
    let keys = population.keys(count: Self.entryCount)
    let path = try temporaryDirectory("index-bench") + "/list.idx"
    guard let registry = RegistryName("bench"), let code = OperatorCode("alfa") else {
      preconditionFailure("These names are constants.")
    }
    let written = try population.write(keys, registry: registry, feed: Feed(of: code), to: path)
    bytesPerEntry = Double(written.byteCount) / Double(keys.count)
    snapshot = try ListSnapshot(file: path, verify: true)
    try Folder.remove(path)
    let reference = Set(keys)
    var queries: [UInt64] = []
    queries.reserveCapacity(Self.queryCount)
    while queries.count < Self.queryCount {
      let key = keys[population.below(keys.count)]
      queries.append(key)
      let type = key / 1_000_000 * 1_000_000
      var miss = type + UInt64(population.below(1_000_000))
      while reference.contains(miss) { miss = type + UInt64(population.below(1_000_000)) }
      queries.append(miss)
    }
    var generator = population.generator
    queries.shuffle(using: &generator)
    self.queries = queries
    self.reference = reference
  }

  private func measure() throws -> [Judgement] {
    var ours: [Double] = []
    var theirs: [Double] = []
    for run in 1...Benchmark.runs {
      ours.append(nanoseconds { ourHits() })
      theirs.append(nanoseconds { referenceHits() })
      print("run \(run): index \(ours[run - 1]) ns, Set \(theirs[run - 1]) ns")
    }
    return [
      Judgement(
        name: "index", unit: "ns", ours: ours, reference: theirs, limit: Self.ratioLimit,
        sense: .atMost),
      Judgement(
        name: "index size", unit: "bytes per entry", ours: [bytesPerEntry], reference: [],
        limit: Self.bytesLimit, sense: .atMost),
    ]
  }

  private func nanoseconds(_ hits: () -> Int) -> Double {
    let start = ContinuousClock.now
    let count = hits()
    let taken = start.duration(to: .now).components
    precondition(count == queries.count / 2, "Half of the queries must hit.")
    return (Double(taken.seconds) * 1e9 + Double(taken.attoseconds) * 1e-9)
      / Double(queries.count)
  }

  @inline(never)
  private func ourHits() -> Int {
    var hits = 0
    for query in queries where snapshot.entry(of: IMEI(unchecked: query)) != nil { hits += 1 }
    return hits
  }

  @inline(never)
  private func referenceHits() -> Int {
    var hits = 0
    for query in queries where reference.contains(query) { hits += 1 }
    return hits
  }
}
