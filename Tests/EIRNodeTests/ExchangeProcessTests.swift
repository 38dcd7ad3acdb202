import DeviceIdentity
import DeviceLists
import ExchangeTrust
import Foundation
import ListExchange
import Simulation
import Testing

@testable import EIRNode

/// The program and its registry: snapshots that break off, signatures, parameters, certificates and
/// questions, over real sockets.
@Suite(.serialized)
struct ExchangeProcessTests {
  private static let black = EntryClass(
    status: .black, codes: .init(.stolen), isOverridable: false)

  private static func imei(_ number: UInt64) -> IMEI {
    IMEI(number: 35_209_900_000_000 + number)!
  }

  private static func server(
    _ scratch: Scratch, blacks: Int = 10, signer: CheckpointSigner? = TestAuthority.shared.signer
  ) async throws -> RegistryServer {
    let server = try RegistryServer(directory: scratch.path)
    server.change { registry in
      registry.issuedAt = .now()
      registry.signer = signer
      // Far apart, so that the file is long.
      for number in 0..<UInt64(blacks) {
        registry.commit(.imei(IMEI(number: 35_000_000_000_000 + number * 7_000_003)!), black)
      }
    }
    try await server.start()
    return server
  }

  private static func reached(_ node: NodeProcess, _ server: RegistryServer) async throws {
    try await eventually("the node is where the registry is") {
      let status = try await node.status()
      return status.digest == server.registry.digest.description
        && status.position == server.registry.position.number
    }
  }

  enum Meanwhile: CaseIterable {
    case nothing, nodeIsKilled, listChanges
  }

  @Test(arguments: Meanwhile.allCases)
  func `a snapshot is gone on with where it was cut`(meanwhile: Meanwhile) async throws {
    let scratch = try Scratch()
    let server = try await Self.server(scratch, blacks: 20_000)
    // A piece is written when it is full, so the cut lies behind the first.
    server.see { $0.snapshotStopsAfter = SnapshotDownload.pieceBytes + 40_000 }
    let directory = scratch.path + "/node"
    let part = directory + "/snapshot.partial"
    var node = try await NodeProcess.start(in: directory, registry: server.url)
    try await eventually("the first piece is on disk") {
      let size = try? FileManager.default.attributesOfItem(atPath: part)[.size] as? Int
      return size ?? 0 >= SnapshotDownload.pieceBytes
    }
    switch meanwhile {
    case .nothing: break
    case .nodeIsKilled:
      try await node.kill()
      node = try await NodeProcess.start(in: directory, registry: server.url)
    case .listChanges: server.change { $0.commit(.imei(Self.imei(1)), Self.black) }
    }
    server.see { $0.breaksOff = true }
    try await Self.reached(node, server)
    let asked = server.see { $0.partsAsked }
    #expect(asked.count == 1)
    let first = try #require(asked.first)
    let from = try #require(Int(first.range.dropFirst("bytes=".count).dropLast()))
    #expect(from >= SnapshotDownload.pieceBytes)
    #expect(first.range == "bytes=\(from)-")
    #expect(first.condition != nil)
    // Another file is sent whole, and nothing of the first one is kept.
    #expect(first.status == (meanwhile == .listChanges ? 200 : 206))
    #expect(server.snapshotCount == 2)
    for path in [part, part + ".etag"] {
      #expect(!FileManager.default.fileExists(atPath: path))
    }
    #expect(try await node.stop() == 0)
    let keeper = try SmallRegistry.keeper(in: directory)
    try server.registry.expectSame(as: keeper.current)
    await server.stop()
  }

  @Test func `a part of another file is thrown away`() async throws {
    let scratch = try Scratch()
    let server = try await Self.server(scratch, blacks: 50)
    let directory = scratch.path + "/node"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    try Data(repeating: 7, count: 200).write(
      to: URL(fileURLWithPath: directory + "/snapshot.partial"))
    let tag = "\"\(String(repeating: "0", count: 64))\""
    try Data(tag.utf8).write(to: URL(fileURLWithPath: directory + "/snapshot.partial.etag"))
    let node = try await NodeProcess.start(in: directory, registry: server.url)
    try await Self.reached(node, server)
    #expect(server.snapshotCount == 1)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `where a snapshot is cheaper it is taken`() async throws {
    let scratch = try Scratch()
    let server = try await Self.server(scratch)
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await Self.reached(node, server)
    try await node.kill()
    server.see { $0.prefersSnapshot = true }
    server.change { registry in
      for number in 0..<UInt64(100) { registry.commit(.imei(Self.imei(number)), Self.black) }
    }
    let again = try await NodeProcess.start(in: node.directory, registry: server.url)
    try await Self.reached(again, server)
    #expect(server.snapshotCount >= 2)
    server.see { $0.prefersSnapshot = false }
    #expect(try await again.stop() == 0)
    await server.stop()
  }

  @Test(arguments: [
    (false, "The checkpoint is not signed"), (true, "does not come from this registry"),
  ])
  func `what nobody or a stranger has signed is refused, without snapshots in a loop`(
    isStranger: Bool, complaint: String
  ) async throws {
    let scratch = try Scratch()
    let signer = isStranger ? TestAuthority.stranger.signer : nil
    let server = try await Self.server(scratch, signer: signer)
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await eventually("the node says so") {
      try await node.status().ceir.trouble?.contains(complaint) == true
    }
    #expect(try await node.status().position == nil)
    #expect(server.snapshotCount <= 2)
    server.change { $0.signer = TestAuthority.shared.signer }
    try await eventually("the trouble is over", within: 30) {
      let status = try await node.status()
      return status.ceir.trouble == nil && status.position == 10
    }
    server.change { registry in
      registry.signer = signer
      registry.commit(.imei(Self.imei(1)), Self.black)
    }
    // While the registry goes on with its answer, which it does for 50 seconds.
    try await eventually("a delta is refused likewise", within: 30) {
      try await node.status().ceir.trouble?.contains(complaint) == true
    }
    #expect(try await node.status().position == 10)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `a registry that another root vouches for is not spoken to`() async throws {
    let scratch = try Scratch()
    let server = try RegistryServer(directory: scratch.path, authority: .stranger)
    try await server.start()
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await eventually("the node says so") { try await node.status().ceir.trouble != nil }
    #expect(server.see { $0.instances }.isEmpty)
    #expect(try await node.verdict("490154203237518") == "404")
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `a style that the node cannot have stays unconfirmed, and it says so`() async throws {
    let scratch = try Scratch()
    let server = try await Self.server(scratch)
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await Self.reached(node, server)
    server.see {
      $0.parameters.proposed = ExchangeParameters(
        version: 1, style: .push, effectiveAfter: 0, endpoint: "https://127.0.0.1:9")
    }
    server.change { $0.commit(.imei(Self.imei(1)), Self.black) }
    try await eventually("the reason") {
      try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
        .contains("exchange.listen is not set")
    }
    try await Self.reached(node, server)
    #expect(server.see { $0.confirmed } == [])
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `parameters are confirmed, taken up at their position, and kept`() async throws {
    let scratch = try Scratch()
    let server = try await Self.server(scratch)
    var node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url,
      more: ["--exchange-listen", "127.0.0.1:0"])
    try await Self.reached(node, server)
    let endpoint = "https://\(try #require(node.exchange))"
    let pushed = ExchangeParameters(
      version: 1, style: .push, effectiveAfter: 12, endpoint: endpoint,
      window: .init(changes: 10_000, seconds: 2))
    server.see { $0.parameters.proposed = pushed }
    server.change { $0.commit(.imei(Self.imei(1)), Self.black) }
    try await eventually("they are confirmed") { server.see { $0.confirmed } == [1] }
    #expect(try await node.status().exchange?.style == "follow")
    #expect(try await node.status().exchange?.proposed == 1)
    server.change { $0.commit(.imei(Self.imei(2)), Self.black) }
    try await eventually("they are in force") {
      try await node.status().exchange?.style == "push"
    }
    server.see { $0.parameters = ParametersAnswer(inForce: pushed) }

    try await node.kill()
    node = try await NodeProcess.start(
      in: node.directory, registry: server.url, more: ["--exchange-listen", "127.0.0.1:0"])
    #expect(try await node.status().exchange?.style == "push")
    #expect(try await node.status().exchange?.parameters == 1)
    let asked = server.see { $0.changesCount }
    let pusher = try Broadcaster(to: try #require(node.exchange), directory: scratch.path)
    server.change { $0.commit(.imei(Self.imei(3)), Self.black) }
    let answer = try await pusher.push(server.registry.delta(after: Position(12)))
    #expect(answer.status == 200)
    #expect(server.see { $0.changesCount } == asked, "a node that is pushed to does not ask")
    // Nothing comes for three windows: it asks by itself.
    server.change { $0.commit(.imei(Self.imei(4)), Self.black) }
    try await Self.reached(node, server)
    #expect(server.see { $0.changesCount } > asked)
    try await pusher.close()
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `an old certificate is renewed without a restart, and by hand`() async throws {
    let scratch = try Scratch()
    let server = try await Self.server(scratch)
    let directory = scratch.path + "/node"
    let old = try TestAuthority.shared.write(
      .node(SmallRegistry.alpha, NodeName("eir-1")!), to: directory + ".tls", name: "node",
      days: 1, asOf: Instant.now().adding(seconds: -72_000))
    let serial = try old.read().leaf.serial.description
    let node = try await NodeProcess.start(in: directory, registry: server.url)
    try await eventually("it is renewed") {
      try await node.status().exchange?.certificateSerial != serial
    }
    #expect(server.see { $0.certificatesIssued } == 1)
    let renewed = try old.read()
    let mode =
      try FileManager.default.attributesOfItem(atPath: old.keyPath)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let tools = NodeProcess.flags(directory) + NodeProcess.registryFlags(directory, server.url)
    let again = try await NodeProcess.eir(["certificate", "renew"] + tools)
    #expect(again.status == 0, "\(again.errors)")
    let newest = try old.read().leaf.serial.description
    #expect(newest != renewed.leaf.serial.description)
    try await eventually("the running node uses it") {
      try await node.status().exchange?.certificateSerial == newest
    }
    let shown = try await NodeProcess.eir(["certificate", "show"] + tools)
    #expect(shown.output.contains("urn:openceir:demo:node:alpha:eir-1"))
    #expect(shown.output.contains(newest))
    server.change { $0.commit(.imei(Self.imei(1)), Self.black) }
    try await Self.reached(node, server)
    #expect(server.see { $0.instances }.count == 1)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `a certificate of another operator is refused at the start`() async throws {
    let scratch = try Scratch()
    let directory = scratch.path + "/node"
    try TestAuthority.shared.write(
      .node(SmallRegistry.beta, NodeName("eir-1")!), to: directory + ".tls", name: "node")
    let started = try await NodeProcess.eir(
      ["serve"] + NodeProcess.flags(directory)
        + NodeProcess.registryFlags(directory, "https://127.0.0.1:9"))
    #expect(started.status == 2)
    #expect(started.errors.contains("urn:openceir:demo:node:beta:eir-1"))
  }

  @Test func `the mode of authorisation asks once and remembers`() async throws {
    let scratch = try Scratch()
    let server = try await Self.server(scratch)
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url,
      more: [
        "--mode", "ask", "--ask-timeout-milliseconds", "3000", "--policy-failure", "grey",
      ])
    try await Self.reached(node, server)
    for _ in 0..<3 { #expect(try await node.verdict("352099000000006") == "BLACKLISTED") }
    let questions = server.see { $0.questions }
    #expect(questions.count == 1)
    func explained(_ imei: String) async throws -> String {
      try await NodeProcess.eir(["check", imei] + NodeProcess.flags(node.directory)).output
    }
    #expect(try await explained("352099000000006").hasPrefix("352099000000006: black\n"))
    #expect(
      try await explained(Self.imei(1).dialled).contains(
        ": ask\n  the CEIR is asked; without its answer in time: grey\n"))
    #expect(server.see { $0.questions }.count == 1, "nobody is asked for a person who looks")
    #expect(questions.first?.queries.first?.imsi == nil)
    #expect(try await node.metric("eir_asked_total") == 1)
    #expect(try await node.metric("eir_asked_remembered_total") == 2)
    server.see { $0.status = .unknown }
    #expect(try await node.verdict(Self.imei(1).dialled) == "404")
    server.see { $0.status = nil }
    #expect(try await node.verdict(Self.imei(2).dialled) == "GREYLISTED")
    await server.stop()
    #expect(try await node.verdict(Self.imei(3).dialled) == "GREYLISTED")
    #expect(try await node.verdict("352099000000006") == "BLACKLISTED", "it is remembered")
    #expect(try await node.stop() == 0)
  }

  @Test func `an operator asks for a block and follows it`() async throws {
    let scratch = try Scratch()
    let server = try await Self.server(scratch)
    let directory = scratch.path + "/node"
    try TestAuthority.shared.writeNode(to: directory + ".tls")
    let tools = NodeProcess.flags(directory) + NodeProcess.registryFlags(directory, server.url)
    let sent = try await NodeProcess.eir(
      [
        "request", "block", "490154203237518", "--imsi", "001010123456789", "--reason",
        "the holder reports a theft", "--case", "A-7",
      ] + tools)
    #expect(sent.status == 0, "\(sent.errors)")
    #expect(sent.output == "request 7e2a90c4b1f84d06953a2c7e8b1d4f60: pending\n")
    let order = try #require(server.see { $0.requests.first })
    #expect(order.kind == .block)
    #expect(order.imei.description == "49015420323751")
    #expect(order.caseReference == "A-7")
    let shown = try await NodeProcess.eir(
      ["request", "show", "7e2a90c4b1f84d06953a2c7e8b1d4f60"] + tools)
    #expect(shown.output == sent.output)
    let wrong = try await NodeProcess.eir(
      ["request", "unblock", "490154203237517", "--reason", "x"] + tools)
    #expect(wrong.status == 2)
    await server.stop()
  }

  @Test func `a copied directory is another instance on another machine`() throws {
    let scratch = try Scratch()
    for (machine, id) in [("a", "1111"), ("b", "2222")] {
      try Data(id.utf8).write(to: URL(fileURLWithPath: "\(scratch.path)/\(machine)"))
    }
    let here = try InstanceFile.obtain(
      directory: scratch.path, machinePath: scratch.path + "/a")
    let again = try InstanceFile.obtain(
      directory: scratch.path, machinePath: scratch.path + "/a")
    let there = try InstanceFile.obtain(
      directory: scratch.path, machinePath: scratch.path + "/b")
    #expect(here == again)
    #expect(here != there)
  }
}
