import DeviceLists
import Foundation
import ListIndex
import Simulation

/// From the start of a process until it answers: a CEIR on its embedded cluster, which was set up
/// and stopped before, and an EIR with 20 million entries whose CEIR is away.
struct ReadyBenchmark {
  static let entryCount = 20_000_000
  static let ceirLimitSeconds = 3.0
  static let eirLimitSeconds = 0.5

  private let folder: String
  private let commands = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()

  static func run() async throws -> [Judgement] {
    let benchmark = ReadyBenchmark(folder: try temporaryDirectory("ready-bench"))
    defer { Folder.discard(benchmark.folder) }
    return [try await benchmark.ceir(), try await benchmark.eir()]
  }

  private var data: [String] { ["--data-directory", "\(folder)/ceir"] }

  private func ceir() async throws -> Judgement {
    try await Command.run("ceir", ["pki", "init"] + data, in: folder)
    let arguments =
      ["serve"] + data + [
        "--http-port", "0", "--exchange-listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0",
      ]
    _ = try secondsUntil("ready", "ceir", arguments)
    let times = try (0..<Benchmark.runs).map { _ in
      try secondsUntil("ready", "ceir", arguments)
    }
    return Judgement(
      name: "ceir ready", unit: "s", ours: times, reference: [], limit: Self.ceirLimitSeconds,
      sense: .atMost)
  }

  private func eir() async throws -> Judgement {
    try await Command.run("ceir", ["operator", "add", "alfa", "--name", "Alfa"] + data, in: folder)
    try await Command.run(
      "ceir",
      ["pki", "issue", "--operator", "alfa", "--node", "eir-1", "--out", "\(folder)/tls"] + data,
      in: folder)
    var population = try ListPopulation()
    guard let registry = RegistryName("XA"), let code = OperatorCode("alfa") else {
      preconditionFailure("These names are constants.")
    }
    let keys = population.keys(count: Self.entryCount)
    _ = try population.write(
      keys, registry: registry, feed: Feed(of: code), to: "\(folder)/list.idx")
    try ListDirectory.install("\(folder)/list.idx", in: "\(folder)/eir", registry, Feed(of: code))
    let arguments = [
      "serve", "--directory", "\(folder)/eir", "--registry", "XA", "--operator", "alfa",
      "--ceir-url", "https://127.0.0.1:9", "--tls-directory", "\(folder)/tls", "--listen",
      "127.0.0.1:0", "--admin", "127.0.0.1:0",
    ]
    let times = try (0..<Benchmark.runs).map { _ in
      try secondsUntil("answering", "eir", arguments)
    }
    return Judgement(
      name: "eir ready", unit: "s", ours: times, reference: [], limit: Self.eirLimitSeconds,
      sense: .atMost)
  }

  /// Starts the command, waits for the word on its output, and stops it in order.
  private func secondsUntil(_ word: String, _ name: String, _ arguments: [String]) throws
    -> Double
  {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = commands.appending(path: name)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    let start = ContinuousClock.now
    try process.run()
    var text = ""
    while !text.contains(word) {
      let data = pipe.fileHandleForReading.availableData
      guard !data.isEmpty else { throw BenchmarkFailure("\(name) ended before it was ready") }
      text += String(decoding: data, as: UTF8.self)
    }
    let taken = start.duration(to: .now).components
    process.terminate()
    process.waitUntilExit()
    return Double(taken.seconds) + Double(taken.attoseconds) * 1e-18
  }
}

struct BenchmarkFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

enum Folder {
  static func remove(_ file: String) throws {
    try FileManager.default.removeItem(
      at: URL(fileURLWithPath: file).deletingLastPathComponent())
  }

  /// At the end of a benchmark nobody is left to hear of a failure.
  static func discard(_ folder: String) { try? FileManager.default.removeItem(atPath: folder) }
}

/// A node's directory with a list in it.
enum ListDirectory {
  static func install(
    _ file: String, in directory: String, _ registry: RegistryName, _ feed: Feed
  ) throws {
    let index = try ListIndex(
      directory: directory, registry: registry, content: .feed(feed))
    try index.install(snapshotFile: file)
  }
}
