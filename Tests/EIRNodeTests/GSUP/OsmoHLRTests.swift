import CheckServer
import DeviceIdentity
import DeviceLists
import EIRNode
import EquipmentCheck
import Foundation
import Simulation
import Testing

/// The relay before a real osmo-hlr (Debian's).
struct OsmoHLRTests {
  private typealias Messages = GSUPMessages

  /// What a client of this name gets that sends one message after the other, each with a barrier
  /// behind it.
  private static func answers(
    to messages: [[UInt8]], from peer: TCPPeer, name: String
  ) async throws -> [[[UInt8]]] {
    try await eventually("osmo-hlr asks who is there") { peer.messages.count == 1 }
    var answers = [peer.messages]
    try await peer.send(Messages.identity(name))
    for message in messages {
      let before = peer.messages.count
      try await peer.send(message + Messages.barrier)
      var new: ArraySlice<[UInt8]> = []
      try await eventually("the answer to the barrier") {
        try #require(!peer.isClosed)
        new = peer.messages.dropFirst(before)
        // Purge MS is answered by a result or an error.
        return new.last.map { $0.count > 4 && (0x0D...0x0E).contains($0[4]) } ?? false
      }
      answers.append(Array(new))
    }
    await peer.close()
    return answers
  }

  /// The same messages sent to osmo-hlr itself and through the relay.
  private static func both(
    _ messages: [[UInt8]], decide: @escaping GSUPRelay.Decide = RelayUnderTest.byLastDigit
  ) async throws -> (direct: [[[UInt8]]], relayed: [[[UInt8]]]) {
    let scratch = try Scratch()
    let hlr = try await OsmoHLR.start(in: scratch.path)
    let relay = try await RelayUnderTest.start(hlr: hlr.host, OsmoHLR.port, decide: decide)
    let alone = try await TCPPeer.connect(hlr.host, OsmoHLR.port)
    let direct = try await answers(to: messages, from: alone, name: "MSC-1")
    let relayed = try await answers(to: messages, from: try await relay.client(), name: "MSC-1")
    await relay.listener.shutdown()
    try await hlr.kill()
    return (direct, relayed)
  }

  @Test func `what is no device check is answered by osmo-hlr itself, octet for octet`()
    async throws
  {
    let answers = try await Self.both([
      Messages.authInfo, Messages.updateLocation, Messages.authInfo + Messages.updateLocation,
      // Unknown types, a message for somebody else, OAP, a stream that is none.
      Messages.gsup([0xF0] + Messages.imsi),
      Messages.gsup([0x04] + Messages.imsi + Messages.octets("61 05 45 4c 53 45 00")),
      Messages.ipa(0xEE, [0x06, 0x01]), Messages.gsup([]),
    ])
    #expect(answers.relayed == answers.direct)
    #expect(answers.direct[1].first?[4] == 0x09, "osmo-hlr knows of no authentication")
    #expect(answers.direct[2].count >= 2, "osmo-hlr answers an update")
    #expect(answers.direct[5].first?[4] == 0x4E, "osmo-hlr knows of no such destination")
  }

  @Test func `the identity handshake and pings pass`() async throws {
    let scratch = try Scratch()
    let hlr = try await OsmoHLR.start(in: scratch.path)
    let relay = try await RelayUnderTest.start(hlr: hlr.host, OsmoHLR.port)
    let client = try await relay.client()
    try await eventually("ID GET") { client.messages.count == 1 }
    #expect(client.messages.first?[2...3] == [0xFE, 0x04])
    try await client.send(Messages.identity("MSC-PASSED"))
    try await eventually("osmo-hlr knows its client") {
      hlr.log.contains("Adding GSUP route for MSC-PASSED")
    }
    try await client.send(Messages.ping)
    try await eventually("pong") { client.messages.last == Messages.pong }
    await client.close()
    try await eventually("osmo-hlr sees that the client has left") {
      hlr.log.contains("Removing GSUP route for \"MSC-PASSED")
    }
    await relay.listener.shutdown()
    try await hlr.kill()
  }

  /// libosmo-gsup-client with its own handshake. osmo-msc needs SCTP, which not every kernel has.
  @Test func `a client of Osmocom's own connects through the relay`() async throws {
    let scratch = try Scratch()
    let hlr = try await OsmoHLR.start(in: scratch.path)
    let relay = try await RelayUnderTest.start(hlr: hlr.host, OsmoHLR.port)
    let client = try Program(
      "/usr/bin/osmo-euse-demo", ["127.0.0.1", String(relay.listener.port)], in: scratch.path)
    try await eventually("osmo-hlr knows its client") {
      hlr.log.contains("Adding GSUP route for EUSE-foobar")
    }
    #expect(relay.health.counts.connections == 1)
    client.send(SIGKILL)
    _ = try await client.end()
    try await eventually("the relay sees it leave") { relay.health.counts.connections == 0 }
    await relay.listener.shutdown()
    try await hlr.kill()
  }

  /// Where osmo-hlr accepts and the list has nothing against it, or where both see an error.
  @Test func `a device check is answered as osmo-hlr answers it`() async throws {
    let (imsi, imei) = (Messages.imsi, Messages.octets("50 08 07 94 10 45 02 23 73 15"))
    let elements = [
      imsi + imei, imsi + imei + Messages.octets("0a 01 01"),
      imsi + Messages.octets("50 09 42 42 42 42 42 42 42 42 42"),
      imsi, imsi + [0x50, 0x00], imsi + [0x50, 0x01, 0x00],
      imei, [], Messages.octets("01 09 21 43 65 87 09 21 43 65 87") + imei,
      Messages.octets("01 03 21 43 f5") + imei,
      Messages.octets("01 08 21 43 65 87 09 21 43 65") + imei,
      Messages.octets("01 08 21 43 65 87 09 21 43 fa") + imei, [0x01, 0x00] + imei,
      imsi + imei + Messages.octets("60 08 46 41 52 2d 4d 53 43 00"),
      imsi + imei
        + Messages.octets("0a 01 01 60 08 46 41 52 2d 4d 53 43 00 61 08 54 48 45 2d 48 4c 52 00"),
      imsi
        + Messages.octets("0a 01 01 60 02 41 00 61 08 54 48 45 2d 48 4c 52 00")
        + Messages.octets("30 04 00 00 00 07 31 01 01"),
      imsi + imei + Messages.octets("30 04 00 00 00 07 31 01 01 40 01 fa"),
      imsi + imei + Messages.octets("0a 00"), imsi + imei + Messages.octets("28 00"),
      imsi + Messages.octets("50 02 01 94") + imei, imsi + Messages.octets("01 03 21 43 65") + imei,
      imsi + Messages.octets("f0 02 7a 7a") + imei,
    ]
    let answers = try await Self.both(elements.map { Messages.gsup([0x30] + $0) }) { _, _ in
      .now(.white)
    }
    for (number, element) in elements.enumerated() {
      #expect(answers.relayed[number + 1] == answers.direct[number + 1], "\(element)")
    }
    #expect(answers.direct[1].first == Messages.accepted)
  }

  @Test func `black is refused where osmo-hlr alone accepts everything`() async throws {
    let answers = try await Self.both((0..<4).map { Messages.check(35_209_900_000_000 + $0) })
    let accepted = Array(repeating: Messages.accepted, count: 4)
    #expect(answers.direct.dropFirst().map(\.first) == accepted)
    #expect(
      answers.relayed.dropFirst().map(\.first)
        == [Messages.accepted, Messages.refused, Messages.accepted, Messages.accepted])
  }

  @Test func `rubbish costs its sender the connection and nobody else`() async throws {
    let scratch = try Scratch()
    let hlr = try await OsmoHLR.start(in: scratch.path)
    let relay = try await RelayUnderTest.start(hlr: hlr.host, OsmoHLR.port)
    let good = try await relay.client()
    try await eventually("ID GET") { good.messages.count == 1 }
    try await good.send(Messages.identity("MSC-GOOD"))
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    for _ in 0..<10 {
      let bad = try await relay.client()
      // Longer than osmo-hlr takes, so that it hangs up.
      let noise = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &chance) }
      bad.push([0xF0, 0x00, 0xEE] + noise + noise + noise + noise)
      try await eventually("the sender of rubbish is let go") { bad.isClosed }
    }
    let before = good.messages.count
    try await good.send(Messages.check(1) + Messages.ping)
    try await eventually("the other is served") { good.messages.count == before + 2 }
    #expect(Array(good.messages.dropFirst(before)) == [Messages.refused, Messages.pong])
    try await eventually("the others are gone") { relay.health.counts.connections == 1 }
    #expect(relay.health.counts.hlrLost == 0, "the HLR is not away")
    #expect(!relay.log.lines.contains { $0.hasPrefix("warning") || $0.contains("is back") })
    await relay.listener.shutdown()
    try await hlr.kill()
  }

  @Test func `with the HLR killed its clients are let go, once it is back they are served`()
    async throws
  {
    let scratch = try Scratch()
    let hlr = try await OsmoHLR.start(in: scratch.path)
    let relay = try await RelayUnderTest.start(hlr: hlr.host, OsmoHLR.port)
    let clients = [try await relay.client(), try await relay.client()]
    for client in clients {
      try await eventually("ID GET") { client.messages.count == 1 }
    }
    try await hlr.kill()
    for client in clients { try await eventually("the client is let go") { client.isClosed } }

    let alone = try await relay.client()
    try await eventually("who comes meanwhile is let go") { alone.isClosed }
    #expect(relay.health.counts.hlrLost == 1, "who came while it was away")
    #expect(relay.health.counts.hlrEnded == 2)
    let warnings = relay.log.lines.filter { $0.hasPrefix("warning") }
    #expect(warnings.count == 1, "\(warnings)")
    try await eventually("none is left") { relay.health.counts.connections == 0 }

    let again = try await OsmoHLR.start(in: scratch.path, at: hlr.host)
    let client = try await relay.client()
    try await eventually("ID GET") { client.messages.count == 1 }
    try await client.send(Messages.check(1) + Messages.ping)
    try await eventually("the client is served") { client.messages.count == 3 }
    #expect(Array(client.messages.dropFirst()) == [Messages.refused, Messages.pong])
    #expect(relay.log.lines.count == 4)
    #expect(relay.log.lines.last?.hasPrefix("info: the HLR is back") == true)
    await relay.listener.shutdown()
    try await again.kill()
  }
}
