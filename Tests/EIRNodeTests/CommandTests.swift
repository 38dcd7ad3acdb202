import DeviceIdentity
import DeviceLists
import EIRNode
import Foundation
import ListExchange
import Simulation
import Testing

/// The commands without a node, and what they say of wrong settings.
struct CommandTests {
  private static let black = EntryClass(status: .black, codes: .init(.duplicate))

  private static func directoryWithList(_ scratch: Scratch) throws -> String {
    let directory = scratch.path + "/node"
    let keeper = try SmallRegistry.keeper(in: directory)
    var registry = SmallRegistry()
    registry.issuedAt = .now()
    let imei = IMEI(number: 49_015_420_323_751)!
    registry.commit(.imei(imei), black)
    let owner = EntryClass(status: .white, codes: .init(.genuineOwner))
    let imsi = IMSI(packed: 15_001_010_123_456_789)!
    registry.commit(
      .pairing(Pairing(imei: imei, imsi: imsi)), scope: .only(SmallRegistry.alpha), owner)
    try registry.writeSnapshot(to: keeper.partPath)
    _ = try keeper.installPart(asOf: .now())
    return directory
  }

  @Test(arguments: [
    (["49-015420-323751-8"], "grey", "noSubscriber"),
    (["49015420323751"], "grey", "noSubscriber"),
    (["4901542032375199"], "grey", "noSubscriber"),
    (["490154203237518", "--imsi", "001010123456789"], "white", "pairing"),
    (["490154203237518", "--imsi", "001010123456780"], "black", "imei"),
    (["352099000000006"], "unknown", "mode"),
    (["352099000000006", "--mode", "white"], "white", "mode"),
    (["352099000000006", "--mode", "ask"], "ask", "mode"),
    (["352099000000006", "--mode", "ask", "--shadow"], "white", "mode"),
    (["352099000000006", "--mode-rules", "tac:35209900=ask,imsi:00101=grey"], "ask", "mode"),
    (
      [
        "352099000000006", "--mode-rules", "tac:35209900=ask,imsi:00101=grey", "--imsi",
        "001010123456789",
      ], "grey", "mode"
    ),
    (["352099000000006", "--local-black", "35209900"], "black", "localBlack"),
    (["352099000000006", "--override", "grey"], "grey", "override"),
  ])
  func `check explains a verdict from the files`(
    arguments: [String], answer: String, rule: String
  ) async throws {
    let scratch = try Scratch()
    let directory = try Self.directoryWithList(scratch)
    let explained = try await NodeProcess.eir(
      ["check", "--format", "json"] + arguments + NodeProcess.flags(directory))
    #expect(explained.status == 3)
    let sentence = "no node runs on \(directory): this is what its files say"
    #expect(explained.errors == "eir: \(sentence)\n")
    let found = try NodeJSON.decode(Explanation.self, from: Data(explained.output.utf8))
    #expect(!found.running)
    #expect(found.answer == answer)
    #expect(found.rule == rule)
    #expect(found.position == 2)
    #expect(rule == "override" || found.steps.last?.rule == rule)
  }

  @Test(arguments: [
    ["490154203237517"], ["123"], ["4901542032375x8"], ["４９０１５４"],
    ["490154203237518", "--imsi", "12"], [], ["490154203237518", "--colour"],
  ])
  func `a wrong question is answered by one sentence and status 2`(arguments: [String]) async throws
  {
    let answer = try await NodeProcess.eir(["check"] + arguments)
    #expect(answer.status == 2)
    #expect(answer.errors.hasPrefix("eir: "))
    #expect(answer.errors.filter { $0 == "\n" }.count == 1)
  }

  @Test func `a directory that is not there is a failure`() async throws {
    let answer = try await NodeProcess.eir(["status"] + NodeProcess.flags("/nowhere/eir"))
    #expect(answer.status == 1)
    #expect(answer.errors == "eir: cannot open /nowhere/eir: No such file or directory\n")
  }

  @Test func `flags go before the environment, and that before the file`() async throws {
    let scratch = try Scratch()
    let file = scratch.path + "/eir.json"
    try #"""
    {"directory": "/from/file", "registry": "file", "operator": "file",
     "listAgeMaxSeconds": 120, "shadow": true, "brake": {"percent": 2.5},
     "localBlack": ["35209900", "35209901000000-35209901000009/07",
                     "35209902/00-09"],
     "subscriberRules": "00101=white, 001010000000000-001010000000009=grey",
     "modeRules": ["imsi:00101=ask", "tac:35209900=black"]}
    """#.write(toFile: file, atomically: true, encoding: .utf8)
    let settings = try await NodeSettings.read(
      SettingsSources(
        flags: [.directory: "/from/flag"],
        environment: ["EIR_DIRECTORY": "/from/env", "EIR_REGISTRY": "env"], file: file),
      for: .inspect)
    #expect(settings.directory == "/from/flag")
    #expect(settings.registry.description == "env")
    #expect(settings.feed.description == "file")
    #expect(settings.decision.listAgeMaxSeconds == 120)
    #expect(settings.decision.isShadow)
    #expect(settings.brake.listShare == 2_500)
    #expect(settings.decision.localBlack.entries.map(\.softwareVersions) == [nil, 7...7, 0...9])
    #expect(settings.decision.subscriberRules.rules.map(\.answer) == [.white, .grey])
    #expect(settings.decision.modeRules.rules.map(\.mode) == [.ask, .answer(.black)])
  }

  @Test(arguments: ["nothing", "nonsense", "remote", "file", "asking", "certificate", "gsup"])
  func `wrong settings are refused with what to change`(name: String) async throws {
    let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Golden/\(name).txt")
    let scratch = try Scratch()
    let file = scratch.path + "/eir.json"
    try #"{"directry": "/x", "ceir": {"url": 7, "port": 1}, "shadow": "perhaps"}"#.write(
      toFile: file, atomically: true, encoding: .utf8)
    let valid = NodeProcess.flags("/x")
    let arguments: [String: [String]] = [
      "nothing": [],
      "nonsense": [
        "--directory", "/x", "--registry", "two words", "--operator", "ALL",
        "--ceir-url", "http://ceir.example", "--exchange-listen", "nowhere",
        "--listen", "8080", "--admin", "0.0.0.0:80", "--mode", "purple", "--override", "maybe",
        "--list-age-max-seconds", "1", "--brake-least=-1", "--brake-percent", "101",
        "--local-black", "35209900,12,35209900/7",
        "--subscriber-rules",
        "00101,00101=purple,00101000000000-001010000000000=white,001010000000001-=white",
        "--mode-rules", "imsi:00101=white,tac:3520990=ask,range:35209900=ask,foreign=ask",
      ],
      "remote": valid + ["--ceir-url", "https://192.0.2.1:8443/x?y"],
      "file": ["--config", file],
      "asking": valid + [
        "--ceir-url", "https://127.0.0.1:1", "--tls-directory", "/nowhere", "--mode", "ask",
        "--ceir-status-url", "ftp://127.0.0.1", "--ask-timeout-milliseconds", "0",
      ],
      "gsup": valid + [
        "--ceir-url", "https://127.0.0.1:1", "--tls-directory", "/nowhere",
        "--gsup-listen", "127.0.0.1:4222", "--gsup-hlr", "127.0.0.1:4222",
        "--gsup-unknown", "maybe",
      ],
      "certificate": valid + [
        "--ceir-url", "https://127.0.0.1:1", "--tls-directory", "/nowhere",
      ],
    ]
    let environment = name == "nonsense" ? ["EIR_LISTN": "x"] : [:]
    let answer = try await NodeProcess.eir(
      ["serve"] + (arguments[name] ?? []), environment: environment)
    #expect(answer.status == 2)
    let said = answer.errors.replacingOccurrences(of: file, with: "FILE")
    if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] != nil {
      try said.write(to: golden, atomically: true, encoding: .utf8)
    }
    #expect(said == (try? String(contentsOf: golden, encoding: .utf8)))
  }

  @Test func `every setting is documented`() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Schema/eir.md")
    let rows = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
      .filter { $0.hasPrefix("| `") }
    for key in SettingKey.allCases {
      #expect(rows.contains { $0.contains("`\(key.rawValue)`") }, "\(key.rawValue)")
    }
  }

  @Test(arguments: [
    ["--help"], ["serve", "--help"], ["--version"], ["help", "check"], ["reload", "--help"],
    ["local", "--help"], ["local", "add", "--help"], ["local", "remove", "--help"],
    ["local", "list", "--help"], ["local", "show", "--help"],
  ])
  func `help is no failure`(arguments: [String]) async throws {
    let answer = try await NodeProcess.eir(arguments)
    #expect(answer.status == 0)
    #expect(answer.errors == "")
    #expect(!answer.output.isEmpty)
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `a shell can complete commands`(shell: String) async throws {
    let answer = try await NodeProcess.eir(["--generate-completion-script", shell])
    #expect(answer.status == 0)
    #expect(answer.output.contains("status"))
  }
}
