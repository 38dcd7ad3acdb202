import Glibc

/// `Scripts/bench NAME`: ours and a reference in turn, five times, judged by the median ratio.
@main
struct Benchmark {
  static let runs = 5

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let benchmarks: [String: ([String]) async throws -> [Judgement]] = [
      "index": { _ in try IndexBenchmark.run() },
      "index-sizes": { try await IndexSizesBenchmark.run($0) },
      "busy": { _ in try await BusyBenchmark.run() },
      "s13": { _ in try await S13Benchmark.run() },
      "echo-server": { arguments in
        try await EchoServer.serve(port: arguments.first.flatMap { Int($0) } ?? 0)
        return []
      },
      "ready": { _ in try await ReadyBenchmark.run() },
      "n17-server": { arguments in
        try await N17Server.serve(port: arguments.first.flatMap { Int($0) } ?? 0)
        return []
      },
      "lu-status": { _ in try await LUStatusBenchmark.run() },
      "catch-up": { _ in try await CatchUpBenchmark.run() },
      "snapshot": { _ in try await SnapshotBenchmark.run() },
      "propagation": { _ in try await PropagationBenchmark.run() },
      "import": { _ in try await ImportBenchmark.run() },
      "classify": { _ in try await ClassifyBenchmark.run() },
      "copy": { _ in try await CopyBenchmark.run() },
      "publish": { _ in try await PublishBenchmark().run() },
    ]
    guard let name = arguments.first, let benchmark = benchmarks[name] else {
      print("usage: benchmark \(benchmarks.keys.sorted().joined(separator: "|"))")
      exit(2)
    }
    do {
      let judgements = try await benchmark(Array(arguments.dropFirst()))
      for judgement in judgements { print(judgement.line) }
      exit(judgements.allSatisfy(\.holds) ? 0 : 1)
    } catch {
      print("\(name): \(error)")
      exit(1)
    }
  }
}
