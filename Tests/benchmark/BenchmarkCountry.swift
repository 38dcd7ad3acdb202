import CEIRService
import DeviceLists
import Foundation
import PostgreSQL
import Simulation

/// A CEIR on its own embedded cluster and the nodes of its operators, as processes of their own.
final class BenchmarkCountry {
  static let registry = "XA"

  let folder: String
  let ceir: Command
  /// `127.0.0.1:8080`, and so on.
  private(set) var httpAddress = ""
  private(set) var exchangeAddress = ""
  private(set) var statusAddress = ""
  private var nodes: [BenchmarkNode] = []

  private var logs: String { "\(folder)/logs" }

  /// Lends a country, and ends everything in it afterwards.
  ///
  /// - Parameters:
  ///   - portion: what is on the list before the CEIR starts; its journal begins after it.
  static func with<Value>(
    _ name: String, operators: [String], portion: ListFill.Portion? = nil,
    _ body: (BenchmarkCountry) async throws -> Value
  ) async throws -> Value {
    let folder = try temporaryDirectory(name)
    defer { Folder.discard(folder) }
    try await make(in: folder, operators, portion)
    let country = BenchmarkCountry(folder: folder, ceir: try serve(folder))
    do {
      try await country.untilReady()
      let value = try await body(country)
      try await country.stop()
      return value
    } catch {
      try await country.stop()
      throw error
    }
  }

  private static func make(
    in folder: String, _ operators: [String], _ portion: ListFill.Portion?
  ) async throws {
    let logs = "\(folder)/logs"
    try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
    let data = ["--data-directory", "\(folder)/ceir"]
    try await Command.run("ceir", ["migrate", "--registry-name", registry] + data, in: logs)
    try await Command.run("ceir", ["pki", "init", "--registry-name", registry] + data, in: logs)
    for code in operators {
      try await Command.run("ceir", ["operator", "add", code, "--name", code] + data, in: logs)
    }
    guard let portion else { return }
    try await withDatabase(of: folder) { try await portion.write(to: $0, isInJournal: false) }
  }

  private init(folder: String, ceir: Command) {
    self.folder = folder
    self.ceir = ceir
  }

  private static func serve(_ folder: String) throws -> Command {
    try Command(
      "ceir",
      [
        "serve", "--data-directory", "\(folder)/ceir", "--http-port", "0", "--exchange-listen",
        "127.0.0.1:0", "--status-listen", "127.0.0.1:0", "--registry-name", registry,
      ], in: "\(folder)/logs")
  }

  /// `ceir: ready at http://H:P, exchange https://H:P, status https://H:P`
  private func untilReady() async throws {
    httpAddress = try await ceir.word(after: "ready at http://", until: ",")
    exchangeAddress = try await ceir.word(after: "exchange https://", until: ",")
    statusAddress = try await ceir.word(after: "status https://", until: "\n")
    try await eventually("the lists of the CEIR", within: 300) {
      try PlainConnection(httpAddress).get("/health/ready").contains("\"ready\"")
    }
  }

  private func stop() async throws {
    for node in nodes {
      // One that was put to sleep would not hear that it is to end.
      node.command.send(SIGCONT)
      try await node.command.stop()
    }
    try await ceir.stop()
  }

  @discardableResult
  func ceir(_ arguments: String...) async throws -> String {
    try await Command.run(
      "ceir", arguments + ["--data-directory", "\(folder)/ceir"], in: logs)
  }

  /// The value of a metric of the CEIR.
  func metric(_ name: String) throws -> Int {
    try PlainConnection(httpAddress).get("/metrics").metric(name)
  }

  // MARK: - The database

  func withDatabase(_ body: (RegistryDatabase) async throws -> Void) async throws {
    try await Self.withDatabase(of: folder, body)
  }

  private static func withDatabase(
    of folder: String, _ body: (RegistryDatabase) async throws -> Void
  ) async throws {
    var settings = CEIRSettings()
    settings.dataDirectory = "\(folder)/ceir"
    let database = try await RegistryDatabase.open(settings)
    do {
      try await body(database)
    } catch {
      try await database.close()
      throw error
    }
    try await database.close()
  }

  // MARK: - The nodes

  /// Issues the certificate of a node. Returns its folder.
  @discardableResult
  func issue(_ name: String, of operatorCode: String) async throws -> TLSFolder {
    let tls = TLSFolder(path: "\(folder)/tls-\(name)")
    try await ceir(
      "pki", "issue", "--operator", operatorCode, "--node", name, "--out", tls.path)
    return tls
  }

  /// Starts a node that has its certificate; with `isPushed` it listens for broadcasts.
  func startNode(
    _ name: String, of operatorCode: String, isPushed: Bool = false
  ) async throws -> BenchmarkNode {
    var arguments = [
      "serve", "--directory", "\(folder)/\(name)", "--registry", Self.registry, "--operator",
      operatorCode, "--ceir-url", "https://\(exchangeAddress)", "--tls-directory",
      "\(folder)/tls-\(name)", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
      "--brake-least", "100000000",
    ]
    if isPushed { arguments += ["--exchange-listen", "127.0.0.1:0"] }
    let node = try await BenchmarkNode(
      name: name, command: Command("eir", arguments, in: logs), isPushed: isPushed)
    nodes.append(node)
    return node
  }
}

/// A node that runs.
struct BenchmarkNode {
  struct Status: Decodable {
    struct Exchange: Decodable { let style: String }

    let epoch: String?
    let position: UInt64?
    let digest: String?
    let exchange: Exchange?
  }

  let name: String
  let command: Command
  let checkAddress: String
  let adminAddress: String
  /// Where it is pushed to.
  let exchangeAddress: String?

  init(name: String, command: Command, isPushed: Bool) async throws {
    self.name = name
    self.command = command
    checkAddress = try await command.word(after: "answering ", until: ",")
    adminAddress = try await command.word(after: "admin ", until: ",")
    exchangeAddress = isPushed ? try await command.word(after: "exchange ", until: ",") : nil
  }

  func status() throws -> Status {
    let text = try PlainConnection(adminAddress).get("/status")
    return try JSONDecoder().decode(Status.self, from: Data(text.utf8))
  }

  func metric(_ name: String) throws -> Int {
    try PlainConnection(adminAddress).get("/metrics").metric(name)
  }

  /// Until its list is the registry's after this.
  func untilLevel(_ portion: ListFill.Portion) async throws {
    try await eventually("\(name) at \(portion.position)", within: 300) {
      try await pace(milliseconds: Self.lookMilliseconds)
      let status = try status()
      guard let reached = status.position, reached >= portion.position else { return false }
      guard status.digest == portion.digest.description else {
        throw BenchmarkFailure("\(name) has another list at \(reached) than the registry.")
      }
      return true
    }
  }

  /// Between two looks at a node that is busy.
  private static let lookMilliseconds = 20
}

/// A folder with `node.pem`, `node.key` and `root.pem`.
struct TLSFolder {
  let path: String

  var chain: String { "\(path)/node.pem" }
  var key: String { "\(path)/node.key" }
  var root: String { "\(path)/root.pem" }
}

extension String {
  func metric(_ name: String) throws -> Int {
    let line = split(separator: "\n").first { $0.hasPrefix("\(name) ") }
    guard let value = (line?.split(separator: " ").last).flatMap({ Int($0) }) else {
      throw BenchmarkFailure("There is no metric \(name).")
    }
    return value
  }
}
