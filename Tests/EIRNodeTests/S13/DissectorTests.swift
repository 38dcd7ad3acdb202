import Foundation
import Simulation
import Testing

/// Whatever the node answers, tshark reads it without a complaint.
@Suite(.serialized)
struct DissectorTests {
  private typealias Bytes = DiameterBytes

  private static let hasTshark = FileManager.default.isExecutableFile(atPath: "/usr/bin/tshark")
  /// Of 3GPP and known to tshark, and not to be understood here: Subscription-Data.
  /// TS 29.272, 7.3.2.
  private static let subscription = (
    code: UInt32(1400), bytes: Bytes.avp(1400, vendor: 10_415, Bytes.avp(1, "1"))
  )
  private static let proxy = (
    code: UInt32(284),
    bytes: Bytes.avp(284, Bytes.avp(280, "relay1.example.org") + Bytes.avp(33, [1, 2, 3]))
  )

  /// Requests for which the connection stays open, with the code of their answers.
  private static let asks: [(message: [UInt8], code: String)] =
    statuses + missing + wrong + [
      (Bytes.message(280, application: 0, flags: 0x80, []), "2001"),
      (Bytes.message(299, application: 0, flags: 0x80, [proxy.bytes]), "3001"),
      (Bytes.message(325, application: 16_777_252, flags: 0xC0, [proxy.bytes]), "3001"),
      (Bytes.message(324, application: 16_777_251, flags: 0xC0, [proxy.bytes]), "3007"),
      (Bytes.checkRequest(flags: 0xE0), "3008"),
      (Bytes.capabilities(), "2001"),
    ]

  /// What has to be said in the words of the peer: its AVP with a wrong length and the one with
  /// wrong bits, which Failed-AVP repeats as they came, and a command that nobody knows.
  private static let mistakesOfPeers = [
    "Bad Integer32 Length (1): _ws.malformed", "Reserved bit set: _ws.malformed",
    "Unknown command, if you know what this is you can add it to dictionary.xml",
  ]

  private static let statuses: [(message: [UInt8], code: String)] = [
    ("49015420323751", "2001"), ("352099001761481", "2001"), ("3569380356438012", "2001"),
    ("35000000000000", "5422"), ("*#06#", "5422"), ("", "5422"),
  ].map { imei, code in
    (
      Bytes.checkRequest(Bytes.check(imei: imei, softwareVersion: "12") + [proxy], flags: 0xD0),
      code
    )
  }

  /// Each AVP that is required, left out.
  private static let missing: [(message: [UInt8], code: String)] =
    [263, 277, 264, 296, 283, 1401].map { code in
      (Bytes.checkRequest(Bytes.check().filter { $0.code != code } + [proxy]), "5005")
    } + [(changed(1401, Bytes.avp(1401, vendor: 10_415, [])), "5005")]

  private static let wrong: [(message: [UInt8], code: String)] = [
    (Bytes.checkRequest(Bytes.check() + [subscription, proxy]), "5001"),
    (changed(277, Bytes.avp(277, number: 7)), "5004"),
    (Bytes.checkRequest(Bytes.check() + Bytes.check().suffix(1)), "5009"),
    (Bytes.checkRequest(Bytes.check() + [(1, [0, 0, 0, 1, 0x40, 0, 0, 4])]), "5014"),
    (changed(277, Bytes.avp(277, [1])), "5014"),
    (changed(296, Bytes.avp(296, flags: 0x47, "example.org")), "3009"),
    (Bytes.checkRequest(Bytes.check() + [(293, Bytes.avp(293, "hss.example.org"))]), "3002"),
    (changed(283, Bytes.avp(283, "example.net")), "3003"),
    (Bytes.checkRequest(Bytes.check() + [(282, Bytes.avp(282, "eir.example.org"))]), "3005"),
  ]

  private static func changed(_ code: UInt32, _ bytes: [UInt8]) -> [UInt8] {
    Bytes.checkRequest(Bytes.check().map { $0.code == code ? (code, bytes) : $0 })
  }

  @Test(.enabled("needs tshark") { hasTshark })
  func `tshark reads every answer, also those to mistakes`() async throws {
    let scratch = try Scratch()
    try await ProbeTests.withNode { _, address, _ in
      let peer = try await DiameterPeer.open(to: address)
      for ask in Self.asks { _ = try await peer.ask(ask.message) }
      let found = try await Dissection(peer.transcript, in: scratch.path)
      #expect(found.messages.map(\.code) == ["2001"] + Self.asks.map(\.code))
      #expect(found.messages.allSatisfy { !$0.isRequest })
      #expect(
        found.messages.filter { $0.command == "324" }.prefix(3).map(\.equipmentStatus)
          == ["1", "2", "0"])
      #expect(found.complaints == Self.mistakesOfPeers)
      try await peer.close()
    }
  }

  @Test(.enabled("needs tshark") { hasTshark })
  func `tshark reads how a connection begins and how it ends`() async throws {
    let scratch = try Scratch()
    try await ProbeTests.withNode { node, address, _ in
      var messages: [[UInt8]] = []
      let s6a = Bytes.avp(258, number: 16_777_251)
      let wrongBits = Bytes.message(257, application: 0, flags: 0xA0, [])
      let firsts = [
        Bytes.capabilities(applications: [s6a]), Bytes.capabilities(host: "mme9.example.org"),
        Bytes.capabilities(more: [Bytes.avp(299, number: 1)]),
        Bytes.capabilities(more: [Self.subscription.bytes]),
        Bytes.message(257, application: 0, flags: 0x80, [Bytes.avp(264, "mme1.example.org")]),
        wrongBits,
      ]
      for first in firsts {
        let peer = try await DiameterPeer.connect(to: address)
        try await peer.send(first)
        _ = try await peer.ended()
        messages += peer.transcript
      }
      for (version, length) in [(2, 20), (1, 18)] {
        let peer = try await DiameterPeer.open(to: address)
        try await peer.send(
          Bytes.message(
            324, application: 16_777_252, flags: 0xC0, [], version: UInt8(version), length: length))
        _ = try await peer.ended()
        messages += peer.transcript
      }
      let older = try await DiameterPeer.open(to: address)
      let newer = try await DiameterPeer.open(to: address)
      messages += older.transcript
      node.process.terminate()
      _ = try await newer.receive()
      messages += newer.transcript
      try await newer.close()
      let found = try await Dissection(messages, in: scratch.path)
      #expect(
        found.messages.map(\.code)
          == ["5010", "3010", "5017", "5001", "5005", "3008", "2001", "5011", "2001", "5015"]
          + ["2001", "", "2001", ""])
      #expect(found.messages.filter(\.isRequest).map(\.command) == ["280", "282"])
      #expect(found.complaints == [])
    }
  }
}
