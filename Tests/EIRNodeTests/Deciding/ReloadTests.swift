import DeviceIdentity
import DeviceLists
import EIRNode
import Foundation
import ListExchange
import NIOHTTP1
import Simulation
import Testing

/// Settings that are read again while the node answers.
@Suite(.serialized)
struct ReloadTests {
  /// On no list.
  private static let unlisted = "352099000000006"

  private static func write(_ settings: String, _ scratch: Scratch) throws -> String {
    let file = scratch.path + "/eir.json"
    try settings.write(toFile: file, atomically: true, encoding: .utf8)
    return file
  }

  private static func started(
    _ scratch: Scratch, _ settings: String, more: [String] = [], ageSeconds: Int64 = 0
  ) async throws -> (node: NodeProcess, server: RegistryServer) {
    let server = try await RegistryServer.started(scratch, ageSeconds: ageSeconds)
    let file = try write(settings, scratch)
    let node = try await NodeProcess.beside(server, scratch, more: ["--config", file] + more)
    return (node, server)
  }

  private static func hangUp(_ node: NodeProcess) {
    Foundation.kill(node.process.processIdentifier, SIGHUP)
  }

  @Test(.enabled(if: Tool.isInstalled("h2load")))
  func `not one request fails while settings change`() async throws {
    let scratch = try Scratch()
    let (node, server) = try await Self.started(scratch, #"{"mode": "white"}"#)
    let url =
      "http://\(node.checks)/n5g-eir-eic/v1/equipment-status?pei=imei-\(Self.unlisted)"
    let count = 60_000
    let load = try Program(
      "/usr/bin/h2load", ["-n", "\(count)", "-c", "8", "-m", "20", url], in: scratch.path)
    var (readings, answers): (Int, Set<String>) = (0, [])
    while load.isRunning || readings < 6 {
      readings += 1
      let mode = readings % 2 == 0 ? "white" : "grey"
      _ = try Self.write(#"{"mode": "\#(mode)"}"#, scratch)
      if readings % 3 == 0 {
        Self.hangUp(node)
      } else {
        #expect(try await node.tool(["reload"]).status == 0)
      }
      try await eventually("the node answers by the new mode") {
        let answer = try await node.verdict(Self.unlisted)
        answers.insert(answer)
        return answer == (mode == "white" ? "WHITELISTED" : "GREYLISTED")
      }
    }
    let report = try await load.end().output
    print("\(readings) readings during \(count) requests")
    #expect(answers == ["WHITELISTED", "GREYLISTED"])
    #expect(report.contains("\(count) succeeded, 0 failed, 0 errored, 0 timeout"), "\(report)")
    #expect(report.contains("status codes: \(count) 2xx, 0 3xx, 0 4xx, 0 5xx"), "\(report)")
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `settings that make no sense change nothing and are said`() async throws {
    let scratch = try Scratch()
    let (node, server) = try await Self.started(scratch, #"{"override": "grey"}"#)
    let before = try await node.status().settings
    #expect(try await node.verdict(Self.unlisted) == "GREYLISTED")

    _ = try Self.write(
      #"{"override": "black", "mode": "purple", "subscriberRules": "99970000000001=maybe"}"#,
      scratch)
    let refused = try await node.tool(["reload"])
    #expect(refused.status == 2)
    #expect(
      refused.errors
        == """
        eir: mode is "purple": say white, grey, black, unknown or ask \
        (--mode, EIR_MODE, or "mode" in the file)
        eir: subscriberRules, part 1: give the first digits of IMSIs, or two IMSIs of one length \
        as FIRST-LAST, with an answer, such as 00101=white \
        (--subscriber-rules, EIR_SUBSCRIBER_RULES, or "subscriberRules" in the file)

        """, "and no IMSI among it")
    #expect(try await node.verdict(Self.unlisted) == "GREYLISTED")
    var status = try await node.status()
    #expect(status.settings?.refusal?.count == 2)
    #expect(status.settings?.fingerprint == before?.fingerprint)
    #expect(try await node.metric("eir_settings_refused") == 1)
    #expect(try await node.tool(["status"]).output.contains("mode is \"purple\""))

    for text in ["{", "[]", #"{"ovrride": "white"}"#] {
      _ = try Self.write(text, scratch)
      #expect(try await node.tool(["reload"]).status == 2, "\(text)")
    }
    try FileManager.default.removeItem(atPath: scratch.path + "/eir.json")
    Self.hangUp(node)
    try await eventually("the node says that the file is away") {
      try await node.status().settings?.refusal?.first?.contains("cannot be read") == true
    }
    #expect(try await node.verdict(Self.unlisted) == "GREYLISTED")

    _ = try Self.write(#"{"override": "white"}"#, scratch)
    #expect(
      try await node.tool(["reload"]).output == "settings read again: override changed\n")
    #expect(try await node.verdict(Self.unlisted) == "WHITELISTED")
    status = try await node.status()
    #expect(status.settings?.refusal == nil && status.settings?.needsRestart == [])
    #expect(status.settings?.fingerprint != before?.fingerprint)
    #expect(status.override == "white")
    #expect(try await node.metric("eir_settings_refused") == 0)
    let log = try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
    #expect(log.contains("the settings were read again") && log.contains("purple"))
    #expect(!log.contains("99970000000001"))
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `no IMSI in the wrong place is said`() async throws {
    let scratch = try Scratch()
    let (node, server) = try await Self.started(scratch, "{}")
    let imsi = "001010123456789"
    for (settings, said) in [
      (#"{"override": "\#(imsi)"}"#, #"override is "…": "#),
      (#"{"override": 1010123456789}"#, #"override is "…": "#),
      (#"{"mode": "imsi:\#(imsi)=black"}"#, #"mode is "imsi:…=black": "#),
      (#"{"\#(imsi)": "black"}"#, #""…" in "#),
      (#"{"mode": {"imsi\#(imsi)x": "black"}}"#, #""mode.imsi…x" in "#),
      (#"{"n17": {"tls": {"certificate": "\#(imsi)"}}}"#, #"n17.tls.certificate is "…": "#),
      (#"{"brake.least": "-99999"}"#, #"brake.least is "-99999": "#),
      (
        #"{"gsup": {"listen": "192.168.100.200:65536"}}"#,
        #"gsup.listen is "192.168.100.200:65536": "#
      ),
    ] {
      _ = try Self.write(settings, scratch)
      let refused = try await node.tool(["reload"])
      #expect(
        refused.status == 2 && refused.errors.contains(said), "\(settings): \(refused.errors)")
      #expect(try await node.status().settings?.refusal?.joined().contains(said) == true)
      for text in [refused.errors, try await node.tool(["status"]).output] {
        #expect(!text.contains("10123456789"))
      }
    }
    let log = try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
    #expect(log.contains("are not used") && !log.contains("10123456789"))
    // Of the environment too, and cut off after the number was left out, not within it.
    let long = String(repeating: "x", count: 75) + imsi
    let started = try await NodeProcess.eir(
      ["serve", "--mode", long], environment: ["EIR_\(imsi)": "x"])
    #expect(started.status == 2 && started.errors.contains("eir: EIR_… is no setting"))
    #expect(started.errors.contains(String(repeating: "x", count: 75) + "…\""))
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `a local black range wider than a TAC is refused`() async throws {
    let scratch = try Scratch()
    let (node, server) = try await Self.started(scratch, "{}")
    _ = try Self.write(#"{"localBlack": "35209900,00000000000000-99999999999999"}"#, scratch)
    let refused = try await node.tool(["reload"])
    #expect(refused.status == 2 && refused.errors.contains("localBlack, part 2: "))
    #expect(refused.errors.contains("FIRST-LAST of at most 1000000 devices"))
    #expect(try await node.verdict(Self.unlisted) == "404")
    _ = try Self.write(#"{"localBlack": "35209900500000-35209901499999"}"#, scratch)
    #expect(try await node.tool(["reload"]).status == 0)
    #expect(try await node.verdict(Self.unlisted) == "404")
    #expect(try await node.verdict("352099010000004") == "BLACKLISTED")
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `what needs a restart is named and the rest is taken`() async throws {
    let scratch = try Scratch()
    let (node, server) = try await Self.started(
      scratch, #"{"shadow": true, "files.pollSeconds": 10}"#, more: ["--mode", "grey"])
    #expect(try await node.verdict(Self.unlisted) == "WHITELISTED")
    _ = try Self.write(
      #"{"mode": "black", "files.pollSeconds": 20, "exchange.listen": "127.0.0.1:9"}"#, scratch)
    let said = try await node.tool(["reload"])
    #expect(
      said.output == """
        settings read again: shadow changed
        exchange.listen has changed and is not used: restart the node for it
        files.pollSeconds has changed and is not used: restart the node for it

        """)
    #expect(try await node.verdict(Self.unlisted) == "GREYLISTED", "flags stay those of the start")
    let status = try await node.status()
    #expect(status.settings?.needsRestart == ["exchange.listen", "files.pollSeconds"])
    #expect(!status.shadow)
    #expect(try await node.tool(["status"]).output.contains("restart the node for it"))
    _ = try Self.write(#"{"files.pollSeconds": 10}"#, scratch)
    let again = try await node.tool(["reload", "--format", "json"])
    let report = try NodeJSON.decode(ReloadReport.self, from: Data(again.output.utf8))
    #expect(report.changed == [] && report.needsRestart == [])
    #expect(try await node.stop() == 0)
    let away = try await node.tool(["reload"])
    #expect(away.status == 1 && away.errors.contains("no node runs on"))
    await server.stop()
  }

  @Test func `brake, check log and list age take effect at once`() async throws {
    let scratch = try Scratch()
    let (node, server) = try await Self.started(
      scratch, #"{"override": "black", "checkLog": "off"}"#)
    #expect(try await node.verdict("352099000000014") == "BLACKLISTED")
    let log = scratch.path + "/moved.ndjson"
    _ = try Self.write(
      #"{"override": "black", "checkLog": "\#(log)", "brake": {"least": 2, "percent": 0}}"#, scratch
    )
    #expect(
      try await node.tool(["reload"]).output
        == "settings read again: brake.least, brake.percent, checkLog changed\n")
    #expect(try await node.status().brake.limit == 2)
    #expect(try await node.verdict(Self.unlisted) == "BLACKLISTED")
    try await eventually("the line is in the new check log") {
      (try? String(contentsOfFile: log, encoding: .utf8))?.contains("35209900000000") == true
    }
    #expect(try !String(contentsOfFile: log, encoding: .utf8).contains("35209900000001"))
    server.change { registry in
      for number in 1...3 as ClosedRange<UInt64> {
        registry.commit(
          .imei(IMEI(number: 35_209_900_000_000 + number)!),
          EntryClass(status: .black, codes: .init(.stolen)))
      }
    }
    try await eventually("the brake holds three where two may pass") {
      try await node.status().brake.heldSubjects == 3
    }
    _ = try Self.write(#"{"override": "black"}"#, scratch)
    #expect(try await node.tool(["reload"]).status == 0)
    #expect(try await node.verdict("352099000000022") == "BLACKLISTED")
    try await eventually("the usual place of the check log is used") {
      let usual = try? String(contentsOfFile: node.directory + "/checks.ndjson", encoding: .utf8)
      return usual?.contains("35209900000002") == true
    }
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `a list age and a policy take effect at once`() async throws {
    let scratch = try Scratch()
    let (node, server) = try await Self.started(scratch, "{}", ageSeconds: 3_600)
    #expect(try await node.verdict(Self.unlisted) == "404")
    _ = try Self.write(#"{"listAgeMaxSeconds": 60, "policy": {"failure": "grey"}}"#, scratch)
    Self.hangUp(node)
    try await eventually("the list is too old") {
      try await node.verdict(Self.unlisted) == "GREYLISTED"
    }
    #expect(try await !node.status().ready)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `the CEIR is asked where a mode rule says so, also after a reading`() async throws {
    let scratch = try Scratch()
    let (node, server) = try await Self.started(
      scratch, #"{"mode": "white", "ask": {"timeoutMilliseconds": 10000}}"#)
    #expect(try await node.verdict(Self.unlisted) == "WHITELISTED")
    #expect(server.see { $0.questions }.isEmpty)
    _ = try Self.write(
      #"""
      {"mode": "white", "ask": {"timeoutMilliseconds": 10000},
       "modeRules": ["tac:35209900=ask", "range:35209900000001-35209900000001=grey",
                     "imsi:001010000000000-001010000000009=unknown"]}
      """#, scratch)
    #expect(try await node.tool(["reload"]).output == "settings read again: modeRules changed\n")
    #expect(try await node.verdict("352099000000014") == "GREYLISTED")
    #expect(try await node.verdict("352099010000004") == "WHITELISTED")
    #expect(
      try await node.check("?pei=imei-\(Self.unlisted)&supi=imsi-001010000000005").status == "404")
    #expect(server.see { $0.questions }.isEmpty)
    let explained = try await node.tool(["check", "352099000000022"])
    #expect(explained.output.contains("mode rule   tac:35209900=ask"))
    #expect(explained.output.hasPrefix("352099000000022: ask\n"))
    #expect(try await node.verdict("352099000000022") == "BLACKLISTED")
    #expect(server.see { $0.questions }.count == 1)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `who may not give orders cannot let settings be read`() async throws {
    let scratch = try Scratch()
    let (node, server) = try await Self.started(scratch, "{}")
    let admin = try AdminCaller(node)
    #expect(try await admin.ask(.POST, "/reload", token: "guessed").status == 401)
    #expect(try await admin.ask(.POST, "/reload").status == 200)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `a node that was started without an address asks nobody before a restart`()
    async throws
  {
    let scratch = try Scratch()
    let file = try Self.write("{}", scratch)
    let inbox = scratch.path + "/in"
    try FileManager.default.createDirectory(atPath: inbox, withIntermediateDirectories: false)
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: nil,
      more: ["--config", file, "--files-directory", inbox])
    _ = try Self.write(#"{"mode": "ask", "ceir": {"url": "https://127.0.0.1:9"}}"#, scratch)
    let refused = try await node.tool(["reload"])
    #expect(refused.status == 2)
    #expect(
      refused.errors
        == "eir: the CEIR is to be asked, and this node was started without its address: "
        + "restart it\n")
    #expect(try await node.status().settings?.refusal?.count == 1)
    #expect(try await node.stop() == 0)
  }

  @Test func `without an address nobody can be asked`() async throws {
    let scratch = try Scratch()
    let directory = scratch.path + "/node"
    try TestAuthority.shared.writeNode(to: directory + ".tls")
    let flags =
      NodeProcess.flags(directory) + NodeProcess.registryFlags(directory, nil)
      + ["--files-directory", scratch.path + "/in"]
    for mode in [["--mode", "ask"], ["--mode-rules", "imsi:00101=ask"]] {
      let started = try await NodeProcess.eir(["serve"] + flags + mode)
      #expect(started.status == 2)
      #expect(started.errors.contains("neither ceir.statusUrl nor ceir.url is set"))
    }
  }
}
