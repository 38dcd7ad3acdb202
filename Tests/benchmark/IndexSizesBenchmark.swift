import DeviceIdentity
import DeviceLists
import EIRNode
import Foundation
import ListExchange
import ListIndex
import Simulation

/// What a list costs at several sizes, and what a node does with it: a table, no judgement. No list
/// is ever in memory as a whole, so that what grows with one is seen.
struct IndexSizesBenchmark {
  static let counts = [1_000_000, 100_000_000]
  private static let queryCount = 4_000_000
  private static let coldCount = 20_000

  private let count: Int
  private let folder: String
  private let registry: RegistryName
  private let feed: Feed
  private var population: ListPopulation
  private var queries: [UInt64] = []

  /// - Parameter arguments: numbers of entries.
  static func run(_ arguments: [String]) async throws -> [Judgement] {
    let asked = arguments.compactMap { Int($0) }
    for count in asked.isEmpty ? counts : asked {
      let folder = try temporaryDirectory("index-sizes")
      defer { Folder.discard(folder) }
      var benchmark = try IndexSizesBenchmark(count: count, folder: folder)
      try await benchmark.measure()
    }
    return []
  }

  private init(count: Int, folder: String) throws {
    guard let registry = RegistryName("bench"), let code = OperatorCode("alfa") else {
      preconditionFailure("These names are constants.")
    }
    self.count = count
    self.folder = folder
    self.registry = registry
    feed = Feed(of: code)
    population = try ListPopulation()
  }

  private mutating func measure() async throws {
    print("\(count) entries, \(population.types.count) TACs, seed \(ListPopulation.seed)")
    let path = folder + "/list.idx"
    let written = try await Self.step("write") { try write(to: path) }
    queries.shuffle(using: &population.generator)
    let share = Double(written.byteCount) / Double(count)
    print("  \(written.byteCount >> 20) MiB, \(share) bytes per entry")
    try checkCold(path)
    try await followed(path)
    try await compacted()
  }

  private mutating func write(to path: String) throws -> WrittenIndex {
    var chance = SeededGenerator(seed: ListPopulation.seed)
    var queries: [UInt64] = []
    let share = UInt64(count)
    let written = try population.write(count: count, registry: registry, feed: feed, to: path) {
      key in
      // Half of the questions hit; the others share the types that are listed.
      guard chance.next() % share < UInt64(Self.queryCount / 2) else { return }
      queries.append(key)
      queries.append(key / 1_000_000 * 1_000_000 + chance.next() % 1_000_000)
    }
    self.queries = queries
    return written
  }

  /// The first questions after a start of the machine.
  private func checkCold(_ path: String) throws {
    let file = open(path, O_RDONLY)
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
    close(file)
    let start = ContinuousClock.now
    let list = try ListSnapshot(file: path, verify: false)
    let opened = Self.elapsed(since: start)
    let hits = Self.hits(queries.prefix(Self.coldCount), list)
    let taken = Self.elapsed(since: start) - opened
    print("  cold: opened in \(opened * 1e3) ms, \(Self.coldCount) checks in \(taken * 1e3) ms")
    precondition(hits > 0, "Nothing was found.")
  }

  private func checkWarm(_ list: ListSnapshot) {
    var best = Double.infinity
    for _ in 0..<3 {
      let start = ContinuousClock.now
      precondition(Self.hits(queries[...], list) > 0, "Nothing was found.")
      best = min(best, Self.elapsed(since: start) * 1e9 / Double(queries.count))
    }
    print("  \(best) ns per check")
  }

  /// A node takes its first list, and then another that has gone on: the brake compares the two.
  private func followed(_ path: String) async throws {
    let keeper = try ListKeeper(
      directory: folder + "/eir", registry: registry, feed: feed, brakeLimit: Brake.Limit())
    try await Self.step("install the first list") { try install(path, keeper) }
    guard let list = keeper.current else { throw BenchmarkFailure("No list was installed.") }
    checkWarm(list)
    _ = try await Self.step("read the file as a whole") { try keeper.checkFile(asOf: .now()) }
    let other = folder + "/other.idx"
    var again = try ListPopulation()
    _ = try again.write(
      count: count, registry: registry, feed: feed, position: Position(2), to: other
    ) { _ in }
    try await Self.step("install another list") { try install(other, keeper) }
  }

  private func install(_ path: String, _ keeper: ListKeeper) throws {
    let summary = try IndexFileSummary(path: path, verify: false)
    let head = summary.head.listHead
    let checkpoint = Checkpoint(
      registry: registry, epoch: head.epoch, feed: feed, after: .start, position: head.position,
      digest: head.digest, contentHash: ContentHash(bytes: summary.sha256),
      issuedAt: head.issuedAt)
    let progress = try keeper.install(snapshot: path, provenBy: checkpoint, asOf: .now())
    guard case .installed = progress else { throw BenchmarkFailure("\(progress)") }
  }

  /// Opened again, and written anew while it answers and changes.
  private func compacted() async throws {
    let index = try await Self.step("open") {
      try ListIndex(directory: folder + "/eir", registry: registry, content: .feed(feed))
    }
    let load = ChangeLoad(index: index, imeis: queries)
    try await Self.step("1,000 changes/s and a compaction") {
      try await load.run { try index.compact(yielding: true) }
    }
    print("  \(load.summary)")
  }

  /// Prints time and memory: the most that was resident, and the most of it that no file backs.
  private static func step<Value>(
    _ name: String, _ work: () async throws -> Value
  ) async throws -> Value {
    try ProcessMemory.forgetPeak(of: getpid())
    let watch = MemoryWatch()
    let (taken, value) = try await seconds(work)
    let anonymous = watch.stop()
    let peak = try ProcessMemory(of: getpid()).peak
    print(
      "  \(name): \(taken) s, most resident \(Int(peak)) MiB, of which \(Int(anonymous)) MiB "
        + "without a file")
    return value
  }

  @inline(never)
  private static func hits(_ queries: ArraySlice<UInt64>, _ list: ListSnapshot) -> Int {
    var hits = 0
    for query in queries where list.entry(of: IMEI(unchecked: query)) != nil { hits += 1 }
    return hits
  }

  private static func elapsed(since start: ContinuousClock.Instant) -> Double {
    let taken = start.duration(to: .now).components
    return Double(taken.seconds) + Double(taken.attoseconds) * 1e-18
  }
}
