import DeviceIdentity
import Foundation
import NIOCore
import NIOPosix
import Simulation
import Testing

@testable import EIRNode

/// A peer that asks more than can be answered, and one that does not read. RFC 6733, 7.1.3.
@Suite(.serialized)
struct OverloadTests {
  private typealias Bytes = DiameterBytes

  /// An address that takes connections and never says anything.
  private static func silence() async throws -> any Channel {
    try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
  }

  private static func asking(_ silence: any Channel, milliseconds: Int = 8_000) -> [String] {
    [
      "--mode", "ask", "--policy-failure", "grey", "--ask-timeout-milliseconds", "\(milliseconds)",
      "--ceir-status-url", "https://127.0.0.1:\(silence.localAddress?.port ?? 0)",
    ]
  }

  @Test func `beyond the requests that may wait the answer is 3004, the others get theirs`()
    async throws
  {
    let silence = try await Self.silence()
    try await ProbeTests.withNode(Self.asking(silence)) { node, address, _ in
      let peer = try await DiameterPeer.open(to: address)
      let most = S13Limits().pendingAnswers
      let (count, beyond) = (most + 76, 76)
      try await peer.send(
        (0..<count).flatMap { number in
          Bytes.checkRequest(Bytes.check(imei: "35000000000000"), number: UInt32(number))
        } + Bytes.checkRequest(number: UInt32(count)))
      let early = try await peer.receive(beyond + 1)
      #expect(early.prefix(beyond).map(\.hopByHop) == (most..<count).map(UInt32.init))
      #expect(early.prefix(beyond).allSatisfy { $0.resultCode == 3004 && $0.flags == 0x60 })
      #expect(early.last?.equipmentStatus == 1, "what is on the list need not wait")
      let late = try await peer.receive(most)
      #expect(Set(late.map(\.hopByHop)) == Set((0..<most).map(UInt32.init)))
      #expect(late.allSatisfy { $0.equipmentStatus == 2 }, "the failure policy, and never black")
      #expect(try await node.metric(#"eir_s13_refused_total{code="3004"}"#) == beyond)
      try await peer.close()
    }
    try await silence.close()
  }

  @Test func `a peer that goes while its requests wait leaves nothing behind`() async throws {
    let silence = try await Self.silence()
    try await ProbeTests.withNode(Self.asking(silence)) { node, address, _ in
      for number in 0..<5 {
        let peer = try await DiameterPeer.open(to: address)
        try await peer.send(
          Bytes.checkRequest(Bytes.check(imei: "3500000000000\(number)"))
            + Bytes.message(280, application: 0, flags: 0x80, []))
        #expect(try await peer.receive().command == 280)
        try await peer.close()
        try await eventually("it is gone") { try await node.metric("eir_s13_peers") == 0 }
      }
      let peer = try await DiameterPeer.open(to: address)
      #expect(try await peer.ask(Bytes.checkRequest()).equipmentStatus == 1)
      try await peer.close()
    }
    try await silence.close()
  }

  @Test func `who is let go gets the answers that are still to come`() async throws {
    let silence = try await Self.silence()
    try await ProbeTests.withNode(Self.asking(silence, milliseconds: 1_500)) { node, address, _ in
      let peer = try await DiameterPeer.open(to: address)
      try await peer.send(Bytes.checkRequest(Bytes.check(imei: "35000000000000"), number: 9))
      node.process.terminate()
      let goodbye = try await peer.receive()
      #expect((goodbye.command, goodbye.flags) == (282, 0x80))
      try await peer.send(
        Bytes.message(
          282, application: 0, flags: 0, number: goodbye.hopByHop, [Bytes.avp(268, number: 2001)]))
      let answer = try await peer.receive()
      #expect((answer.command, answer.hopByHop, answer.equipmentStatus) == (324, 9, 2))
      #expect(try await peer.ended())
    }
    try await silence.close()
  }
}
