import DeviceIdentity
import DeviceLists
import Foundation
import ListExchange
import Simulation
import Testing

@testable import EIRNode

/// From a check of the network to the registry, through every fault between.
@Suite(.serialized)
struct SightingProcessTests {
  private static let black = EntryClass(
    status: .black, codes: .init(.stolen), isOverridable: false)
  private static let stolen = IMEI(number: 35_209_900_000_001)!
  private static let free = IMEI(number: 35_209_900_000_002)!

  private static func server(_ scratch: Scratch) async throws -> RegistryServer {
    let server = try RegistryServer(directory: scratch.path)
    server.change { registry in
      registry.issuedAt = .now()
      registry.signer = TestAuthority.shared.signer
      registry.commit(.imei(stolen), black)
    }
    try await server.start()
    return server
  }

  private static func ask(_ node: NodeProcess, _ imei: IMEI, _ subscriber: Int) async throws {
    _ = try await node.check("?pei=imei-\(imei.dialled)&supi=imsi-00101000000000\(subscriber)")
  }

  private static func waiting(_ node: NodeProcess) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: node.directory + "/sightings").sorted()
  }

  @Test func `what the network shows reaches the registry once`() async throws {
    let scratch = try Scratch()
    let server = try await Self.server(scratch)
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await eventually("the list") { try await node.status().position == 1 }
    for _ in 0..<2 {
      try await Self.ask(node, Self.stolen, 7)
      try await Self.ask(node, Self.free, 8)
    }
    _ = try await node.check("?pei=imei-\(Self.stolen.dialled)")
    try await eventually("both sightings") { server.see { $0.sightings.count } == 2 }
    let seen = server.see { $0.sightings }
    #expect(seen.map(\.status) == [.black, .unknown])
    #expect(seen.map(\.imsi.digits) == ["001010000000007", "001010000000008"])
    #expect(seen.map(\.identity.text) == [Self.stolen.description, Self.free.description])
    try await eventually("nothing is left") { try Self.waiting(node).isEmpty }
    #expect(try await node.metric("eir_sightings_total") == 2)
    #expect(try await node.metric("eir_sightings_sent_total") == 2)
    #expect(try await node.stop() == 0)
    #expect(server.see { $0.sightings.count } == 2)
    await server.stop()
  }

  @Test func `while the registry takes none they wait on disk, also through kill -9`() async throws
  {
    let scratch = try Scratch()
    let server = try await Self.server(scratch)
    server.see { $0.refusesSightings = .unavailable }
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await Self.ask(node, Self.stolen, 7)
    try await eventually("it has been tried") { !server.see { $0.sightingKeys }.isEmpty }
    let key = server.see { $0.sightingKeys[0] }
    try await node.kill()
    let files = try Self.waiting(node)
    #expect(files.count == 1)
    #expect(files.first?.contains(key) == true)
    let mode =
      try FileManager.default.attributesOfItem(
        atPath: node.directory + "/sightings/" + files[0])[.posixPermissions] as? Int
    #expect(mode == 0o600)
    server.see { $0.refusesSightings = nil }
    let again = try await NodeProcess.start(in: node.directory, registry: server.url)
    try await eventually("the sighting") { server.see { $0.sightings.count } == 1 }
    // The same message has the same key, however often it is sent.
    #expect(Set(server.see { $0.sightingKeys }) == [key])
    #expect(try await again.stop() == 0)
    let errors = try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
    #expect(!errors.contains("00101"), "no subscriber is shown")
    await server.stop()
  }

  @Test(arguments: [(ExchangeCode.malformed, true), (.wrongTime, false)])
  func `what the registry will never take is dropped and said, a wrong clock waits`(
    code: ExchangeCode, isDropped: Bool
  ) async throws {
    let scratch = try Scratch()
    let server = try await Self.server(scratch)
    server.see { $0.refusesSightings = code }
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    try await Self.ask(node, Self.stolen, 7)
    if isDropped {
      try await eventually("it is dropped") {
        try await node.metric("eir_sightings_refused_total") == 1
      }
      #expect(try Self.waiting(node).isEmpty)
    } else {
      try await eventually("it is tried again") { server.see { $0.sightingKeys.count } > 1 }
      #expect(try Self.waiting(node).count == 1)
    }
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `what was noted last is on disk when the node has ended`() async throws {
    let scratch = try Scratch()
    let server = try await Self.server(scratch)
    server.see { $0.refusesSightings = .unavailable }
    let node = try await NodeProcess.start(in: scratch.path + "/node", registry: server.url)
    for number in 0..<5 { try await Self.ask(node, Self.stolen, number) }
    #expect(try await node.stop() == 0)
    let lines = try Self.waiting(node).flatMap { name in
      try Sighting.lines(
        Array(try Data(contentsOf: URL(fileURLWithPath: node.directory + "/sightings/" + name))))
    }
    #expect(Set(lines.map(\.imsi.digits)).count == 5)
    await server.stop()
  }

  @Test func `a node that is served by files hands them over as files`() async throws {
    let scratch = try Scratch()
    let mirror = try Mirror(in: scratch.path)
    let sent = scratch.path + "/sent"
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: nil,
      more: [
        "--files-directory", mirror.path, "--files-outbox", sent, "--files-poll-seconds", "1",
      ])
    try await Self.ask(node, Self.free, 7)
    var found: [String] = []
    try await eventually("the file") {
      found = try FileManager.default.contentsOfDirectory(atPath: sent)
        .filter { $0.hasSuffix("_sightings.csv") }
      return !found.isEmpty
    }
    let text = try String(contentsOfFile: "\(sent)/\(found[0])", encoding: .utf8)
    #expect(text.hasPrefix("imei,imsi,msisdn,technology,status,seenAt\n"))
    #expect(text.contains("\(Self.free),001010000000007,,,unknown,"))
    try await eventually("nothing is left") { try Self.waiting(node).isEmpty }
    #expect(try await node.stop() == 0)
  }
}
