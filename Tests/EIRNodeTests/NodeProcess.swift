import EIRNode
import Foundation
import Simulation
import Testing

/// The program `eir`, run as an operator runs it.
struct NodeProcess {
  let directory: String
  let process: Process
  let checks: String
  let admin: String
  /// Nil where the registry cannot hand lists over.
  let exchange: String?
  /// Nil where S13 is not answered so.
  let s13: String?
  let s13TLS: String?
  let s13SCTP: String?
  /// Nil where GSUP is not spoken.
  let gsup: String?

  /// Starts a node and waits until it says that it answers.
  ///
  /// - Parameters:
  ///   - blocks: the longest file that it may write, in blocks of 512 bytes.
  ///   - clock: what it takes for the time.
  static func start(
    in directory: String, registry: String?, more: [String] = [], blocks: Int? = nil,
    clock: FakeClock? = nil, authority: TestAuthority = .shared
  ) async throws -> NodeProcess {
    try authority.writeNode(to: directory + ".tls")
    let flags =
      Self.flags(directory) + Self.registryFlags(directory, registry) + [
        "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
      ] + more
    let log = directory + ".out"
    try Data().write(to: URL(fileURLWithPath: log))
    try Data().write(to: URL(fileURLWithPath: directory + ".err"))
    let process = Process()
    process.environment = ["PATH": "/usr/bin:/bin"].merging(clock?.environment ?? [:]) { $1 }
    if blocks != nil || clock != nil {
      let limit = blocks.map { "ulimit -S -f \($0); " } ?? ""
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments =
        ["-c", "\(limit)exec \"$0\" serve \"$@\"", Program.path(of: "eir")] + flags
    } else {
      process.executableURL = URL(fileURLWithPath: Program.path(of: "eir"))
      process.arguments = ["serve"] + flags
    }
    let output = try #require(FileHandle(forWritingAtPath: log))
    process.standardOutput = output
    process.standardError = FileHandle(forWritingAtPath: directory + ".err")
    try process.run()
    var line = ""
    try await eventually("the node says that it answers") {
      line = try String(contentsOfFile: log, encoding: .utf8)
      return line.hasSuffix("\n") || !process.isRunning
    }
    let words = line.split { " ,\n".contains($0) }.map(String.init)
    try #require(words.count > 4, "\(line)")
    let named = { (name: String) in words.firstIndex(of: name).map { words[$0 + 1] } }
    return NodeProcess(
      directory: directory, process: process, checks: words[2], admin: words[4],
      exchange: named("exchange"), s13: named("s13"), s13TLS: named("s13.tls"),
      s13SCTP: named("s13.sctp"), gsup: named("gsup"))
  }

  static func flags(_ directory: String) -> [String] {
    ["--directory", directory, "--registry", "demo", "--operator", "alpha"]
  }

  /// - Parameter registry: nil for a node that is served by files alone.
  static func registryFlags(_ directory: String, _ registry: String?) -> [String] {
    (registry.map { ["--ceir-url", $0] } ?? []) + ["--tls-directory", directory + ".tls"]
  }

  var checksPort: String { String(checks.split(separator: ":").last ?? "") }

  func kill() async throws {
    Foundation.kill(process.processIdentifier, SIGKILL)
    try await eventually("the node is gone") { !process.isRunning }
  }

  /// The exit status after SIGTERM.
  func stop() async throws -> Int32 {
    process.terminate()
    try await eventually("the node has ended") { !process.isRunning }
    return process.terminationStatus
  }

  func status() async throws -> StatusReport {
    let answer = try await Self.eir(["status", "--format", "json"] + Self.flags(directory))
    let report = try NodeJSON.decode(StatusReport.self, from: Data(answer.output.utf8))
    // 3: there is no node, and the files say what they can.
    try #require(answer.status == (report.running ? 0 : 3), "\(answer.errors)")
    return report
  }

  /// Body and status of a check over HTTP/2, asked by curl.
  func check(_ query: String) async throws -> (body: String, status: String) {
    let url = "http://\(checks)/n5g-eir-eic/v1/equipment-status\(query)"
    let answer = try await Program.run(
      "/usr/bin/curl",
      ["-s", "--http2-prior-knowledge", "--max-time", "10", "-w", "\n%{http_code}", url])
    let lines = answer.output.split(separator: "\n", omittingEmptySubsequences: false)
    return (lines.dropLast().joined(separator: "\n"), String(lines.last ?? ""))
  }

  func metric(_ name: String) async throws -> Int? {
    let answer = try await Program.run(
      "/usr/bin/curl", ["-s", "--max-time", "10", "http://\(admin)/metrics"])
    let line = answer.output.split(separator: "\n").first { $0.hasPrefix(name + " ") }
    return line.flatMap { Int($0.dropFirst(name.count + 1)) }
  }

  /// The answer of the network's point of view: the status word, or the HTTP status.
  func verdict(_ imei: String) async throws -> String {
    let answer = try await check("?pei=imei-\(imei)")
    for word in ["BLACKLISTED", "GREYLISTED", "WHITELISTED"] where answer.body.contains(word) {
      return word
    }
    return answer.status
  }

  static func eir(
    _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> Program.Result {
    try await Program.run(
      "eir", arguments,
      environment: environment.merging(["PATH": "/usr/bin:/bin"]) { one, _ in one })
  }
}
