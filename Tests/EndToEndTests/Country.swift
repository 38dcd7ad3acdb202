import Foundation
import Simulation
import Testing

/// A CEIR and the node of one operator, as processes of their own on their own files.
///
/// `@unchecked Sendable`: used by the one test that made it.
final class Country: @unchecked Sendable {
  static let registry = "XA"
  static let operatorCode = "alfa"

  let folder: String
  private(set) var ceir: Program
  private(set) var ceirURL: String
  private(set) var eir: Program
  private(set) var checkAddress = ""
  private(set) var adminAddress = ""
  private let nodeTokenFile: String

  static func start() async throws -> Country {
    let folder = try temporaryDirectory("ceir-country")
    try FileManager.default.createDirectory(
      atPath: "\(folder)/logs", withIntermediateDirectories: true)
    let ceir = try Self.startCEIR(folder, port: "0")
    let url = try await ceir.word(after: "ready at ", until: "\n")
    let country = Country(folder: folder, ceir: ceir, ceirURL: url)
    try await country.require(
      "operator", "add", operatorCode, "--name", "Alfa", "--network", "00101")
    let token = try await country.require(
      "token", "create", "--node", "eir-1", "--operator", operatorCode)
    try token.write(toFile: country.nodeTokenFile, atomically: true, encoding: .utf8)
    try await country.startEIR()
    return country
  }

  private init(folder: String, ceir: Program, ceirURL: String) {
    self.folder = folder
    self.ceir = ceir
    self.ceirURL = ceirURL
    eir = ceir
    nodeTokenFile = "\(folder)/node.token"
  }

  /// Ends everything and removes the files.
  func remove() async throws {
    for program in [eir, ceir] where program.isRunning {
      program.send(SIGTERM)
      _ = try await program.end()
    }
    try FileManager.default.removeItem(atPath: folder)
  }

  // MARK: - The CEIR

  private static func startCEIR(_ folder: String, port: String) throws -> Program {
    try Program(
      "ceir",
      [
        "serve", "--data-directory", "\(folder)/ceir", "--http-port", port, "--registry-name",
        registry,
      ], in: "\(folder)/logs")
  }

  /// Starts the CEIR again on the same port, where the node looks for it.
  func restartCEIR() async throws {
    let port = ceirURL.split(separator: ":").last.map(String.init) ?? "0"
    ceir = try Self.startCEIR(folder, port: port)
    ceirURL = try await ceir.word(after: "ready at ", until: "\n")
  }

  func stopCEIR() async throws {
    ceir.send(SIGTERM)
    let result = try await ceir.end()
    #expect(result.status == 0, "\(result.errors)")
  }

  /// Runs `ceir` and expects it to succeed; returns what it says.
  @discardableResult
  func require(_ arguments: String...) async throws -> String {
    let result = try await Program.run(
      "ceir", arguments + ["--data-directory", "\(folder)/ceir"], in: "\(folder)/logs")
    try #require(result.status == 0, "ceir \(arguments.joined(separator: " ")): \(result.errors)")
    return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  var administratorToken: String {
    get throws {
      try String(contentsOfFile: "\(folder)/ceir/administrator.token", encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  /// The process of the embedded server.
  var postmaster: Int32 {
    get throws {
      let file = try String(
        contentsOfFile: "\(folder)/ceir/postgresql/data/postmaster.pid", encoding: .utf8)
      return try #require(file.split(separator: "\n").first.flatMap { Int32($0) })
    }
  }

  // MARK: - The EIR

  func startEIR() async throws {
    eir = try Program(
      "eir",
      [
        "serve", "--directory", "\(folder)/eir", "--registry", Self.registry, "--operator",
        Self.operatorCode, "--ceir-url", ceirURL, "--ceir-token-file", nodeTokenFile, "--listen",
        checkAddress.isEmpty ? "127.0.0.1:0" : checkAddress, "--admin", "127.0.0.1:0",
      ], in: "\(folder)/logs")
    checkAddress = try await eir.word(after: "answering ", until: ",")
    adminAddress = try await eir.word(after: "admin ", until: ",")
  }

  struct NodeStatus: Decodable {
    let epoch: String?
    let position: UInt64?
    let digest: String?
  }

  func nodeStatus() async throws -> NodeStatus {
    let result = try await Program.run(
      "eir",
      [
        "status", "--directory", "\(folder)/eir", "--registry", Self.registry, "--operator",
        Self.operatorCode, "--admin", adminAddress, "--format", "json",
      ], in: "\(folder)/logs")
    try #require(result.status == 0, "\(result.errors)")
    return try JSONDecoder().decode(NodeStatus.self, from: Data(result.output.utf8))
  }

  /// What the registry says that the node must come to.
  func feed() async throws -> NodeStatus {
    struct Row: Decodable { let feed: NodeStatus }
    let text = try await require("operator", "list", "--format", "json")
    let rows = try JSONDecoder().decode([Row].self, from: Data(text.utf8))
    return try #require(rows.first?.feed)
  }

  /// Waits until the node stands where the registry does, with the same list.
  func untilNodeIsLevel() async throws {
    let feed = try await feed()
    try await eventually("the node's arrival at position \(feed.position ?? 0)") {
      let node = try await self.nodeStatus()
      return node.epoch == feed.epoch && node.position ?? 0 >= feed.position ?? 0
    }
    let node = try await nodeStatus()
    let now = try await self.feed()
    #expect(node.epoch == now.epoch)
    if node.position == now.position { #expect(node.digest == now.digest) }
  }

  /// HTTP status and body of a check, asked by curl over HTTP/2 without TLS.
  func check(_ query: String) async throws -> (status: String, body: String) {
    let url = "http://\(checkAddress)/n5g-eir-eic/v1/equipment-status\(query)"
    let result = try await Program.run(
      "/usr/bin/curl",
      [
        "--silent", "--show-error", "--http2-prior-knowledge", "--write-out", "\n%{http_code}", url,
      ],
      in: "\(folder)/logs")
    try #require(result.status == 0, "\(result.errors)")
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
    return (String(lines.last ?? ""), lines.dropLast().joined(separator: "\n"))
  }
}
