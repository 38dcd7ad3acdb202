import DeviceLists
import Foundation
import ListIndex
import Simulation

/// A running node asked over S13 with many requests under way, with a list of 20 million entries
/// and its CEIR away. Reference: a listener in SwiftNIO that sends the same bytes back.
///
/// Two ways of asking, because each can show one thing. Where each request is a write of its own,
/// as when every one is the attach of another phone, the rate is judged: both servers are woken
/// once per request, and that costs the reference alone more processor than the limit. Where all
/// that may be sent go in one write, as from a relay, the processor is judged: the reference then
/// moves whole buffers without looking for a message in them, so its rate says nothing.
struct S13Benchmark {
  static let entryCount = 20_000_000
  static let requestCount = 4_096
  static let window = 128
  static let seconds = 3.0
  static let rateLimit = 0.5
  static let processorLimit = 2.0

  private let folder: String
  private let load: DiameterLoad

  static func run() async throws -> [Judgement] {
    let folder = try temporaryDirectory("s13-bench")
    defer { Folder.discard(folder) }
    var population = try ListPopulation()
    print("seed \(ListPopulation.seed), \(population.types.count) TACs, \(entryCount) entries")
    guard let registry = RegistryName("XA"), let code = OperatorCode("alfa") else {
      preconditionFailure("These names are constants.")
    }
    let keys = population.keys(count: entryCount)
    _ = try population.write(keys, registry: registry, feed: Feed(of: code), to: folder + "/l.idx")
    try ListDirectory.install(folder + "/l.idx", in: folder + "/eir", registry, Feed(of: code))
    let imeis = (0..<requestCount).map { number in
      let key = keys[population.below(keys.count)]
      return number % 2 == 0 ? key : key / 1_000_000 * 1_000_000 + UInt64(number)
    }
    return try await S13Benchmark(folder: folder, load: DiameterLoad(imeis: imeis)).measure()
  }

  private func measure() async throws -> [Judgement] {
    let node = try await node()
    let address = try await node.word(after: "s13 ", until: ",")
    let echo = try Command("benchmark", ["echo-server", "0"], in: folder)
    let reference = try await echo.word(after: "listening on ", until: " ")
    let single = try await figures("one in a write", false, (node, address), (echo, reference))
    let joined = try await figures("many in a write", true, (node, address), (echo, reference))
    try await node.stop()
    try await echo.stop()
    return [
      Judgement(
        name: "s13", unit: "requests/s", ours: single.rates, reference: single.referenceRates,
        limit: Self.rateLimit, sense: .atLeast),
      Judgement(
        name: "s13 processor", unit: "µs per request", ours: joined.costs, reference: [],
        limit: Self.processorLimit, sense: .atMost),
    ]
  }

  private struct Figures {
    var rates: [Double] = []
    var referenceRates: [Double] = []
    var costs: [Double] = []
  }

  private func figures(
    _ name: String, _ isJoined: Bool, _ node: (Command, String), _ echo: (Command, String)
  ) async throws -> Figures {
    var figures = Figures()
    for run in 1...Benchmark.runs {
      let (ours, cost) = try await measured(node, isJoined, introduces: true)
      guard ours.black > 0 else { throw BenchmarkFailure("No answer was black.") }
      let (theirs, referenceCost) = try await measured(echo, isJoined, introduces: false)
      figures.rates.append(ours.rate)
      figures.costs.append(cost)
      figures.referenceRates.append(theirs.rate)
      print(
        "run \(run), \(name): \(Int(ours.rate))/s, \(cost) µs; echo \(Int(theirs.rate))/s, "
          + "\(referenceCost) µs")
    }
    return figures
  }

  /// The rate, and the microseconds of processor time that each request costs the server.
  private func measured(
    _ server: (command: Command, address: String), _ isJoined: Bool, introduces: Bool
  ) async throws -> (DiameterLoad.Measured, Double) {
    let before = try ProcessorTime(of: server.command.identifier)
    let measured = try await load.run(
      against: server.address, window: Self.window, isJoined: isJoined, seconds: Self.seconds,
      introduces: introduces)
    let used = try ProcessorTime(of: server.command.identifier).seconds - before.seconds
    return (measured, used * 1e6 / Double(measured.answered))
  }

  private func node() async throws -> Command {
    let data = ["--data-directory", folder + "/ceir"]
    try await Command.run("ceir", ["pki", "init"] + data, in: folder)
    let served = try Command(
      "ceir",
      ["serve"] + data + [
        "--http-port", "0", "--exchange-listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0",
      ], in: folder)
    _ = try await served.word(after: "ready", until: "\n")
    try await served.stop()
    try await Command.run("ceir", ["operator", "add", "alfa", "--name", "Alfa"] + data, in: folder)
    try await Command.run(
      "ceir",
      ["pki", "issue", "--operator", "alfa", "--node", "e", "--out", folder + "/tls"] + data,
      in: folder)
    return try Command(
      "eir",
      [
        "serve", "--directory", folder + "/eir", "--registry", "XA", "--operator", "alfa",
        "--ceir-url", "https://127.0.0.1:9", "--tls-directory", folder + "/tls", "--listen",
        "127.0.0.1:0", "--admin", "127.0.0.1:0", "--s13-listen", "127.0.0.1:0", "--s13-host",
        "eir.example.org", "--s13-realm", "example.org", "--s13-peers", "any",
      ], in: folder)
  }
}

/// What a process has used of the processors since its start. proc(5), `stat`.
struct ProcessorTime {
  let seconds: Double

  init(of process: Int32) throws {
    let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    // The name, in brackets, may hold spaces; what follows it begins with the third field.
    let fields = text.drop { $0 != ")" }.split(separator: " ").dropFirst()
    let ticks = [fields.dropFirst(11).first, fields.dropFirst(12).first].compactMap {
      $0.flatMap { Double($0) }
    }
    seconds = ticks.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
