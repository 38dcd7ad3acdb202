import DeviceIdentity
import DeviceLists
import EIRNode
import Foundation
import ListExchange
import Simulation
import Testing

/// The program `eir` before a real osmo-hlr.
struct GSUPNodeTests {
  private typealias Messages = GSUPMessages
  private static let (black, grey, white, unlisted): (UInt64, UInt64, UInt64, UInt64) = (
    49_015_420_323_751, 35_209_900_000_001, 35_209_900_000_002, 35_209_900_000_003
  )

  private static func registry(in scratch: Scratch) async throws -> RegistryServer {
    let server = try RegistryServer(directory: scratch.path)
    server.change { registry in
      registry.issuedAt = .now()
      let classes: [(UInt64, ListStatus, GroundCode)] = [
        (black, .black, .stolen), (grey, .grey, .ownershipClaim), (white, .white, .registered),
      ]
      for (number, status, code) in classes {
        registry.commit(
          .imei(IMEI(number: number)!), EntryClass(status: status, codes: .init(code)))
      }
    }
    try await server.start()
    return server
  }

  @Test(arguments: ["allow", "refuse"])
  func `the list of the node decides what OsmoMSC hears`(unknown: String) async throws {
    let scratch = try Scratch()
    let hlr = try await OsmoHLR.start(in: scratch.path)
    let server = try await Self.registry(in: scratch)
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url,
      more: [
        "--gsup-listen", "127.0.0.1:0", "--gsup-hlr", "\(hlr.host):\(OsmoHLR.port)",
        "--gsup-unknown", unknown,
      ])
    try await eventually("the list is there") { try await node.status().position == 3 }
    let address = try #require(node.gsup?.split(separator: ":"))
    let client = try await TCPPeer.connect("127.0.0.1", try #require(Int(address[1])))
    try await eventually("ID GET") { client.messages.count == 1 }
    try await client.send(Messages.identity("MSC-1"))
    for (count, imei) in [Self.black, Self.grey, Self.white, Self.unlisted].enumerated() {
      try await client.send(Messages.check(imei, more: "0a 01 01"))
      try await eventually("an answer") { client.messages.count == count + 2 }
    }
    try await client.send(Messages.gsup([0x30] + Messages.imsi))
    try await eventually("an answer") { client.messages.count == 6 }
    let results = client.messages.dropFirst().map { $0[4] == 0x32 ? $0[17] : 0xFF }
    #expect(results == [1, 0, 0, unknown == "allow" ? 0 : 1, 0xFF])
    #expect(!hlr.log.contains("IMEI"), "osmo-hlr is not asked about devices")

    let sent = Array(client.messages.dropFirst().joined())
    try await Self.expectClean(sent, in: scratch.path)
    #expect(try await node.metric("eir_gsup_connections") == 1)
    #expect(try await node.metric("eir_gsup_hlr_lost_total") == 0)
    #expect(try await node.metric("eir_gsup_ill_formed_total") == 1)
    #expect(try await node.metric("eir_check_duration_seconds_count{interface=\"gsup\"}") == 4)

    try await hlr.kill()
    try await eventually("the client is let go") { client.isClosed }
    let late = try await TCPPeer.connect("127.0.0.1", try #require(Int(address[1])))
    try await eventually("so is who comes while the HLR is away") { late.isClosed }
    #expect(try await node.metric("eir_gsup_hlr_lost_total") == 1)
    #expect(try await node.metric("eir_gsup_hlr_ended_total") == 1)
    #expect(try await node.verdict("490154203237518") == "BLACKLISTED", "others are served")
    #expect(try await node.stop() == 0)
    try Self.expectNoSubscriber(of: node)
    await server.stop()
  }

  /// The IMSI of the checks is in nothing that the node writes for people.
  private static func expectNoSubscriber(of node: NodeProcess) throws {
    let log = try String(contentsOfFile: node.directory + "/checks.ndjson", encoding: .utf8)
    let errors = try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
    #expect(log.contains("\(black)"))
    #expect(errors.contains("the HLR is away"))
    for text in [log, errors] { #expect(!text.contains("12345678")) }
  }

  /// Wireshark finds nothing wrong with what was sent, and reads the same in it.
  private static func expectClean(_ sent: [UInt8], in folder: String) async throws {
    let dump = folder + "/sent.txt"
    let octets = sent.map { String(format: "%02x", $0) }.joined(separator: " ")
    try "0000 \(octets)\n".write(toFile: dump, atomically: true, encoding: .utf8)
    let packets = folder + "/sent.pcap"
    let made = try await Program.run(
      "/usr/bin/text2pcap",
      ["-q", "-4", "127.0.0.1,127.0.0.2", "-T", "4222,50000", dump, packets], in: folder)
    #expect(made.status == 0, "\(made.errors)")
    let read = try await Program.run(
      "/usr/bin/tshark",
      [
        "-r", packets, "-T", "fields", "-e", "gsup.msg_type", "-e", "e212.imsi",
        "-e", "gsup.imei_check_res", "-e", "gsup.cause", "-e", "_ws.expert.message",
        "-e", "_ws.malformed",
      ], in: folder)
    #expect(read.status == 0, "\(read.errors)")
    let fields = read.output.trimmingCharacters(in: .newlines)
      .split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    try #require(fields.count == 6, "\(read.output)")
    #expect(fields[0] == "50,50,50,50,49")
    #expect(fields[1] == Array(repeating: "123456789012345", count: 5).joined(separator: ","))
    #expect(fields[2].split(separator: ",").count == 4)
    #expect(fields[3] == "0x60")
    #expect(fields[4...] == ["", ""])
  }
}
