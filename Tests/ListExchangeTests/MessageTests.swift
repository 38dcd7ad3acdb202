import DeviceLists
import Foundation
import Testing

@testable import ListExchange

struct MessageTests {
  @Test func `a request for changes is what its target says`() throws {
    let request = ChangesRequest(
      epoch: Samples.epoch, after: Position(12), digest: Samples.digest(9), waitSeconds: 50)
    let query = request.target.split(separator: "?")[1]
    let parameters = Dictionary(
      uniqueKeysWithValues: query.split(separator: "&").map { pair in
        let parts = pair.split(separator: "=")
        return (String(parts[0]), String(parts[1]))
      })
    #expect(try ChangesRequest { parameters[$0] } == request)
    for name in ["epoch", "after", "digest"] {
      let error = #expect(throws: ExchangeError.self) {
        try ChangesRequest { $0 == name ? nil : parameters[$0] }
      }
      #expect(error?.code == .badRequest)
      #expect(error?.detail.contains(name) == true)
    }
  }

  @Test(arguments: ["56", "-1", "x", ""])
  func `a wait beyond the limit is refused`(wait: String) {
    let parameters = [
      "epoch": Samples.epoch.description, "after": "1",
      "digest": ListDigest.zero.description, "wait": wait,
    ]
    let error = #expect(throws: ExchangeError.self) {
      try ChangesRequest { parameters[$0] }
    }
    #expect(error?.code == .badRequest)
  }

  @Test func `a problem names its code and where the registry stands`() throws {
    let problem = ExchangeProblem(
      ExchangeError(.epochChanged, "since \"today\""), epoch: Samples.epoch,
      position: Position(5))
    #expect(
      String(decoding: problem.json, as: UTF8.self)
        == #"{"type":"/exchange/v1/codes#1004","title":"The registry is in another epoch","#
        + #""status":409,"detail":"since \"today\"","code":1004,"#
        + #""epoch":"00000000000000010000000000000002","position":5}"#)
    #expect(try ExchangeProblem(json: problem.json) == problem)
  }

  @Test func `a status says where the registry is`() throws {
    let status = RegistryStatus(
      registry: Samples.registry, epoch: Samples.epoch, position: Position(5))
    #expect(try RegistryStatus(json: status.json) == status)
  }

  @Test func `a checkpoint is read as it was written`() throws {
    let bytes = Samples.encoded([])
    let checkpoint = try Samples.decoded(bytes).checkpoint
    #expect(try Checkpoint(json: checkpoint.json) == checkpoint)
  }

  @Test func `codes are stable, unique and at least 1000`() {
    #expect(ExchangeCode.allCases.allSatisfy { (1000...1299).contains($0.rawValue) })
    #expect(ExchangeCode.allCases.allSatisfy { !$0.title.isEmpty })
    #expect(Set(ExchangeCode.allCases.map(\.title)).count == ExchangeCode.allCases.count)
    let statuses = ExchangeCode.allCases.prefix(10).map(\.httpStatus)
    #expect(statuses == [400, 401, 403, 404, 409, 409, 410, 412, 503, 500])
  }

  /// Meaning and HTTP status of every code stand in `Schema/exchange/codes.md`.
  @Test func `every code is documented`() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Schema/exchange/codes.md")
    let rows = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
    for code in ExchangeCode.allCases {
      let start = "| \(code.rawValue) | \(code.httpStatus) | \(code.title) |"
      #expect(rows.contains { $0.hasPrefix(start) }, "\(start)")
    }
    let lines = LineCode.allCases.map { "| \($0) | \($0.title) |" }
    for line in lines { #expect(rows.contains { $0 == line }, "\(line)") }
    let documented = rows.count { $0.hasPrefix("| 0") || $0.hasPrefix("| 1") }
    #expect(documented == ExchangeCode.allCases.count + lines.count)
  }
}
