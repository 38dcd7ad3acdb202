import DeviceIdentity
import DeviceLists
import EIRNode
import Foundation
import NIOHTTP1
import Simulation
import Synchronization
import Testing

/// What was asked and what was answered, by several at once.
private final class Tally: Sendable {
  private struct State {
    var number = 35_000_000
    var names: Set<String> = []
  }

  private let state = Mutex(State())

  var names: Set<String> { state.withLock { $0.names } }
  func answered(_ name: String) { state.withLock { _ = $0.names.insert(name) } }

  func next() -> Int {
    state.withLock { state in
      state.number += 1
      return state.number
    }
  }
}

/// The operator's own entries on a running node.
@Suite(.serialized)
struct LocalTests {
  private static let device = "490154203237518"

  @Test func `an entry takes effect at once, and its history stays`() async throws {
    let scratch = try Scratch()
    let server = try await RegistryServer.started(scratch)
    let node = try await NodeProcess.beside(server, scratch, more: ["--local-black", "35209901"])
    #expect(try await node.verdict(Self.device) == "404")
    let added = try await node.tool([
      "local", "add", "49-015420-323751-8", "--reason", "unpaid contract", "--case", "2026/117",
      "--by", "anna",
    ])
    #expect(added.status == 0, "\(added.errors)")
    #expect(added.output.hasPrefix("L1  49015420323751  "))
    #expect(try await node.verdict(Self.device) == "BLACKLISTED")
    let explained = try await node.tool(["check", Self.device]).output
    #expect(explained.contains("  decided by  localBlack (operatorRequest)"))
    #expect(explained.contains("  local       L1  49015420323751"))
    #expect(try await node.metric("eir_local_entries") == 1)
    let status = try await node.status()
    #expect(status.local.entries == 1 && status.local.ofSettings == 1)
    let again = try await node.tool(["local", "add", Self.device, "--reason", "twice"])
    #expect(again.status == 1 && again.errors == "eir: L1 says so already\n")

    let listed = try await node.tool(["local", "list"]).output.split(separator: "\n")
    #expect(listed.count == 2 && listed[0] == "settings  35209901")
    let removed = try await node.tool(["local", "remove", "L1", "--reason", "paid", "--by", "ben"])
    #expect(removed.status == 0, "\(removed.errors)")
    #expect(try await node.verdict(Self.device) == "404")
    #expect(try await node.tool(["local", "list"]).output == "settings  35209901\n")
    let shown = try await node.tool(["local", "show", "L1", "--format", "json"])
    let entry = try #require(
      try NodeJSON.decode(LocalReport.self, from: Data(shown.output.utf8)).entries.first)
    #expect(entry.added?.by == "anna" && entry.added?.reason == "unpaid contract")
    #expect(entry.added?.account == "\(NSUserName())/\(getuid())")
    #expect(entry.caseReference == "2026/117" && entry.overridable)
    #expect(entry.ended?.by == "ben" && entry.ended?.reason == "paid")
    for wrong in [["remove", "L1"], ["remove", Self.device], ["remove", "L2"], ["remove", "x"]] {
      #expect(try await node.tool(["local"] + wrong + ["--reason", "x"]).status == 2, "\(wrong)")
    }
    let log = try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
    #expect(log.contains("a local entry was added") && !log.contains("49015420323751"))
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `a released device stays released though the line of it is damaged`() async throws {
    let scratch = try Scratch()
    let server = try await RegistryServer.started(scratch)
    var node = try await NodeProcess.beside(server, scratch)
    let device = "352077770000000"
    #expect(try await node.tool(["local", "add", "35207777", "--reason", "x"]).status == 0)
    #expect(try await node.verdict(device) == "BLACKLISTED")
    #expect(try await node.tool(["local", "remove", "35207777", "--reason", "m"]).status == 0)
    #expect(try await node.metric("eir_local_suspended_entries") == 0)
    #expect(try await node.stop() == 0)
    let file = URL(fileURLWithPath: node.directory + "/local.ndjson")
    var bytes = try Data(contentsOf: file)
    bytes[try #require(bytes.dropLast().lastIndex(of: 0x0A)) + 1] = UInt8(ascii: "x")
    try bytes.write(to: file)

    node = try await NodeProcess.beside(server, scratch)
    #expect(try await node.verdict(device) == "404")
    #expect(try await node.metric("eir_local_suspended_entries") == 1)
    #expect(try await node.metric("eir_local_damaged_lines") == 1)
    #expect(try await node.metric("eir_local_entries") == 0)
    for words in [["local", "list"], ["local", "show", "L1"], ["check", device]] {
      #expect(try await node.tool(words).output.contains("L1  35207777  "), "\(words)")
      #expect(try await node.tool(words).output.contains("  (suspended)"), "\(words)")
    }
    let status = try await node.tool(["status"]).output
    #expect(status.contains("1 lines of local.ndjson are damaged"))
    #expect(status.contains("1 entries before them are suspended and make nothing black"))
    let log = try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
    #expect(log.contains("suspended=1") && log.contains("end each, or add it again"))
    #expect(!log.contains("35207777"))
    #expect(try await node.tool(["local", "add", "35207777", "--reason", "again"]).status == 0)
    #expect(try await node.verdict(device) == "BLACKLISTED")
    #expect(try await node.status().local.suspended == 0)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `no slip of the keyboard blocks a whole network`() async throws {
    let scratch = try Scratch()
    let server = try await RegistryServer.started(scratch)
    let node = try await NodeProcess.beside(server, scratch)
    let all = "00000000000000-99999999999999"
    let refused = try await node.tool(["local", "add", all, "--reason", "x"])
    #expect(refused.status == 2)
    #expect(refused.errors.contains("make 100000000000000 devices black"))
    #expect(try await node.verdict(Self.device) == "404")
    let author = LocalAuthor(by: "anna", reason: "x")
    let admin = try AdminCaller(node)
    #expect(
      try await admin.ask(.POST, "/local", LocalOrder(subject: all, author: author)).status == 400)
    #expect(try await node.tool(["local", "add", all, "--wide", "--reason", "x"]).status == 0)
    #expect(try await node.verdict(Self.device) == "BLACKLISTED")
    #expect(try await node.tool(["local", "remove", "L1", "--reason", "x"]).status == 0)
    let order = LocalOrder(subject: all, wide: true, author: author)
    #expect(try await admin.ask(.POST, "/local", order).status == 200)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `software versions are told apart`() async throws {
    let scratch = try Scratch()
    let server = try await RegistryServer.started(scratch)
    let node = try await NodeProcess.beside(
      server, scratch, more: ["--local-black", "35209901/05-07"])
    let admin = try AdminCaller(node)
    #expect(try await admin.add("49015420", svn: "10-19") != nil)
    #expect(try await admin.add("49015420", svn: "42") != nil)
    #expect(try await admin.add("49015420323750-49015420323759", svn: "99") != nil)
    for (version, status) in [
      ("09", "404"), ("10", "200"), ("19", "200"), ("20", "404"), ("42", "200"), ("99", "200"),
    ] {
      #expect(try await node.check("?pei=imeisv-49015420323751\(version)").status == status)
    }
    #expect(try await node.check("?pei=imeisv-4901542099999999").status == "404")
    #expect(try await node.verdict(Self.device) == "404", "no software version is reported")
    #expect(try await node.check("?pei=imeisv-3520990100000006").status == "200")
    #expect(try await node.check("?pei=imeisv-3520990100000008").status == "404")
    let ended = try await node.tool(["local", "remove", "49015420", "--reason", "both of them"])
    #expect(ended.output.split(separator: "\n").count == 2)
    #expect(try await node.check("?pei=imeisv-4901542032375110").status == "404")
    #expect(try await node.check("?pei=imeisv-4901542032375199").status == "200")
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `without a node the entries are kept for it`() async throws {
    let scratch = try Scratch()
    let server = try await RegistryServer.started(scratch)
    var node = try await NodeProcess.beside(server, scratch)
    #expect(try await node.stop() == 0)
    let added = try await node.tool(
      ["local", "add", "49015420", "--svn", "07", "--not-overridable", "--reason", "harms"])
    #expect(added.status == 0, "\(added.errors)")
    #expect(added.output.hasPrefix("L1  49015420  SVN 07  not overridable  "))
    #expect(try await node.tool(["check", "4901542032375107"]).output.contains(": black\n"))
    #expect(try await node.status().local.entries == 1)
    node = try await NodeProcess.beside(server, scratch)
    #expect(try await node.check("?pei=imeisv-4901542032375107").status == "200")
    #expect(try await node.tool(["local", "add", Self.device, "--reason", "x"]).status == 0)
    #expect(try await node.stop() == 0)
    #expect(try await node.tool(["local", "remove", "L1", "--reason", "x"]).status == 0)
    #expect(
      try await node.tool(["local", "list", "--all"]).output.split(separator: "\n").count == 2)
    await server.stop()
  }

  @Test func `only who has the token sees or changes entries`() async throws {
    let scratch = try Scratch()
    let server = try await RegistryServer.started(scratch)
    let node = try await NodeProcess.beside(server, scratch)
    let admin = try AdminCaller(node)
    let author = LocalAuthor(by: "anna", reason: "x")
    let order = LocalOrder(subject: "49015420", author: author)
    #expect(try await admin.ask(.GET, "/local", token: "").status == 401)
    #expect(try await admin.ask(.POST, "/local", order, token: "guessed").status == 401)
    #expect(try await admin.add("49015420") != nil)
    #expect(try await admin.ask(.DELETE, "/local/L1", author, token: "guessed").status == 401)
    #expect(try await admin.ask(.GET, "/local/L1", token: "guessed").status == 401)
    #expect(try await admin.ask(.GET, "/local/L1").status == 200)
    #expect(try await admin.names() == ["L1"])
    let mode =
      try FileManager.default.attributesOfItem(
        atPath: node.directory + "/local.ndjson")[.posixPermissions] as? Int
    #expect(mode.map { $0 & 0o007 } == 0)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `of many who say the same at once one is taken`() async throws {
    let scratch = try Scratch()
    let server = try await RegistryServer.started(scratch)
    let node = try await NodeProcess.beside(server, scratch)
    let admin = try AdminCaller(node)
    let added = try await withThrowingTaskGroup(of: LocalEntry?.self) { group in
      for index in 0..<16 {
        group.addTask { try await admin.add(index % 2 == 0 ? "49015420" : "3520990\(index % 10)") }
      }
      return try await group.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
    }
    #expect(added.count { $0.subject.description == "49015420" } == 1)
    #expect(Set(added.compactMap { $0.id?.description }) == Set(try await admin.names()))
    #expect(added.count == 6)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `kill -9 loses no entry that was answered`() async throws {
    let seed = UInt64.random(in: 0...9_999)
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let server = try await RegistryServer.started(scratch)
    let tally = Tally()
    for _ in 0..<4 {
      let node = try await NodeProcess.beside(server, scratch)
      let admin = try AdminCaller(node)
      let names = Set(try await admin.names())
      let before = tally.names
      #expect(before.isSubset(of: names), "seed \(seed)")
      let enough = before.count + Int.random(in: 10...60, using: &chance)
      let adding = (0..<4).map { _ in
        Task {
          while !Task.isCancelled {
            // Once the node is gone, nothing is answered.
            guard let entry = try? await admin.add("\(tally.next())"), let id = entry.id else {
              return
            }
            tally.answered("\(id)")
          }
        }
      }
      try await eventually("many entries are answered") {
        tally.names.count >= enough
      }
      try await node.kill()
      for task in adding {
        task.cancel()
        await task.value
      }
    }
    let node = try await NodeProcess.beside(server, scratch)
    let names = try await AdminCaller(node).names()
    #expect(tally.names.isSubset(of: names), "seed \(seed)")
    #expect(Set(names).count == names.count)
    #expect(try await node.status().local.entries == names.count)
    #expect(try await node.status().local.damagedLines == 0)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `an entry for which there is no room is refused and is not there`() async throws {
    let scratch = try Scratch()
    let server = try await RegistryServer.started(scratch)
    // 64 KiB for every file.
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url, blocks: 128)
    try await eventually("the node has a list") { try await node.status().ready }
    let admin = try AdminCaller(node)
    var count = 0
    while try await admin.add("\(35_000_000 + count)", reason: String(repeating: "é", count: 250))
      != nil
    { count += 1 }
    #expect((50...200).contains(count))
    let refused = try await node.tool(["local", "add", "36000000", "--reason", "no room"])
    let full = try await node.tool([
      "local", "add", "37000000", "--reason", String(repeating: "é", count: 250),
    ])
    #expect(full.status == 1 && full.errors == "eir: no room is left on the disk of the list\n")
    #expect(try await node.verdict("370000000000000") == "404")
    #expect(try await node.verdict("350000000000000") == "BLACKLISTED")
    let lifted = try await Program.run(
      "/usr/bin/prlimit",
      ["--pid", "\(node.process.processIdentifier)", "--fsize=unlimited:unlimited"])
    #expect(lifted.status == 0)
    if refused.status == 0 { count += 1 }
    #expect(try await admin.add("38000000") != nil)
    count += 1
    #expect(try await admin.names().count == count)
    try await node.kill()
    let again = try await NodeProcess.beside(server, scratch)
    #expect(try await AdminCaller(again).names().count == count)
    #expect(try await again.status().local.damagedLines == 0)
    #expect(try await again.stop() == 0)
    await server.stop()
  }
}
