import DeviceIdentity
import Foundation
import ListExchange
import Simulation

/// `POST /exchange/v1/lu-status` on the status listener over TLS with certificates on both sides:
/// one device in a request beside nginx, which returns the same bytes over the same TLS; and many
/// devices in a request.
struct LUStatusBenchmark {
  static let entryCount: UInt64 = 1_000_000
  static let ratioLimit = 0.5
  static let manyCounts = [1_000, ExchangeLimits.mostQueriesAtOnce]
  static let manyLimit = 300_000.0
  static let load = ["-D", "5", "--warm-up-time=1", "-t", "1", "-c", "16", "-m", "16"]
  /// So many devices in one request need no more at once.
  static let manyLoad = ["-D", "5", "--warm-up-time=1", "-t", "1", "-c", "4", "-m", "2"]

  private let country: BenchmarkCountry
  private let tls: TLSFolder
  private let tool: H2Load

  static func run() async throws -> [Judgement] {
    var fill = ListFill()
    let portion = fill.portion(of: ListFill.keys(1..<entryCount + 1))
    return try await BenchmarkCountry.with(
      "lu-status-bench", operators: ["alfa"], portion: portion
    ) { country in
      let tls = try await country.issue("eir-1", of: "alfa")
      let benchmark = LUStatusBenchmark(
        country: country, tls: tls, tool: try await H2Load(showing: tls, in: country.folder))
      var judgements = [try await benchmark.one()]
      for count in manyCounts { judgements.append(try await benchmark.many(count)) }
      return judgements
    }
  }

  private var path: String { ExchangePath.luStatus }

  private func arguments(_ load: [String], body: String) -> [String] {
    load + ["-H", "content-type: \(ExchangePath.json)", "-d", body]
  }

  private func one() async throws -> Judgement {
    let question = "\(country.folder)/one.json"
    try Data(LUStatusRequest(queries(1)[0]).json).write(to: URL(fileURLWithPath: question))
    let url = "https://\(country.statusAddress)\(path)"
    let answer = try await Curl(tls: tls, folder: country.folder).body([
      "--header", "content-type: \(ExchangePath.json)", "--data-binary", "@\(question)", url,
    ])
    guard answer.contains("\"black\"") else { throw BenchmarkFailure("It answered \(answer).") }
    let nginx = try await TLSReference.start(
      for: country,
      "location = \(path) { default_type \(ExchangePath.json); return 200 '\(answer)'; }",
      tls: tls)
    var (ours, theirs): ([Double], [Double]) = ([], [])
    let arguments = arguments(Self.load, body: question)
    for run in 1...Benchmark.runs {
      ours.append(try await tool.rate(arguments, url))
      theirs.append(try await tool.rate(arguments, "https://\(nginx.address)\(path)"))
      print("run \(run): ceir \(ours[run - 1])/s, nginx \(theirs[run - 1])/s")
    }
    try await nginx.stop()
    return Judgement(
      name: "lu-status", unit: "requests/s", ours: ours, reference: theirs,
      limit: Self.ratioLimit, sense: .atLeast)
  }

  private func many(_ count: Int) async throws -> Judgement {
    let question = "\(country.folder)/many-\(count).json"
    try Data(LUStatusRequest(many: queries(count)).json).write(
      to: URL(fileURLWithPath: question))
    let arguments = arguments(Self.manyLoad, body: question)
    var rates: [Double] = []
    for run in 1...Benchmark.runs {
      let rate = try await tool.rate(arguments, "https://\(country.statusAddress)\(path)")
      rates.append(rate * Double(count))
      print("run \(run): \(Int(rates[run - 1])) identities/s, \(count) in a request")
    }
    return Judgement(
      name: "lu-status, \(count) at once", unit: "identities/s", ours: rates, reference: [],
      limit: Self.manyLimit, sense: .atLeast)
  }

  /// Half of the devices are on the list.
  private func queries(_ count: Int) -> [LUStatusQuery] {
    let step = Self.entryCount * 2 / UInt64(count)
    return (0..<UInt64(count)).map { number in
      let place = (number * step + Self.entryCount - 1) % (Self.entryCount * 2) + 1
      let imei = IMEI(unchecked: ListFill.keys(place..<place + 1)[0])
      return LUStatusQuery(.device(IMEISV(imei: imei)))
    }
  }
}
