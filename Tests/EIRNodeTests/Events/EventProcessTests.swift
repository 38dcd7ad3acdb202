import DeviceLists
import EIRNode
import Foundation
import Simulation
import Testing

/// From a check of the network to the operator's own system, through every fault between.
@Suite(.serialized)
struct EventProcessTests {
  private static let devices = ["35209900000001", "35209900000002", "35209900000003"]

  private struct Event: Decodable, Hashable {
    var type: String
    var at: String
    var imsi: String
    var imei: String
    var previousImei: String?
    var softwareVersion: String?
    var interface: String
    var answer: String
  }

  private static func events(_ lines: [String]) throws -> [Event] {
    try lines.map { try JSONDecoder().decode(Event.self, from: Data($0.utf8)) }
  }

  private static func imsi(_ subscriber: Int) -> String { "00101000000\(1_000 + subscriber)" }

  private static func ask(_ node: NodeProcess, _ device: Int, _ subscriber: Int) async throws {
    let answer = try await node.check("?pei=imei-\(devices[device])0&supi=imsi-\(imsi(subscriber))")
    #expect(answer.status == "404" || answer.status == "200")
  }

  private static func start(
    _ scratch: Scratch, _ url: String?, more: [String] = []
  ) async throws -> NodeProcess {
    try await NodeProcess.start(
      in: scratch.path + "/node", registry: "https://127.0.0.1:1",
      more: (url.map { ["--events-url", $0] } ?? []) + more)
  }

  /// Neither a subscriber nor what may be secret in an address or a token is in the log.
  private static func expectNothingPersonalInLog(_ node: NodeProcess) throws {
    let errors = try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
    for word in ["00101", "wallaby", "kangaroo"] { #expect(!errors.contains(word), "\(errors)") }
  }

  private static func names(_ node: NodeProcess, _ prefix: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: node.directory).filter {
      $0.hasPrefix(prefix)
    }.sorted()
  }

  @Test func `a subscriber's new device is told, by N17 and S13, and a restart forgets nothing`()
    async throws
  {
    let scratch = try Scratch()
    let webhook = WebhookServer()
    try await webhook.start()
    let token = scratch.path + "/token"
    try Data("kangaroo\nand more\n".utf8).write(to: URL(fileURLWithPath: token))
    let more =
      ["--events-token-file", token, "--mode", "white", "--policy-failure", "white"]
      + ProbeTests.flags
    var node = try await Self.start(scratch, webhook.url, more: more)
    try await Self.ask(node, 0, 1)
    try await Self.ask(node, 0, 1)
    try await Self.ask(node, 1, 1)
    let peer = try await DiameterPeer.open(to: try #require(node.s13))
    let check = DiameterBytes.check(
      imei: Self.devices[2], softwareVersion: "07", imsi: Self.imsi(1))
    #expect(try await peer.ask(DiameterBytes.checkRequest(check)).equipmentStatus == 0)
    try await eventually("both events") { webhook.lines.count == 2 }
    var events = try Self.events(webhook.lines)
    #expect(events.allSatisfy { $0.type == "deviceChanged" && $0.imsi == Self.imsi(1) })
    #expect(events.map(\.previousImei) == [Self.devices[0], Self.devices[1]])
    #expect(events.map(\.imei) == [Self.devices[1], Self.devices[2]])
    #expect(events.map(\.interface) == ["n17", "s13"])
    #expect(events.map(\.softwareVersion) == [nil, "07"])
    #expect(events.map(\.answer) == ["white", "white"])
    let message = try #require(webhook.see { $0.taken.first })
    #expect(message.type == "application/x-ndjson" && message.key != "none")
    #expect(message.authorization == "Bearer kangaroo")
    #expect(message.path == "/devices?secret=wallaby")
    try await peer.close()
    #expect(try await node.stop() == 0)
    try Self.expectNothingPersonalInLog(node)

    // A new token is used without a restart; what was known is known.
    node = try await Self.start(scratch, webhook.url, more: more)
    try Data("wombat".utf8).write(to: URL(fileURLWithPath: token))
    try await Self.ask(node, 2, 1)
    try await Self.ask(node, 0, 1)
    try await eventually("one more") { webhook.lines.count == 3 }
    events = try Self.events(webhook.lines)
    #expect(events.last?.previousImei == Self.devices[2])
    #expect(webhook.see { $0.taken.last?.authorization } == "Bearer wombat")
    #expect(try await node.metric("eir_events_subscribers") == 1)
    try await eventually("it is counted") {
      try await node.metric("eir_events_sent_total") == 1
    }
    #expect(try await node.metric("eir_events_waiting_bytes") == 0)
    #expect(try await node.stop() == 0)
    await webhook.stop()
  }

  @Test func `what waits for a system that is away survives kill -9, and comes in order`()
    async throws
  {
    let scratch = try Scratch()
    let webhook = WebhookServer()
    try await webhook.start()
    await webhook.stop()
    var node = try await Self.start(scratch, webhook.url, more: ["--events-first"])
    for subscriber in 0..<5 { try await Self.ask(node, 0, subscriber) }
    try await eventually("they are on disk") {
      try await node.metric("eir_events_waiting_bytes") ?? 0 > 0
    }
    for subscriber in 0..<5 { try await Self.ask(node, 1, subscriber) }
    let known = node.directory + "/devices.known"
    try await eventually("the devices are on disk") {
      let size = try FileManager.default.attributesOfItem(atPath: known)[.size] as? Int
      return size == 16 * 11
    }
    try await node.kill()
    let folder = node.directory + "/devices.events"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(files.count >= 2)
    for path in files.map({ folder + "/" + $0 }) + [known] {
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
    webhook.see { $0.mood = .refuses }
    try await webhook.start()
    node = try await Self.start(scratch, webhook.url, more: ["--events-first"])
    try await eventually("it is tried again and again") { webhook.see { $0.tried.count } > 2 }
    #expect(Set(webhook.see { $0.tried.map(\.key) }).count == 1, "the first goes first")
    webhook.see { $0.mood = .takesAndFails }
    try await eventually("it was taken, and the node does not know") {
      webhook.see { $0.taken.count } > 1
    }
    webhook.see { $0.mood = .takes }
    for subscriber in 0..<5 { try await Self.ask(node, 2, subscriber) }
    try await eventually("all events") { webhook.lines.count == 15 }
    let events = try Self.events(webhook.lines)
    for subscriber in 0..<5 {
      let own = events.filter { $0.imsi == Self.imsi(subscriber) }
      #expect(own.map(\.imei) == Self.devices)
      #expect(own.map(\.type) == ["deviceSeen", "deviceChanged", "deviceChanged"])
    }
    let keys = webhook.see { $0.taken.map(\.key) }
    #expect(keys.first.map { files[0].contains($0) } == true, "a key outlives the process")
    #expect(keys.filter { $0 == keys[0] }.count > 1)
    try await eventually("nothing is left") {
      try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty
    }
    #expect(try await node.stop() == 0)
    try Self.expectNothingPersonalInLog(node)
    await webhook.stop()
  }

  @Test func `a system that never answers disturbs no check, and holds up no end`() async throws {
    let scratch = try Scratch()
    let webhook = WebhookServer()
    webhook.see { $0.mood = .hangs }
    try await webhook.start()
    let node = try await Self.start(scratch, webhook.url)
    try await Self.ask(node, 0, 1)
    try await Self.ask(node, 1, 1)
    try await eventually("it was tried") { !webhook.see { $0.tried.isEmpty } }
    for round in 0..<40 { try await Self.ask(node, round % 3, 2) }
    #expect(try await node.metric("eir_events_total") == 40)
    let start = ContinuousClock.now
    #expect(try await node.stop() == 0)
    #expect(ContinuousClock.now - start < .seconds(10))
    let folder = node.directory + "/devices.events"
    let lines = try FileManager.default.contentsOfDirectory(atPath: folder).flatMap { name in
      try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8).split(separator: "\n")
    }
    #expect(lines.count == 40, "all are on disk at the end")
    try Self.expectNothingPersonalInLog(node)
    await webhook.stop()
  }

  @Test func `without an address nothing is kept, and what there was is removed`() async throws {
    let scratch = try Scratch()
    let webhook = WebhookServer()
    webhook.see { $0.mood = .redirects }
    try await webhook.start()
    var node = try await Self.start(scratch, webhook.url)
    try await Self.ask(node, 0, 1)
    try await Self.ask(node, 1, 1)
    try await eventually("a redirect is no success") { webhook.see { $0.tried.count } > 1 }
    #expect(try await node.stop() == 0)
    #expect(try Self.names(node, "devices") == ["devices.events", "devices.known"])
    node = try await Self.start(scratch, nil)
    try await Self.ask(node, 2, 1)
    #expect(try Self.names(node, "devices") == [])
    #expect(try await node.metric("eir_events_total") == nil)
    #expect(try await node.stop() == 0)
    await webhook.stop()
  }

  @Test func `subscribers beyond the limit displace others`()
    async throws
  {
    let scratch = try Scratch()
    let webhook = WebhookServer()
    try await webhook.start()
    let node = try await Self.start(
      scratch, webhook.url, more: ["--events-subscribers-max", "1000"] + ProbeTests.flags)
    let peer = try await DiameterPeer.open(to: try #require(node.s13))
    for start in stride(from: 0, to: 3_000, by: 500) {
      let requests = (start..<start + 500).flatMap { number in
        DiameterBytes.checkRequest(
          DiameterBytes.check(imei: Self.devices[0], imsi: Self.imsi(number)))
      }
      try await peer.send(requests)
      #expect(try await peer.receive(500).count == 500)
    }
    #expect(try await node.metric("eir_events_subscribers") == 1_000)
    #expect(try await node.metric("eir_events_displaced_total") == 2_000)
    try await peer.close()
    #expect(try await node.stop() == 0)
    await webhook.stop()
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/sbin/nginx")))
  func `a system behind TLS is told only where its certificate is trusted`() async throws {
    let scratch = try Scratch()
    let webhook = WebhookServer()
    try await webhook.start()
    let proxy = try await TLSProxy.start(before: webhook.port, in: scratch.path)
    let url = "https://localhost:\(proxy.port)/devices"
    var node = try await Self.start(scratch, url)
    try await Self.ask(node, 0, 1)
    try await Self.ask(node, 1, 1)
    let log = node.directory + ".err"
    try await eventually("the refusal is said") {
      try String(contentsOfFile: log, encoding: .utf8).contains("events of devices wait")
    }
    #expect(webhook.see { $0.tried.isEmpty })
    #expect(try await node.stop() == 0)
    node = try await Self.start(scratch, url, more: ["--events-ca-file", proxy.rootPath])
    try await eventually("the event") { webhook.lines.count == 1 }
    #expect(try await node.stop() == 0)
    try await proxy.stop()
    await webhook.stop()
  }

  @Test func `what cannot be used is said at the start`() async throws {
    let scratch = try Scratch()
    try Data("a b".utf8).write(to: URL(fileURLWithPath: scratch.path + "/token"))
    try TestAuthority.shared.writeNode(to: scratch.path + "/node.tls")
    for (flags, status, sentence) in [
      (["--events-url", "ftp://localhost/"], 2, "events.url is"),
      (["--events-url", "http://name:word@localhost/"], 2, "events.url is"),
      (
        ["--events-url", "http://localhost/", "--events-forget-days", "0"], 2, "events.forgetDays"
      ),
      (
        ["--events-url", "http://localhost/", "--events-subscribers-max", "999"], 2,
        "events.subscribersMax"
      ),
      (
        ["--events-url", "http://localhost/", "--events-token-file", scratch.path + "/token"], 2,
        "the first line of events.tokenFile must hold the token"
      ),
      (
        ["--events-url", "http://localhost/", "--events-ca-file", scratch.path + "/token"], 2,
        "events.caFile must name a file of certificates"
      ),
    ] {
      let directory = scratch.path + "/node"
      let answer = try await NodeProcess.eir(
        ["serve"] + NodeProcess.flags(directory)
          + NodeProcess.registryFlags(directory, "https://127.0.0.1:1")
          + ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"] + flags)
      #expect(answer.errors.contains(sentence), "\(answer.errors)")
      #expect(answer.status == status, "\(answer.errors)")
    }
  }
}
