import DeviceIdentity
import DeviceLists
import Foundation
import NightlyJobs
import PostgreSQL
import RegistryStore
import Simulation

/// An operator's month of 5 million lines in random order, every one a sighting of its own (the
/// worst case: repetitions cost less), taken in with all its checks, durable; then the same month
/// corrected. Reference: `COPY` of the same file as it is into an unlogged table.
struct ImportBenchmark {
  static let lines = 5_000_000
  static let freshLimit = 2.0
  static let correctedLimit = 3.0
  /// MiB of this process that no file backs.
  static let memoryLimit = 1_024.0
  private static let seed: UInt64 = 42

  private let directory: String
  private var file: String { directory + "/alfa_20261001_20261031.csv" }
  private var correction: String { directory + "/alfa_20261001_20261031.v2.csv" }

  static func run() async throws -> [Judgement] {
    let directory = try temporaryDirectory("import-bench")
    defer { Folder.discard(directory) }
    print("seed \(seed), \(lines) lines")
    let benchmark = ImportBenchmark(directory: directory)
    try benchmark.writeFiles()
    return try await benchmark.measure()
  }

  private func measure() async throws -> [Judgement] {
    let cluster = TestCluster(isDurable: true)
    var (fresh, corrected, copied): ([Double], [Double], [Double]) = ([], [], [])
    var memory: [Double] = []
    for run in 1...Benchmark.runs {
      let registry = try await TestRegistry.make(in: cluster)
      let code = try await prepare(registry)
      copied.append(try await copy(registry))
      let watch = MemoryWatch()
      fresh.append(try await seconds { try await take(file, registry, code) }.0)
      memory.append(watch.stop())
      corrected.append(try await seconds { try await take(correction, registry, code) }.0)
      print(
        "run \(run): fresh \(fresh[run - 1]) s, \(memory[run - 1]) MiB, corrected "
          + "\(corrected[run - 1]) s; COPY \(copied[run - 1]) s")
      await registry.close()
    }
    return [
      Judgement(
        name: "import", unit: "s", ours: fresh, reference: copied, limit: Self.freshLimit,
        sense: .atMost),
      Judgement(
        name: "import corrected", unit: "s", ours: corrected, reference: copied,
        limit: Self.correctedLimit, sense: .atMost),
      Judgement(
        name: "import memory", unit: "MiB", ours: memory, reference: [], limit: Self.memoryLimit,
        sense: .atMost),
    ]
  }

  private func prepare(_ registry: TestRegistry) async throws -> OperatorCode {
    guard let code = OperatorCode("alfa") else { preconditionFailure("This code is constant.") }
    let network = try PLMN("00101")
    try await registry.store.write {
      try await $0.addOperator(code, name: "Alfa", networks: [network], mode: .unknown, by: "bench")
    }
    try await registry.owner.withConnection {
      try await $0.script("CHECKPOINT")
    }
    return code
  }

  private func take(
    _ path: String, _ registry: TestRegistry, _ code: OperatorCode
  ) async throws {
    let options = OperatorImport.Options(actor: "bench", temporaryDirectory: directory)
    let outcome = try await OperatorImport(
      store: registry.store, operator: code, options: options
    ).run(path: path, listener: .init())
    guard case .imported(_, let summary) = outcome, summary.rows >= Self.lines - 1 else {
      throw BenchmarkFailure("The file was not taken in: \(outcome)")
    }
  }

  private func copy(_ registry: TestRegistry) async throws -> Double {
    try await registry.owner.withConnection { connection in
      try await connection.script(
        """
        DROP TABLE IF EXISTS raw;
        CREATE UNLOGGED TABLE raw (date text, imei text, imsi text, msisdn text, rat text);
        CHECKPOINT
        """)
      return try await seconds {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
        try await connection.copyIn("COPY raw FROM STDIN (FORMAT csv, HEADER)") { copy in
          while let data = try handle.read(upToCount: PostgreSQLConnection.copyChunkBytes),
            !data.isEmpty
          {
            try await copy.write([UInt8](data))
          }
        }
      }.0
    }
  }

  /// Devices with two subscribers each, and one line for each; the correction has other days for
  /// one line in a hundred.
  private func writeFiles() throws {
    try write(to: file, corrected: false)
    try write(to: correction, corrected: true)
  }

  private func write(to path: String, corrected: Bool) throws {
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let handle = FileHandle(forWritingAtPath: path)
    else { throw BenchmarkFailure("\(path) cannot be written.") }
    var bytes = Array("date,imei,imsi,msisdn,rat\n".utf8)
    var generator = SeededGenerator(seed: Self.seed)
    let technologies = ["002", "006", "010"]
    for line in 0..<Self.lines {
      // A step that has no factor in common with the count comes past every number once.
      let number = line * 2_654_435_761 % Self.lines
      let draw = generator.next()
      let day = (draw % 31 + (corrected && draw >> 40 % 100 == 0 ? 1 : 0)) % 31 + 1
      let device = UInt64(number / 2)
      let imei = 350_000_000_000_000 + device * 3_203 % 1_000_000_000_000 * 10 + draw >> 32 % 10
      let subscriber = String(10_000_000_000 + UInt64(number)).dropFirst()
      let technology = technologies[Int(draw >> 48 % 3)]
      bytes += "202610\(day < 10 ? "0" : "")\(day),\(imei),00101\(subscriber),".utf8
      bytes += "999\(subscriber),\(technology)\n".utf8
      if bytes.count > 1 << 20 {
        try handle.write(contentsOf: bytes)
        bytes.removeAll(keepingCapacity: true)
      }
    }
    try handle.write(contentsOf: bytes)
    try handle.close()
  }
}
