import Foundation
import Simulation
import Testing

/// Diameter stacks that are not ours, at the other end of the connection.
@Suite(.serialized)
struct OtherStackTests {
  private typealias Question = S13Client.Question

  /// A device of each answer, by its 14 digits and its check digit.
  private static let devices = [
    ("49015420323751", "8", "black"), ("35209900176148", "1", "grey"),
    ("35693803564380", "9", "white"), ("35000000000000", "6", "unknown"),
  ]

  /// Every device in every form of its identity, with and without what may be left out.
  private static let asks: [(question: Question, word: String)] = devices.flatMap { device in
    let (digits, checkDigit, word) = device
    return ["", checkDigit, "0", "77"].flatMap { end in
      [nil, "001010123456789"].flatMap { imsi in
        [nil, "07"].map { version in
          (Question(imei: digits + end, softwareVersion: version, imsi: imsi), word)
        }
      }
    }
  }

  @Test(.enabled("needs python-diameter") { await PythonTools.has("diameter") })
  func `python-diameter gets the status of each device, whatever it says of it`() async throws {
    let scratch = try Scratch()
    try await ProbeTests.withNode { node, address, _ in
      let answers = try await S13Client.ask(
        Self.asks.map(\.question), of: "eir.example.org", at: address, in: scratch.path)
      #expect(answers.count == 64)
      for (ask, answer) in zip(Self.asks, answers) { Self.expect(ask.word, answer, ask.question) }
      for (rule, word) in [
        ("imei", "black"), ("imei", "grey"), ("imei", "white"), ("mode", "unknown"),
      ] {
        let name = #"eir_checks_total{interface="s13",rule="\#(rule)",decided="\#(word)"}"#
        #expect(try await node.metric(name) == 16)
      }
      try await eventually("the peer has said goodbye") {
        try await node.metric("eir_s13_peers") == 0
      }
    }
  }

  private static func expect(
    _ word: String, _ answer: S13Client.Answer, _ question: Question, relay: String? = nil
  ) {
    #expect(answer.word == word, "\(question)")
    #expect(answer.originHost == "eir.example.org")
    #expect(answer.originRealm == "example.org")
    #expect(answer.sessionState == 1)
    #expect(!answer.isError)
    #expect(answer.isSameSession)
    #expect(answer.proxyStates == (question.proxyState.map { [$0] } ?? []))
    // freeDiameter names the peer that it has the answer from.
    #expect(answer.routeRecords == (relay.map { [$0] } ?? []))
  }

  @Test(
    .enabled("needs freeDiameter, tshark, python-diameter and a network of its own") {
      await canRelay()
    })
  func `freeDiameter relays to a node, and again after the node was killed`() async throws {
    let scratch = try Scratch()
    var asks: [(question: Question, word: String)] = []
    for var ask in Self.asks {
      if ask.question.imsi == nil { ask.question.proxyState = "0102ff" }
      asks.append(ask)
    }
    try await ProbeTests.withNode { node, _, server in
      #expect(try await node.stop() == 0)
      try S13Client.write(asks.map(\.question), to: scratch.path + "/questions.ndjson")
      try await Self.runRelay(in: scratch.path, before: node, registry: server.url)
    }
    func answers(_ name: String) throws -> [S13Client.Answer] {
      try S13Client.answers(
        in: String(contentsOfFile: "\(scratch.path)/\(name).ndjson", encoding: .utf8))
    }
    for (name, relay) in [
      ("direct", nil), ("relayed", "eir.example.org"), ("again", "eir.example.org"),
    ] {
      let answers = try answers(name)
      #expect(answers.count == asks.count)
      for (ask, answer) in zip(asks, answers) {
        Self.expect(ask.word, answer, ask.question, relay: relay)
      }
    }
    try await Self.expectCleanTraffic(in: scratch.path + "/traffic.pcapng", askCount: asks.count)
  }

  /// Three times all questions; the relay's two connections, of which the first was cut off.
  private static func expectCleanTraffic(in file: String, askCount: Int) async throws {
    let found = try await Dissection(ofPort: "13868", in: file)
    #expect(found.complaints == [])
    let checks = found.messages.filter { $0.command == "324" }
    for (word, code, status) in [
      ("black", "2001", "1"), ("grey", "2001", "2"), ("white", "2001", "0"),
      ("unknown", "5422", ""),
    ] {
      let count = checks.count { $0.code == code && $0.equipmentStatus == status }
      #expect(count == 3 * askCount / 4, "\(word)")
    }
    #expect(checks.count == 3 * askCount)
    func count(_ command: String, isRequest: Bool) -> Int {
      found.messages.count { $0.command == command && $0.isRequest == isRequest }
    }
    #expect(count("257", isRequest: false) == 3)
    // A peer that comes back is asked three times before it is believed. RFC 3539, 3.4.1.
    #expect(count("280", isRequest: false) >= 3)
    #expect(count("282", isRequest: false) == 1)
    #expect(count("282", isRequest: true) == 1)
    #expect(found.messages.allSatisfy { $0.isRequest || ["2001", "5422"].contains($0.code) })
  }

  private static func runRelay(
    in folder: String, before node: NodeProcess, registry: String
  ) async throws {
    let python = try await PythonTools.directory("diameter") + "/python"
    var flags = ProbeTests.flags
    flags.removeSubrange(0..<2)
    flags[flags.count - 1] = "*.example.org"
    let arguments =
      unshare + [S13Client.programs.path + "/s13_relay.sh", folder, python]
      + [Program.path(of: "eir"), "serve"] + NodeProcess.flags(node.directory)
      + NodeProcess.registryFlags(node.directory, registry)
      + ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"] + flags
    let scene = try Program("/usr/bin/unshare", arguments, in: folder)
    defer { if scene.isRunning { scene.send(SIGTERM) } }
    let result = try await scene.end(within: 240)
    let logs = ["relay.log", "node.log", "client.log", "dumpcap.log"].map { name in
      (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8))?.suffix(2_000) ?? ""
    }
    try #require(result.status == 0, "\(result.errors) \(logs)")
  }

  /// Who is not root becomes root of a user namespace.
  private static let unshare = geteuid() == 0 ? ["--net"] : ["--net", "--map-root-user"]

  private static func canRelay() async -> Bool {
    let tools = [
      "/usr/bin/freeDiameterd", "/usr/bin/dumpcap", "/usr/bin/tshark", "/usr/bin/unshare",
    ]
    for tool in tools where !FileManager.default.isExecutableFile(atPath: tool) {
      print("skipped: \(tool) is missing")
      return false
    }
    do {
      let alone = try await Program.run(
        "/usr/bin/unshare", unshare + ["ip", "link", "set", "lo", "up"])
      guard alone.status == 0 else {
        print("skipped: no network namespace can be made: \(alone.errors)")
        return false
      }
    } catch {
      print("skipped: \(error)")
      return false
    }
    return await PythonTools.has("diameter")
  }
}
