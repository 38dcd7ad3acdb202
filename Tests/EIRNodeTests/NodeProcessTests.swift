import DeviceIdentity
import DeviceLists
import EIRNode
import Foundation
import ListExchange
import Simulation
import Testing

/// The program beside a registry over real sockets. TS 29.511.
@Suite(.serialized)
struct NodeProcessTests {
  private static let black = EntryClass(
    status: .black, codes: .init(.stolen), isOverridable: false)
  /// Made up; with its check digit it is 49-015420-323751-8.
  private static let stolen = IMEI(number: 49_015_420_323_751)!

  private static func imei(_ number: UInt64) -> IMEI {
    IMEI(number: 35_209_900_000_000 + number)!
  }

  private static func registry(in scratch: Scratch) async throws -> RegistryServer {
    let server = try RegistryServer(directory: scratch.path)
    server.change { registry in
      registry.issuedAt = .now()
      registry.commit(.imei(stolen), black)
    }
    try await server.start()
    return server
  }

  private static func reached(_ node: NodeProcess, _ server: RegistryServer) async throws {
    try await eventually("the node is where the registry is") {
      let status = try await node.status()
      let registry = server.registry
      return status.position == registry.position.number
        && status.epoch == registry.epoch.description
        && status.digest == registry.digest.description
    }
  }

  @Test func `a network element gets what TS 29.511 says`() async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await Self.reached(node, server)

    var answer = try await node.check("?pei=imei-490154203237518")
    #expect(answer.status == "200")
    #expect(answer.body == #"{"status":"BLACKLISTED"}"#)
    answer = try await node.check("?pei=imeisv-4901542032375112")
    #expect(answer.status == "200")
    #expect(answer.body == #"{"status":"BLACKLISTED"}"#)
    answer = try await node.check("?pei=imei-352099000000006")
    #expect(answer.status == "404")
    #expect(answer.body.contains(#""cause":"ERROR_EQUIPMENT_UNKNOWN""#))
    answer = try await node.check("")
    #expect(answer.status == "400")
    #expect(answer.body.contains(#""cause":"MANDATORY_QUERY_PARAM_MISSING""#))
    #expect(answer.body.contains("invalidParams"))

    #expect(try await node.status().running)
    #expect(try await node.stop() == 0)
    let status = try await node.status()
    #expect(!status.running)
    #expect(status.position == 1)
    let line = try String(contentsOfFile: node.directory + "/checks.ndjson", encoding: .utf8)
      .split(separator: "\n").first
    #expect(
      line?.contains(#""imei":"49015420323751","answer":"black""#) == true,
      "neither stopping nor opening the directory again loses the check log")
    await server.stop()
  }

  @Test func `with the CEIR dead the node answers, also after a restart, and catches up`()
    async throws
  {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    var node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await Self.reached(node, server)
    await server.stop()
    try await eventually("the node notices") { try await node.status().ceir.trouble != nil }
    #expect(try await node.verdict("490154203237518") == "BLACKLISTED")
    try await node.kill()

    node = try await NodeProcess.start(in: node.directory, registry: server.url)
    #expect(try await node.verdict("490154203237518") == "BLACKLISTED")
    #expect(try await node.status().ready)

    server.change { registry in
      registry.commit(.imei(Self.stolen), nil)
      for number in 0..<200 as Range<UInt64> {
        registry.commit(.imei(Self.imei(number)), Self.black)
      }
    }
    try await server.start()
    try await Self.reached(node, server)
    #expect(try await node.verdict("490154203237518") == "404")
    #expect(try await node.verdict(Self.imei(199).dialled) == "BLACKLISTED")
    #expect(server.snapshotCount == 1)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `a change is answered within half a second`() async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await Self.reached(node, server)
    let start = ContinuousClock.now
    server.change { $0.commit(.imei(Self.imei(1)), Self.black) }
    try await eventually("the node answers black", within: 5) {
      try await node.verdict(Self.imei(1).dialled) == "BLACKLISTED"
    }
    print("block to answer: \(ContinuousClock.now - start)")
    _ = try await node.stop()
    await server.stop()
  }

  @Test(arguments: [true, false])
  func `a new epoch is adopted or a snapshot of it taken`(isSame: Bool) async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    server.change { registry in
      for number in 0..<10 as Range<UInt64> {
        registry.commit(.imei(Self.imei(number)), Self.black)
      }
    }
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await Self.reached(node, server)
    server.change { registry in
      let kept = isSame ? registry.position : Position(5)
      registry.restore(to: kept, epoch: Epoch(high: 7, low: 7))
      registry.commit(.imei(Self.imei(50)), Self.black)
    }
    try await Self.reached(node, server)
    #expect(server.snapshotCount == (isSame ? 1 : 2))
    #expect(try await node.verdict(Self.imei(9).dialled) == (isSame ? "BLACKLISTED" : "404"))
    _ = try await node.stop()
    await server.stop()
  }

  @Test func `a node ahead of the registry says so and goes on answering`() async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    server.change { $0.commit(.imei(Self.imei(1)), Self.black) }
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await Self.reached(node, server)
    server.change { $0.lose(after: Position(1)) }
    try await eventually("the node says so") {
      try await node.status().ceir.trouble?.contains("ahead") == true
    }
    #expect(try await node.verdict(Self.imei(1).dialled) == "BLACKLISTED")
    #expect(try await node.status().position == 2)
    #expect(server.snapshotCount == 1)
    _ = try await node.stop()
    await server.stop()
  }

  @Test func `after the horizon and after a mishap a snapshot is taken`() async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await Self.reached(node, server)
    try await node.kill()
    server.change { registry in
      for number in 0..<10 as Range<UInt64> {
        registry.commit(.imei(Self.imei(number)), Self.black)
      }
      registry.horizon = registry.position
    }
    let again = try await NodeProcess.start(in: node.directory, registry: server.url)
    try await Self.reached(again, server)
    #expect(server.snapshotCount == 2)
    #expect(try await again.stop() == 0)
    await server.stop()
  }

  @Test func `kill -9 while following loses nothing and never leads back`() async throws {
    let seed: UInt64 = 20_261_123
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    let writer = Task {
      var chance = SeededGenerator(seed: seed)
      while !Task.isCancelled {
        server.change { $0.commitSomething(using: &chance) }
        try await pace(milliseconds: 2)
      }
    }
    var last: UInt64 = 0
    for _ in 0..<6 {
      let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
      let first = try await node.status().position ?? 0
      #expect(first >= last)
      last = first
      try await eventually("the node moves on") {
        try await node.metric("eir_list_position") ?? 0 > last
      }
      for _ in 0..<Int.random(in: 1...10, using: &chance) {
        let position = UInt64(try await node.metric("eir_list_position") ?? 0)
        #expect(position >= last)
        last = position
      }
      try await node.kill()
    }
    writer.cancel()
    _ = await writer.result
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await Self.reached(node, server)
    #expect(server.snapshotCount <= 2)
    #expect(try await node.stop() == 0)
    let keeper = try SmallRegistry.keeper(in: node.directory)
    try server.registry.expectSame(as: keeper.current)
    await server.stop()
  }

  @Test func `a full disk is said, answers go on, and the node catches up`() async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url, blocks: 64)
    try await Self.reached(node, server)
    server.change { registry in
      for number in 0..<900 as Range<UInt64> {
        registry.commit(.imei(Self.imei(number)), Self.black)
      }
    }
    try await eventually("the node says that its disk is full") {
      try await node.metric("eir_disk_full") == 1
    }
    let status = try await node.status()
    #expect(status.diskFull)
    #expect(status.ceir.trouble?.contains("no room") == true)
    #expect(try #require(status.position) < server.registry.position.number)
    #expect(try await node.verdict("490154203237518") == "BLACKLISTED")

    let lifted = try await Program.run(
      "/usr/bin/prlimit",
      ["--pid", "\(node.process.processIdentifier)", "--fsize=unlimited:unlimited"])
    #expect(lifted.status == 0)
    try await Self.reached(node, server)
    #expect(try await node.metric("eir_disk_full") == 0)
    #expect(try await node.verdict(Self.imei(899).dialled) == "BLACKLISTED")
    #expect(try await node.stop() == 0)
    let keeper = try SmallRegistry.keeper(in: node.directory)
    try server.registry.expectSame(as: keeper.current)
    await server.stop()
  }

  @Test func `the brake holds until eir accept`() async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url,
      more: ["--brake-least", "5", "--brake-percent", "0"])
    try await Self.reached(node, server)
    server.change { registry in
      for number in 0..<6 as Range<UInt64> { registry.commit(.imei(Self.imei(number)), Self.black) }
    }
    try await Self.reached(node, server)
    #expect(try await node.verdict(Self.imei(3).dialled) == "404")
    #expect(try await node.status().brake.heldSubjects == 6)
    let explained = try await NodeProcess.eir(
      ["check", Self.imei(3).dialled] + NodeProcess.flags(node.directory))
    #expect(explained.output.contains("held back   by the brake: black (stolen)"))
    let accepted = try await NodeProcess.eir(["accept"] + NodeProcess.flags(node.directory))
    #expect(accepted.status == 0)
    #expect(accepted.output == "accepted: 6 held subjects\n")
    #expect(try await node.verdict(Self.imei(3).dialled) == "BLACKLISTED")
    let again = try await NodeProcess.eir(["accept"] + NodeProcess.flags(node.directory))
    #expect(again.output == "nothing is held\n")
    _ = try await node.stop()
    await server.stop()
  }

  @Test func `shadow mode lets everything through and counts it`() async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url, more: ["--shadow"])
    try await Self.reached(node, server)
    #expect(try await node.verdict("490154203237518") == "WHITELISTED")
    #expect(try await node.metric("eir_shadowed_total") == 1)
    #expect(
      try await node.metric(#"eir_checks_total{interface="n17",rule="final",decided="black"}"#) == 1
    )
    _ = try await node.stop()
    await server.stop()
  }

  @Test func `a list that is too old is answered by the failure policy`() async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    server.change { $0.issuedAt = Instant.now().adding(seconds: -7_200) }
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url,
      more: ["--list-age-max-seconds", "3600", "--policy-failure", "grey"])
    try await Self.reached(node, server)
    #expect(try await node.verdict("490154203237518") == "GREYLISTED")
    #expect(try await !node.status().ready)
    let ready = try await Program.run(
      "/usr/bin/curl",
      ["-s", "-o", "/dev/null", "-w", "%{http_code}", "http://\(node.admin)/health/ready"])
    #expect(ready.output == "503")
    _ = try await node.stop()
    await server.stop()
  }

  @Test func `a second node on one directory is refused in one sentence`() async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    let second = try await NodeProcess.eir(
      ["serve"] + NodeProcess.registryFlags(node.directory, server.url)
        + NodeProcess.flags(node.directory))
    #expect(second.status == 1)
    #expect(
      second.errors
        == "eir: another eir process is using this directory; stop it, or give this one its own\n")
    _ = try await node.stop()
    await server.stop()
  }

  @Test func `only who can read the token may give orders`() async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    let path = node.directory + "/admin.token"
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    for order in ["accept", "check"] {
      let answer = try await Program.run(
        "/usr/bin/curl",
        [
          "-s", "-X", "POST", "-o", "/dev/null", "-w", "%{http_code}",
          "http://\(node.admin)/\(order)",
        ])
      #expect(answer.output == "401")
    }
    _ = try await node.stop()
    await server.stop()
  }

  @Test func `an address that is taken is one sentence`() async throws {
    let scratch = try Scratch()
    let server = try await Self.registry(in: scratch)
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    let flags =
      ["serve"] + NodeProcess.registryFlags(node.directory, server.url)
      + NodeProcess.flags(scratch.path + "/other")
    let taken = try await NodeProcess.eir(
      flags + ["--listen", node.checks, "--admin", "127.0.0.1:0"])
    #expect(taken.status == 1)
    #expect(taken.errors.hasSuffix("eir: cannot listen on 127.0.0.1, port \(node.checksPort)\n"))
    let second = try await NodeProcess.eir(
      flags + ["--listen", "127.0.0.1:0", "--admin", node.admin])
    #expect(second.status == 1)
    #expect(
      second.errors.hasSuffix("eir: cannot listen on \(node.admin) (admin): name a free address\n"))
    _ = try await node.stop()
    await server.stop()
  }
}
