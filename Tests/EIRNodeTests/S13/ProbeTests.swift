import DeviceIdentity
import DeviceLists
import EIRNode
import Foundation
import ListExchange
import Simulation
import Testing

/// A running node asked over TCP what published EIRs get wrong. RFC 6733; TS 29.272, 6 and 7.
@Suite(.serialized)
struct ProbeTests {
  private typealias Bytes = DiameterBytes

  static let flags = [
    "--s13-listen", "127.0.0.1:0", "--s13-host", "eir.example.org", "--s13-realm", "example.org",
    "--s13-peers", "mme1.example.org,*.epc.example.org",
  ]

  /// A node whose list has one black device (49-015420-323751), one grey and one white.
  static func withNode(
    _ more: [String] = [], _ body: (NodeProcess, String, RegistryServer) async throws -> Void
  ) async throws {
    let scratch = try Scratch()
    let server = try RegistryServer(directory: scratch.path)
    server.change { registry in
      registry.issuedAt = .now()
      for (number, status, code) in [
        (49_015_420_323_751, .black, .stolen), (35_209_900_176_148, .grey, .notRegistered),
        (35_693_803_564_380, .white, .registered),
      ] as [(UInt64, ListStatus, GroundCode)] {
        registry.commit(
          .imei(IMEI(number: number)!), EntryClass(status: status, codes: .init(code)))
      }
    }
    try await server.start()
    let node = try await NodeProcess.start(
      in: scratch.path + "/node", registry: server.url, more: flags + more)
    try await eventually("the node has the list") { try await node.status().position == 3 }
    try await body(node, try #require(node.s13), server)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  private static let proxy = Bytes.avp(
    284, Bytes.avp(280, "relay1.example.org") + Bytes.avp(33, [1, 2, 3]))

  @Test func `capabilities without S13 are answered 5010, an unknown peer 3010, and both end`()
    async throws
  {
    try await Self.withNode { _, address, _ in
      var peer = try await DiameterPeer.connect(to: address)
      let s6a = Bytes.avp(258, number: 16_777_251)
      var answer = try await peer.ask(Bytes.capabilities(applications: [s6a]))
      #expect(answer.resultCode == 5010)
      #expect(try await peer.ended())

      peer = try await DiameterPeer.connect(to: address)
      answer = try await peer.ask(Bytes.capabilities(host: "mme9.example.org"))
      #expect(answer.resultCode == 3010)
      #expect(answer.flags & 0x20 != 0)
      #expect(try await peer.ended())

      // One of a domain that is allowed, in the bare form.
      peer = try await DiameterPeer.connect(to: address)
      let bare = Bytes.avp(258, number: 16_777_252)
      answer = try await peer.ask(
        Bytes.capabilities(host: "mme9.EPC.example.org", applications: [bare]))
      #expect(answer.resultCode == 2001)
      #expect(answer[257]?.data == [0, 1, 127, 0, 0, 1])
      try await peer.close()
    }
  }

  @Test func `a request before the capabilities ends the connection`() async throws {
    try await Self.withNode { _, address, _ in
      let peer = try await DiameterPeer.connect(to: address)
      try await peer.send(Bytes.checkRequest())
      #expect(try await peer.ended())
    }
  }

  @Test func `a device has its status, whatever form its identity comes in`() async throws {
    try await Self.withNode { node, address, _ in
      let peer = try await DiameterPeer.open(to: address)
      let black = ["49015420323751", "490154203237518", "490154203237510", "4901542032375112"]
      for imei in black + ["490154203237518F", "49015420323751  "] {
        let answer = try await peer.ask(Bytes.checkRequest(Bytes.check(imei: imei)))
        #expect(answer.resultCode == 2001)
        #expect(answer.equipmentStatus == 1)
      }
      var answer = try await peer.ask(
        Bytes.checkRequest(Bytes.check(imei: "49015420323751", softwareVersion: "12", imsi: nil)))
      #expect(answer.equipmentStatus == 1)
      answer = try await peer.ask(
        Bytes.checkRequest(Bytes.check(imei: "35209900176148", imsi: "001010123456789")))
      #expect(answer.equipmentStatus == 2)
      answer = try await peer.ask(Bytes.checkRequest(Bytes.check(imei: "35693803564380")))
      #expect(answer.equipmentStatus == 0)
      for imei in ["35000000000000", "", "*#06#"] {
        answer = try await peer.ask(Bytes.checkRequest(Bytes.check(imei: imei)))
        #expect(answer.experimentalCode == 5422)
        #expect(answer.resultCode == nil)
        #expect(answer.equipmentStatus == nil)
      }
      #expect(
        try await node.metric(#"eir_checks_total{interface="s13",rule="imei",decided="black"}"#)
          == 7)
      #expect(
        try await node.metric(#"eir_checks_total{interface="s13",rule="mode",decided="unknown"}"#)
          == 1)
      #expect(try await node.metric(#"eir_s13_peer_up{peer="mme1.example.org"}"#) == 1)
      #expect(try await node.status().s13Peers?.map(\.name) == ["mme1.example.org"])
      try await peer.close()
    }
  }

  @Test func `every error has its code and leaves the connection open`() async throws {
    try await Self.withNode { node, address, _ in
      let peer = try await DiameterPeer.open(to: address)
      let without = Bytes.check().filter { $0.code != 1401 }
      var answer = try await peer.ask(Bytes.checkRequest(without))
      #expect(answer.resultCode == 5005)
      #expect(answer[279]?.items?.map(\.code) == [1401])

      let unknown = (code: UInt32(60_000), bytes: Bytes.avp(60_000, number: 1))
      answer = try await peer.ask(Bytes.checkRequest(Bytes.check() + [unknown]))
      #expect(answer.resultCode == 5001)
      #expect(answer[279]?.items?.map(\.code) == [60_000])

      let cases: [(UInt32, UInt32, UInt8, UInt32)] = [
        (324, 16_777_251, 0xC0, 3007), (325, 16_777_252, 0xC0, 3001), (324, 16_777_252, 0xE0, 3008),
      ]
      for (command, application, flags, code) in cases {
        answer = try await peer.ask(
          Bytes.message(command, application: application, flags: flags, [Self.proxy]))
        #expect(answer.resultCode == code)
        #expect(answer.flags & 0x20 != 0)
        #expect(answer[284] != nil)
      }
      let short = (code: UInt32(1), bytes: [0, 0, 0, 1, 0x40, 0, 0, 4] as [UInt8])
      answer = try await peer.ask(Bytes.checkRequest(Bytes.check() + [short]))
      #expect(answer.resultCode == 5014)

      answer = try await peer.ask(Bytes.checkRequest())
      #expect(answer.equipmentStatus == 1, "the connection is as good as before")
      #expect(try await node.metric(#"eir_s13_refused_total{code="5001"}"#) == 1)
      try await peer.close()
    }
  }

  @Test func `what cannot be a message is told, and ends the connection`() async throws {
    try await Self.withNode { _, address, _ in
      for (version, length, code) in [(2, 20, 5011), (1, 18, 5015), (1, 1 << 20, 5015)] {
        let peer = try await DiameterPeer.open(to: address)
        let answer = try await peer.ask(
          Bytes.message(
            324, application: 16_777_252, flags: 0xC0, [], version: UInt8(version), length: length))
        #expect(answer.resultCode == UInt32(code))
        #expect(try await peer.ended())
      }
      // What is no Diameter at all.
      let peer = try await DiameterPeer.connect(to: address)
      try await peer.send(Array("GET / HTTP/1.1\r\nHost: eir\r\n\r\n".utf8))
      #expect(try await peer.ended())
    }
  }

  @Test func `bytes one by one, and many messages in a segment, are answered alike`()
    async throws
  {
    try await Self.withNode { _, address, _ in
      let peer = try await DiameterPeer.open(to: address)
      for byte in Bytes.checkRequest(number: 7) { try await peer.send([byte]) }
      var answer = try await peer.receive()
      #expect((answer.hopByHop, answer.equipmentStatus) == (7, 1))

      let many = (0..<500).flatMap { number in
        Bytes.checkRequest(
          Bytes.check(imei: number % 2 == 0 ? "49015420323751" : "35000000000000"),
          number: UInt32(number))
      }
      try await peer.send(many + Bytes.message(280, application: 0, flags: 0x80, number: 900, []))
      let answers = try await peer.receive(501)
      #expect(answers.map(\.hopByHop) == Array(0..<500) + [900])
      #expect(answers.prefix(500).count { $0.equipmentStatus == 1 } == 250)
      #expect(answers.prefix(500).count { $0.experimentalCode == 5422 } == 250)

      let relayed =
        Bytes.check() + [(284, Self.proxy), (282, Bytes.avp(282, "relay1.example.org"))]
      answer = try await peer.ask(Bytes.checkRequest(relayed, flags: 0xD0))
      #expect(answer.items.last?.data == Array(Self.proxy.dropFirst(8)))
      try await peer.close()
    }
  }

  @Test func `who says goodbye is answered, and then the connection ends`() async throws {
    try await Self.withNode { _, address, _ in
      let peer = try await DiameterPeer.open(to: address)
      let goodbye = Bytes.message(
        282, application: 0, flags: 0x80, [Bytes.avp(273, number: 0)])
      let answer = try await peer.ask(goodbye)
      #expect((answer.command, answer.resultCode) == (282, 2001))
      #expect(try await peer.ended())
    }
  }

  @Test func `a second connection of a peer is refused while the first lives`() async throws {
    try await Self.withNode { node, address, _ in
      let first = try await DiameterPeer.open(to: address)
      let second = try await DiameterPeer.connect(to: address)
      try await second.send(Bytes.capabilities())
      let question = try await first.receive()
      #expect(question.command == 280)
      try await first.send(
        Bytes.message(280, application: 0, flags: 0, number: question.hopByHop, []))
      #expect(try await second.receive().resultCode == 5012)
      #expect(try await second.ended())
      #expect(try await first.ask(Bytes.checkRequest()).equipmentStatus == 1)

      // The first does not answer: it has vanished, and the second takes its place.
      let third = try await DiameterPeer.open(to: address)
      _ = try await first.receive()
      #expect(try await first.ended())
      // A peer that has restarted says so, and need not wait.
      let restarted = try await DiameterPeer.connect(to: address)
      var answer = try await restarted.ask(
        Bytes.capabilities(more: [Bytes.avp(278, number: 5)]))
      #expect(answer.command == 280 || answer.resultCode == 2001)
      if answer.command == 280 { answer = try await restarted.receive() }
      #expect(answer.resultCode == 2001)
      let again = try await DiameterPeer.connect(to: address)
      answer = try await again.ask(Bytes.capabilities(more: [Bytes.avp(278, number: 6)]))
      #expect(answer.resultCode == 2001)
      #expect(try await restarted.ended())
      #expect(third.isClosed)
      #expect(try await node.metric("eir_s13_peers") == 1)
      try await again.close()
    }
  }

  @Test func `a node that ends says goodbye and answers what is on the way`() async throws {
    try await Self.withNode { node, address, _ in
      let peer = try await DiameterPeer.open(to: address)
      node.process.terminate()
      let goodbye = try await peer.receive()
      #expect((goodbye.command, goodbye.flags) == (282, 0x80))
      #expect(goodbye[273]?.number == 0)
      #expect(try await peer.ask(Bytes.checkRequest()).equipmentStatus == 1)
      try await peer.send(
        Bytes.message(
          282, application: 0, flags: 0, number: goodbye.hopByHop, [Bytes.avp(268, number: 2001)]))
      #expect(try await peer.ended())
    }
  }

  @Test func `rubbish costs a peer its own connection only`() async throws {
    let seed: UInt64 = 20_261_128
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    try await Self.withNode { node, address, _ in
      let good = try await DiameterPeer.open(to: address)
      for _ in 0..<40 {
        let bad = try await DiameterPeer.connect(to: address)
        if Bool.random(using: &chance) {
          _ = try await bad.ask(Bytes.capabilities(host: "x.epc.example.org"))
        }
        var bytes = Bytes.checkRequest() + Bytes.checkRequest()
        for _ in 0..<Int.random(in: 1...30, using: &chance) {
          bytes[Int.random(in: 0..<bytes.count, using: &chance)] = .random(
            in: 0...255, using: &chance)
        }
        try await bad.send(bytes)
        try await bad.close()
        #expect(try await good.ask(Bytes.checkRequest()).equipmentStatus == 1)
      }
      try await eventually("the others are gone") { try await node.metric("eir_s13_peers") == 1 }
      try await good.close()
    }
  }
}
