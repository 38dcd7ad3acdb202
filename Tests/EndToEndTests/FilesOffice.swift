import Foundation
import Simulation
import Testing

/// A country whose one operator is served by files: its CEIR, its node, and what is carried between
/// them by `Scripts/sftp-sync`.
final class FilesOffice {
  let country: Country
  private let server: SFTPServer
  private let folders: CarriedFolders
  private let node: Program
  private let checks: String
  private let admin: String

  static func open(compression: String) async throws -> FilesOffice {
    let country = try await Country.withoutNodes()
    try await country.addNode(Country.nodeName)
    try await country.require(
      "operator", "parameters", "set", "alfa", "--style", "files", "--compression", compression,
      "--incremental-seconds", "1", "--full-seconds", "86400", "--seconds", "600")
    try await country.require("operator", "parameters", "confirm", "alfa", "1")
    let files = "\(country.folder)/ceir/files"
    try await eventually("the first full file") {
      FileManager.default.fileExists(atPath: "\(files)/alfa/outbox/XA_alfa_000000001_full.json")
    }
    let keys = "\(country.folder)/sftp"
    try FileManager.default.createDirectory(
      atPath: keys, withIntermediateDirectories: false,
      attributes: [.posixPermissions: 0o755])
    let server = try await SFTPServer.start(
      in: keys, files: files, operators: [Country.operatorCode])
    let folders = try CarriedFolders(in: country.folder)
    let node = try Program(
      "eir",
      [
        "serve", "--directory", "\(country.folder)/\(Country.nodeName)", "--registry", "XA",
        "--operator", "alfa", "--tls-directory", "\(country.folder)/tls-\(Country.nodeName)",
        "--files-directory", folders.mirror, "--files-outbox", folders.upload,
        "--files-poll-seconds", "1", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
      ], in: "\(country.folder)/logs")
    return FilesOffice(
      country: country, server: server, folders: folders, node: node,
      checks: try await node.word(after: "answering ", until: ","),
      admin: try await node.word(after: "admin ", until: ","))
  }

  private init(
    country: Country, server: SFTPServer, folders: CarriedFolders, node: Program,
    checks: String, admin: String
  ) {
    self.country = country
    self.server = server
    self.folders = folders
    self.node = node
    self.checks = checks
    self.admin = admin
  }

  func close() async throws {
    node.send(SIGTERM)
    _ = try await node.end()
    try await server.stop()
    try await country.remove()
  }

  private var home: String { "\(country.folder)/ceir/files/\(Country.operatorCode)" }

  func carry() async throws {
    try await server.synchronize(Country.operatorCode, folders)
  }

  // MARK: The node

  /// Waits until the node has by files what the registry says of its feed.
  func untilLevel() async throws {
    let feed = try await country.feed()
    try await eventually("the arrival at position \(feed.position ?? 0) by files", within: 120) {
      try await self.carry()
      let status = try await self.status()
      return status.epoch == feed.epoch && status.position == feed.position
        && status.digest == feed.digest
    }
  }

  private func status() async throws -> Country.NodeStatus {
    let result = try await Program.run(
      "eir",
      [
        "status", "--directory", "\(country.folder)/\(Country.nodeName)", "--registry", "XA",
        "--operator", "alfa", "--admin", admin, "--format", "json",
      ], in: "\(country.folder)/logs")
    try #require(result.status == 0, "\(result.errors)")
    return try JSONDecoder().decode(Country.NodeStatus.self, from: Data(result.output.utf8))
  }

  /// The answer to the network's check.
  func verdict(_ imei: String) async throws -> String {
    let result = try await Program.run(
      "/usr/bin/curl",
      [
        "--silent", "--http2-prior-knowledge",
        "http://\(checks)/n5g-eir-eic/v1/equipment-status?pei=imei-\(imei)",
      ], in: "\(country.folder)/logs")
    return ["BLACKLISTED", "GREYLISTED", "WHITELISTED"].first { result.output.contains($0) }
      ?? result.output
  }

  /// Where the registry knows the node to stand.
  func acknowledged() async throws -> UInt64? {
    struct Row: Decodable {
      struct Node: Decodable {
        let name: String
        let position: UInt64?
      }
      let nodes: [Node]
    }
    let text = try await country.require("operator", "list", "--format", "json")
    return try JSONDecoder().decode([Row].self, from: Data(text.utf8))
      .flatMap(\.nodes).first { $0.name == Country.nodeName }?.position
  }

  // MARK: Folders

  private static func names(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }
  }

  var archived: [String] { get throws { try Self.names("\(home)/archive") } }
  var inbox: [String] { get throws { try Self.names("\(home)/inbox") } }
  var uploads: [String] { get throws { try Self.names(folders.upload) } }
  var responses: [String] { get throws { try Self.names(folders.responses) } }

  /// Of the incremental files that the registry has written.
  var incrementalNumbers: [String] {
    get throws {
      try archived.filter { $0.hasPrefix("XA_alfa_") && $0.hasSuffix("_incremental.json") }
        .compactMap { $0.split(separator: "_").dropFirst(2).first.map(String.init) }
    }
  }

  /// A file is gone from the outbox before it was carried.
  func lose(_ number: String) throws {
    let stem = "\(home)/outbox/XA_alfa_\(number)_incremental"
    for ending in [".json", ".csv", ".csv.gz"]
    where FileManager.default.fileExists(atPath: stem + ending) {
      try FileManager.default.removeItem(atPath: stem + ending)
    }
  }

  // MARK: Files of the operator

  /// Puts a file with its manifest where `sftp-sync` finds it, as another system would.
  func handOver(_ text: String, as stem: String, records: Int) async throws {
    let words = stem.split(separator: "_").map(String.init)
    let path = "\(folders.upload)/\(stem)"
    try text.write(toFile: "\(path).csv", atomically: true, encoding: .utf8)
    let hashed = try await Program.run(
      "/usr/bin/sha256sum", ["\(path).csv"], in: "\(country.folder)/logs")
    let manifest = """
      {"operator":"\(words[0])","node":"\(words[1])","number":\(Int(words[2]) ?? 0),
       "kind":"\(words[3])","records":\(records),
       "file":{"name":"\(stem).csv","bytes":\(text.utf8.count),
               "sha256":"\(hashed.output.prefix(64))"}}
      """
    try manifest.write(toFile: "\(path).json", atomically: true, encoding: .utf8)
  }

  func untilAnswered(_ stem: String) async throws {
    _ = try await answer { $0 == "\(stem).response.json" }
  }

  /// The name of an answer, which is carried here.
  func answer(_ isWanted: (String) -> Bool) async throws -> String {
    var name: String?
    try await eventually("the answer") {
      try await self.carry()
      name = try self.responses.first(where: isWanted)
      return name != nil
    }
    return try #require(name)
  }

  func response(_ name: String) throws -> String {
    try String(contentsOfFile: "\(folders.responses)/\(name)", encoding: .utf8)
  }

  func forgetResponses() throws {
    for name in try responses {
      try FileManager.default.removeItem(atPath: "\(folders.responses)/\(name)")
    }
  }
}
