import CheckServer
import DeviceIdentity
import DeviceLists
import EIRNode
import EquipmentCheck
import Foundation
import NIOCore
import NIOPosix
import Simulation
import Testing

/// The whole way, with the tools that people use. What published EIRs get wrong is checked here
/// on the wire: 404 for a missing parameter, 500 for an unknown device, refusals without a cause,
/// more than one member in the answer, small letters, percent-encoding, repeated parameters, HEAD,
/// TRACE.
@Suite(.serialized)
struct N17ToolTests {
  private static let path = "/n5g-eir-eic/v1/equipment-status"
  private static let protocols = ["--http2-prior-knowledge", "--http1.1"]

  struct Row: Sendable, CustomTestStringConvertible {
    let query: String
    let status: String
    let body: String
    var testDescription: String { query }
  }

  static let rows = [
    Row(query: "?pei=imei-490154203237518", status: "200", body: #"{"status":"BLACKLISTED"}"#),
    Row(query: "?pei=imei-490154203237510", status: "200", body: #"{"status":"BLACKLISTED"}"#),
    Row(
      query: "?pei=imeisv-4901542032375177&supi=imsi-001010000000001", status: "200",
      body: #"{"status":"WHITELISTED"}"#),
    Row(query: "?pei=imei%2d490154203237518", status: "200", body: #"{"status":"BLACKLISTED"}"#),
    Row(query: "?pei=imei-352099001761481", status: "200", body: #"{"status":"GREYLISTED"}"#),
    Row(
      query: "?pei=imei-111111111111111", status: "404",
      body: #"{"title":"Not Found","status":404,"cause":"ERROR_EQUIPMENT_UNKNOWN","#
        + #""detail":"The device is on no list."}"#),
    Row(
      query: "?pei=mac-00-00-5E-00-53-00", status: "404",
      body: #"{"title":"Not Found","status":404,"cause":"ERROR_EQUIPMENT_UNKNOWN","#
        + #""detail":"The device is on no list."}"#),
    Row(
      query: "", status: "400",
      body: #"{"title":"Bad Request","status":400,"cause":"MANDATORY_QUERY_PARAM_MISSING","#
        + #""invalidParams":[{"param":"query pei","reason":"is required"}]}"#),
    Row(
      query: "?pei=imei-490154203237518&pei=imei-490154203237518", status: "400",
      body: #"{"title":"Bad Request","status":400,"cause":"MANDATORY_QUERY_PARAM_INCORRECT","#
        + #""invalidParams":[{"param":"query pei","reason":"must be given only once"}]}"#),
    Row(
      query: "/?pei=x", status: "404",
      body: #"{"title":"Not Found","status":404,"cause":"RESOURCE_URI_STRUCTURE_NOT_FOUND"}"#),
    Row(
      query: "?pei=" + String(repeating: "x", count: 5_000), status: "414",
      body: #"{"title":"URI Too Long","status":414}"#),
  ]

  /// 49015420323751 is black, white for one subscriber; 35209900176148 is grey.
  private static func decide(_ query: CheckQuery) -> CheckAnswer {
    guard case .device(let device) = query.identity else { return .unknown }
    switch device.imei.number {
    case 49_015_420_323_751: return query.imsi == nil ? .black : .white
    case 35_209_900_176_148: return .grey
    default: return .unknown
    }
  }

  private func listening<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server = try await CheckServer.start(
      host: "127.0.0.1", port: 0, group: group, responder: N17Responder(decide: Self.decide))
    let value: Value
    do {
      value = try await body("http://127.0.0.1:\(server.port)\(Self.path)")
    } catch {
      await server.shutdown()
      throw error
    }
    await server.shutdown()
    try await group.shutdownGracefully()
    return value
  }

  @Test(.enabled(if: Tool.isInstalled("curl")), arguments: protocols, rows)
  func `curl gets what the standard says`(version: String, row: Row) async throws {
    try await listening { url in
      let format = "\n%{http_code} %{content_type}"
      let text = try await Tool.run("curl", ["-s", version, "-w", format, url + row.query])
      let type = row.status == "200" ? "application/json" : "application/problem+json"
      #expect(text == "\(row.body)\n\(row.status) \(type)")
    }
  }

  @Test(
    .enabled(if: Tool.isInstalled("curl")), arguments: protocols,
    ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
  func `other methods are 405 and named those allowed`(
    version: String, method: String
  ) async throws {
    try await listening { url in
      let text = try await Tool.run("curl", ["-si", version, "-X", method, url + "?pei=x"])
      #expect(text.contains(" 405"))
      #expect(text.contains("\r\nallow: GET, HEAD\r\n"))
    }
  }

  @Test(.enabled(if: Tool.isInstalled("curl")), arguments: protocols)
  func `HEAD has no body and an unacceptable form is 406`(version: String) async throws {
    try await listening { url in
      let head = try await Tool.run("curl", ["-sI", version, url + "?pei=imei-490154203237518"])
      #expect(head.contains(" 200"))
      #expect(head.contains("\r\ncontent-length: 24\r\n"))
      #expect(head.hasSuffix("\r\n\r\n"))
      let text = try await Tool.run(
        "curl", ["-s", version, "-H", "Accept: text/html", url + "?pei=x"])
      #expect(text == #"{"title":"Not Acceptable","status":406}"#)
    }
  }

  @Test(.enabled(if: Tool.isInstalled("nghttp")))
  func `nghttp is content and so is its smallest window`() async throws {
    try await listening { url in
      for arguments in [[], ["-w", "1"], ["-W", "1"], ["--header-table-size=0"]] {
        let text = try await Tool.run("nghttp", arguments + [url + "?pei=imei-490154203237518"])
        #expect(text == #"{"status":"BLACKLISTED"}"#)
      }
    }
  }

  @Test(.enabled(if: Tool.isInstalled("h2load")))
  func `h2load has every answer right`() async throws {
    try await listening { url in
      let arguments = ["-n", "20000", "-c", "4", "-m", "100", url + "?pei=imei-490154203237518"]
      let report = try await Tool.run("h2load", arguments)
      #expect(report.contains("20000 succeeded, 0 failed, 0 errored, 0 timeout"))
      #expect(report.contains("status codes: 20000 2xx"))
    }
  }
}

/// A program beside the tests; what needs one that is missing is skipped and said so.
enum Tool {
  static func isInstalled(_ name: String) -> Bool { path(of: name) != nil }

  private static func path(of name: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
    let found = path.split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    if found == nil { print("skipped: \(name) is not installed") }
    return found
  }

  static func run(_ name: String, _ arguments: [String]) async throws -> String {
    try await Program.run(path(of: name) ?? name, arguments).output
  }
}
