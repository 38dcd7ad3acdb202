import Foundation
import PostgreSQL
import Simulation

/// Copies `rowCount` rows of (bigint, bigint, integer, text) into an unlogged table and out
/// again, through the wrapper and through `psql \copy` by turns, over the same file; and the
/// same rows in binary through the row codec.
struct CopyBenchmark {
  static let rowCount = 2_000_000
  /// Our speed, as a part of `psql`'s.
  static let limit = 0.7

  let configuration: PostgreSQLConfiguration
  let directory: String

  private var rowCount: Int { Self.rowCount }
  private var file: String { directory + "/rows.txt" }

  static func run() async throws -> [Judgement] {
    let directory = try temporaryDirectory("copy-bench")
    let database = try await TestCluster(isDurable: true).database()
    let benchmark = CopyBenchmark(
      configuration: database.configuration(), directory: directory)
    let judgements = try await benchmark.measure()
    try FileManager.default.removeItem(atPath: directory)
    return judgements
  }

  private func measure() async throws -> [Judgement] {
    try writeFile()
    let pool = PostgreSQLPool(configuration, limits: .init(maxConnections: 1))
    var times: [String: [Double]] = [:]
    for run in 1...Benchmark.runs {
      print("run \(run)")
      try await prepare(pool)
      times["psql in", default: []] += [
        try await clock { try runPSQL("\\copy t from '\(file)'") }
      ]
      try await prepare(pool)
      times["copy in", default: []] += [try await clock { try await self.copyIn(pool) }]
      try await prepare(pool)
      times["binary in", default: []] += [try await clock { try await self.binaryIn(pool) }]
      times["psql out", default: []] += [
        try await clock { try runPSQL("\\copy t to '\(directory)/out.txt'") }
      ]
      times["copy out", default: []] += [try await clock { try await self.copyOut(pool) }]
      times["binary out", default: []] += [try await clock { try await self.binaryOut(pool) }]
    }
    await pool.close()
    return ["copy in", "copy out", "binary in", "binary out"].map { name in
      let reference = name.hasSuffix("in") ? "psql in" : "psql out"
      func rates(_ name: String) -> [Double] {
        times[name, default: []].map { Double(rowCount) / $0 }
      }
      return Judgement(
        name: name, unit: "rows/s", ours: rates(name), reference: rates(reference),
        limit: Self.limit, sense: .atLeast)
    }
  }

  private func prepare(_ pool: PostgreSQLPool) async throws {
    try await pool.withConnection {
      try await $0.script(
        """
        DROP TABLE IF EXISTS t;
        CREATE UNLOGGED TABLE t (a bigint, b bigint, c integer, d text);
        CHECKPOINT
        """)
    }
  }

  private func copyIn(_ pool: PostgreSQLPool) async throws {
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
    let count = try await pool.withConnection { connection in
      try await connection.copyIn("COPY t FROM STDIN") { copy in
        while let data = try handle.read(upToCount: PostgreSQLConnection.copyChunkBytes),
          !data.isEmpty
        {
          try await copy.write([UInt8](data))
        }
      }
    }
    precondition(count == rowCount)
  }

  private func copyOut(_ pool: PostgreSQLPool) async throws {
    let path = directory + "/ours.txt"
    try Data().write(to: URL(fileURLWithPath: path))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try await pool.withConnection { connection in
      try await connection.copyOut("COPY t TO STDOUT") { try handle.write(contentsOf: $0) }
    }
    try handle.close()
  }

  private func binaryIn(_ pool: PostgreSQLPool) async throws {
    let count = try await pool.withConnection { connection in
      try await connection.copyIn("COPY t FROM STDIN (FORMAT binary)") { copy in
        var rows = BinaryCopyWriter()
        for number in 0..<rowCount {
          rows.row(fields: 4)
          rows.int64(350_000_000_000_00 + Int64(number))
          rows.int64(262_010_000_000_000 + Int64(number))
          rows.int32(Int32(number % 31))
          rows.text("some text")
          if rows.isFull { try await copy.write(&rows) }
        }
        rows.finish()
        try await copy.write(&rows)
      }
    }
    precondition(count == rowCount)
  }

  private func binaryOut(_ pool: PostgreSQLPool) async throws {
    var sum: Int64 = 0
    var count = 0
    try await pool.withConnection { connection in
      try await connection.copyOut("COPY t TO STDOUT (FORMAT binary)") { chunk in
        try chunk.withUnsafeBytes { raw in
          var rows = BinaryCopyReader(raw)
          while try rows.nextRow() {
            sum &+= try rows.int64()
            count += 1
          }
        }
      }
    }
    precondition(count == rowCount && sum != 0)
  }

  private func writeFile() throws {
    var bytes: [UInt8] = []
    for number in 0..<rowCount {
      let a = 350_000_000_000_00 + number
      bytes += "\(a)\t\(262_010_000_000_000 + number)\t\(number % 31)\tsome text\n".utf8
    }
    try Data(bytes).write(to: URL(fileURLWithPath: file))
  }

  private func runPSQL(_ command: String) throws {
    // Nothing else runs while it is waited for.
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/psql")
    process.arguments = ["-qX", configuration.connectionString, "-c", command]
    try process.run()
    process.waitUntilExit()
    precondition(process.terminationStatus == 0)
  }

  private func clock(_ body: () async throws -> Void) async throws -> Double {
    try await seconds(body).0
  }
}
