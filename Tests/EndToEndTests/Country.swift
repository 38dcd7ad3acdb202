import Foundation
import Simulation
import Testing

/// A CEIR and the node of one operator, as processes of their own on their own files.
///
/// `@unchecked Sendable`: used by the one test that made it.
final class Country: @unchecked Sendable {
  static let registry = "XA"
  static let operatorCode = "alfa"
  static let nodeName = "eir-1"

  let folder: String
  private(set) var ceir: Program
  private(set) var ceirURL: String
  private(set) var exchangeURL: String
  private(set) var statusURL: String
  private(set) var nodes: [String: RunningNode] = [:]

  static func start() async throws -> Country {
    let country = try await withoutNodes()
    try await country.addNode(nodeName)
    try await country.startEIR()
    return country
  }

  /// A CEIR with its certificates and one operator.
  static func withoutNodes() async throws -> Country {
    let folder = try temporaryDirectory("ceir-country")
    try FileManager.default.createDirectory(
      atPath: "\(folder)/logs", withIntermediateDirectories: true)
    let made = try await Program.run(
      "ceir", ["pki", "init", "--registry-name", registry, "--data-directory", "\(folder)/ceir"],
      in: "\(folder)/logs")
    try #require(made.status == 0, "\(made.errors)")
    let ceir = try Self.startCEIR(folder, ports: Array(repeating: "0", count: 3))
    let country = Country(folder: folder, ceir: ceir, addresses: try await addresses(of: ceir))
    try await country.require(
      "operator", "add", operatorCode, "--name", "Alfa", "--network", "00101")
    return country
  }

  private init(folder: String, ceir: Program, addresses: [String]) {
    self.folder = folder
    self.ceir = ceir
    (ceirURL, exchangeURL, statusURL) = (addresses[0], addresses[1], addresses[2])
  }

  /// Ends everything and removes the files.
  func remove() async throws {
    for program in nodes.values.compactMap(\.program) + [ceir] where program.isRunning {
      program.send(SIGTERM)
      _ = try await program.end()
    }
    try FileManager.default.removeItem(atPath: folder)
  }

  // MARK: - The CEIR

  private static func startCEIR(_ folder: String, ports: [String]) throws -> Program {
    try Program(
      "ceir",
      [
        "serve", "--data-directory", "\(folder)/ceir", "--http-port", ports[0],
        "--exchange-listen", "127.0.0.1:\(ports[1])", "--status-listen", "127.0.0.1:\(ports[2])",
        "--registry-name", registry,
      ], in: "\(folder)/logs")
  }

  /// `ceir: ready at http://H:P, exchange https://H:P, status https://H:P`
  private static func addresses(of ceir: Program) async throws -> [String] {
    [
      try await ceir.word(after: "ready at ", until: ","),
      try await ceir.word(after: "exchange ", until: ","),
      try await ceir.word(after: "status ", until: "\n"),
    ]
  }

  /// Starts the CEIR again on the same ports, where the nodes look for it.
  func restartCEIR() async throws {
    let ports = [ceirURL, exchangeURL, statusURL].map { url in
      url.split(separator: ":").last.map(String.init) ?? "0"
    }
    ceir = try Self.startCEIR(folder, ports: ports)
    _ = try await Self.addresses(of: ceir)
  }

  func killCEIR() async throws {
    ceir.send(SIGKILL)
    _ = try await ceir.end()
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

  /// Runs `ceir` until it succeeds, where a process that it needs has just been killed.
  func persist(_ arguments: String...) async throws { try await persist(arguments) }

  func persist(_ arguments: [String]) async throws {
    var last = ""
    try await eventually("ceir \(arguments.prefix(3).joined(separator: " ")) (\(last))") {
      let result = try await Program.run(
        "ceir", arguments + ["--data-directory", "\(self.folder)/ceir"], in: "\(self.folder)/logs")
      last = result.errors
      return result.status == 0
    }
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
      guard let number = file.split(separator: "\n").first.flatMap({ Int32($0) }) else {
        throw NotInTime(description: "the server is starting")
      }
      return number
    }
  }

  // MARK: - The EIRs

  /// One EIR node, whether it runs or not.
  struct RunningNode {
    let operatorCode: String
    var program: Program?
    var checkAddress = ""
    var adminAddress = ""
    var exchangeAddress = ""
  }

  /// A certificate for a node that does not run yet.
  func addNode(_ name: String, of operatorCode: String = operatorCode) async throws {
    try await require(
      "pki", "issue", "--operator", operatorCode, "--node", name, "--out",
      "\(folder)/tls-\(name)")
    nodes[name] = RunningNode(operatorCode: operatorCode)
  }

  /// Another machine with the certificate of `name`, which must lie in the folder of its name.
  func copyNode(_ name: String, as copy: String) throws {
    nodes[copy] = RunningNode(operatorCode: try #require(nodes[name]).operatorCode)
  }

  /// Starts a node, on its former addresses if it ran before.
  ///
  /// - Parameter pushed: whether it listens for broadcasts.
  func startEIR(
    _ name: String = nodeName, pushed: Bool = false, through url: String? = nil,
    _ more: String...
  ) async throws {
    var node = try #require(nodes[name])
    func address(_ former: String) -> String { former.isEmpty ? "127.0.0.1:0" : former }
    var arguments = [
      "serve", "--directory", "\(folder)/\(name)", "--registry", Self.registry, "--operator",
      node.operatorCode, "--ceir-url", url ?? exchangeURL, "--ceir-status-url", statusURL,
      "--tls-directory", "\(folder)/tls-\(name)", "--listen", address(node.checkAddress),
      "--admin", address(node.adminAddress),
    ]
    if pushed { arguments += ["--exchange-listen", address(node.exchangeAddress)] }
    let program = try Program("eir", arguments + more, in: "\(folder)/logs")
    node.program = program
    node.checkAddress = try await program.word(after: "answering ", until: ",")
    node.adminAddress = try await program.word(after: "admin ", until: ",")
    if pushed { node.exchangeAddress = try await program.word(after: "exchange ", until: ",") }
    nodes[name] = node
  }

  var eir: Program {
    get throws { try program(Self.nodeName) }
  }

  func program(_ name: String) throws -> Program { try #require(nodes[name]?.program) }

  func killEIR(_ name: String = nodeName) async throws {
    let program = try program(name)
    program.send(SIGKILL)
    _ = try await program.end()
  }

  struct NodeStatus: Decodable {
    let epoch: String?
    let position: UInt64?
    let digest: String?
  }

  func nodeStatus(_ name: String = nodeName) async throws -> NodeStatus {
    try JSONDecoder().decode(NodeStatus.self, from: try await nodeStatusText(name))
  }

  /// What `eir status` says, as JSON.
  func nodeStatusText(_ name: String = nodeName) async throws -> Data {
    let node = try #require(nodes[name])
    let result = try await Program.run(
      "eir",
      [
        "status", "--directory", "\(folder)/\(name)", "--registry", Self.registry, "--operator",
        node.operatorCode, "--admin", node.adminAddress, "--format", "json",
      ], in: "\(folder)/logs")
    try #require(result.status == 0, "\(result.errors)")
    return Data(result.output.utf8)
  }

  /// What the registry says that an operator's nodes must come to.
  func feed(of code: String = operatorCode) async throws -> NodeStatus {
    struct Row: Decodable {
      let code: String
      let feed: NodeStatus
    }
    let text = try await require("operator", "list", "--format", "json")
    let rows = try JSONDecoder().decode([Row].self, from: Data(text.utf8))
    return try #require(rows.first { $0.code == code }?.feed)
  }

  /// Waits until the node stands where the registry does, with the same list.
  func untilNodeIsLevel(_ name: String = nodeName) async throws {
    let code = try #require(nodes[name]).operatorCode
    let feed = try await feed(of: code)
    try await eventually("the arrival of \(name) at position \(feed.position ?? 0)") {
      let node = try await self.nodeStatus(name)
      return node.epoch == feed.epoch && node.position ?? 0 >= feed.position ?? 0
    }
    let node = try await nodeStatus(name)
    let now = try await self.feed(of: code)
    #expect(node.epoch == now.epoch)
    if node.position == now.position { #expect(node.digest == now.digest) }
  }

  /// HTTP status and body of a request to the exchange, by curl with a node's certificate.
  func exchange(
    _ target: String, as name: String = nodeName, _ more: String...
  ) async throws -> (status: String, body: String) {
    let tls = "\(folder)/tls-\(name)"
    let result = try await Program.run(
      "/usr/bin/curl",
      [
        "--silent", "--show-error", "--cert", "\(tls)/node.pem", "--key", "\(tls)/node.key",
        "--cacert", "\(tls)/root.pem", "--write-out", "\n%{http_code}", exchangeURL + target,
      ] + more, in: "\(folder)/logs")
    try #require(result.status == 0, "\(result.errors)")
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
    return (String(lines.last ?? ""), lines.dropLast().joined(separator: "\n"))
  }

  /// HTTP status and body of a check, asked by curl over HTTP/2 without TLS.
  func check(
    _ query: String, at name: String = nodeName
  ) async throws -> (status: String, body: String) {
    let address = try #require(nodes[name]).checkAddress
    let url = "http://\(address)/n5g-eir-eic/v1/equipment-status\(query)"
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
