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
    // The key is 14 digits: neither the check digit nor the software version is part of it.
    Row(query: "?pei=imeisv-4901542032375101", status: "200", body: #"{"status":"BLACKLISTED"}"#),
    Row(
      query: "?pei=imei-490154203237518&supi=nai-user%40example.com&gpsi=extid-a%40b.c"
        + "&supported-features=", status: "200", body: #"{"status":"BLACKLISTED"}"#),
    Row(
      query: "?gpsi=msisdn-491701234567&pei=imei-490154203237518&unknown=1", status: "200",
      body: #"{"status":"BLACKLISTED"}"#),
    Row(query: "?pei=490154203237518", status: "404", body: unknownDevice),
    Row(query: "?pei=IMEI-490154203237518", status: "404", body: unknownDevice),
    Row(query: "?pei=eui-00-00-5E-EF-10-00-00-00", status: "404", body: unknownDevice),
    wrongDigits("?pei=imei-49015420323751"), wrongDigits("?pei=imei-49015420323751F"),
    wrongDigits("?pei=imei-49015420323751%20"), wrongDigits("?pei=imei-imei-4901542032"),
    Row(
      query: "?pei=x&supported-features=xyz", status: "400",
      body: #"{"title":"Bad Request","status":400,"cause":"OPTIONAL_QUERY_PARAM_INCORRECT","#
        + #""invalidParams":[{"param":"query supported-features","#
        + #""reason":"must have hexadecimal digits only"}]}"#),
    Row(
      query: "/?pei=x", status: "404",
      body: #"{"title":"Not Found","status":404,"cause":"RESOURCE_URI_STRUCTURE_NOT_FOUND"}"#),
    Row(
      query: "?pei=" + String(repeating: "x", count: 5_000), status: "414",
      body: #"{"title":"URI Too Long","status":414}"#),
  ]

  private static let unknownDevice =
    #"{"title":"Not Found","status":404,"cause":"ERROR_EQUIPMENT_UNKNOWN","#
    + #""detail":"The device is on no list."}"#

  private static func wrongDigits(_ query: String) -> Row {
    Row(
      query: query, status: "400",
      body: #"{"title":"Bad Request","status":400,"cause":"MANDATORY_QUERY_PARAM_INCORRECT","#
        + #""invalidParams":[{"param":"query pei","#
        + #""reason":"must have exactly 15 digits after imei-"}]}"#)
  }

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
      let text = try await Tool.run(
        "curl", ["-s", version, "--path-as-is", "-w", format, url + row.query])
      let type = row.status == "200" ? "application/json" : "application/problem+json"
      #expect(text == "\(row.body)\n\(row.status) \(type)")
    }
  }

  @Test(
    .enabled(if: Tool.isInstalled("curl")), arguments: protocols,
    ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO", "get"])
  func `other methods are 405 and named those allowed`(
    version: String, method: String
  ) async throws {
    try await listening { url in
      let text = try await Tool.run("curl", ["-si", version, "-X", method, url + "?pei=x"])
      #expect(text.contains(" 405"), "a method in small letters is another method")
      #expect(text.contains("\r\nallow: GET, HEAD\r\n"))
    }
  }

  @Test(
    .enabled(if: Tool.isInstalled("curl")), arguments: protocols,
    [
      ("/n5g-eir-eic/v2/equipment-status", "400", "INVALID_API"),
      ("/namf-comm/v1/ue-contexts", "400", "INVALID_API"),
      ("//n5g-eir-eic/v1/equipment-status", "404", "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
      ("/n5g-eir-eic/v1//equipment-status", "404", "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
      ("/n5g-eir-eic/v1/../v1/equipment-status", "404", "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
      ("/", "404", "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
    ])
  func `a wrong path has the cause of its fault`(
    version: String, row: (path: String, status: String, cause: String)
  ) async throws {
    try await listening { url in
      let text = try await Tool.run(
        "curl",
        [
          "-s", version, "--path-as-is", "-w", "\n%{http_code}",
          url.replacing(Self.path, with: row.path) + "?pei=imei-490154203237518",
        ])
      #expect(text.contains(#""cause":"\#(row.cause)""#))
      #expect(text.hasSuffix("\n" + row.status))
    }
  }

  /// What an AMF and an SCP send; none of it changes an answer that is known. TS 29.500, 5.2.3.
  private static let sbiHeaders = [
    "3gpp-Sbi-Message-Priority: 31", "3gpp-Sbi-Max-Rsp-Time: 0",
    "3gpp-Sbi-Sender-Timestamp: Sun, 04 Aug 2019 08:49:37.845 GMT",
    "3gpp-Sbi-Correlation-Info: imsi-001010000000001",
    "3gpp-Sbi-Target-apiRoot: https://elsewhere.example", "User-Agent: AMF-1",
    "3gpp-Sbi-Originating-Network-Id: 001-01", "3gpp-Sbi-Max-Rsp-Time: nonsense",
  ]

  @Test(.enabled(if: Tool.isInstalled("curl")), arguments: protocols)
  func `3GPP headers change nothing and are not given back`(version: String) async throws {
    try await listening { url in
      let text = try await Tool.run(
        "curl",
        ["-si", version] + Self.sbiHeaders.flatMap { ["-H", $0] } + [
          url + "?pei=imei-490154203237518"
        ])
      #expect(text.contains(" 200"))
      #expect(text.hasSuffix("\r\n\r\n" + #"{"status":"BLACKLISTED"}"#))
      #expect(!text.lowercased().contains("3gpp"))
      #expect(!text.lowercased().contains("server:"))
      let refused = try await Tool.run("curl", ["-si", version, url])
      #expect(refused.contains("\r\nserver: 5G_EIR\r\n"))
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
