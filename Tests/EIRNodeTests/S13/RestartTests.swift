import CheckServer
import DeviceLists
import Diameter
import EquipmentCheck
import ExchangeTrust
import Foundation
import Logging
import NIOCore
import Simulation
import Testing

@testable import EIRNode

/// Peers that come back, whichever thread their connections are on.
@Suite(.serialized)
struct RestartTests {
  private typealias Bytes = DiameterBytes

  @Test func `a peer that has restarted is let in wherever its old connection is served`()
    async throws
  {
    try await ProbeTests.withNode { node, address, _ in
      var old: DiameterPeer?
      var others: [DiameterPeer] = []
      for number in 1...12 {
        // Others between them, so that both are on one event loop now and then.
        for _ in 0..<number % 4 { others.append(try await DiameterPeer.connect(to: address)) }
        let peer = try await DiameterPeer.connect(to: address)
        let answer = try await peer.ask(
          Bytes.capabilities(more: [Bytes.avp(278, number: UInt32(number))]))
        #expect(answer.resultCode == 2001)
        if let old { #expect(try await old.ended()) }
        #expect(try await peer.ask(Bytes.checkRequest()).equipmentStatus == 1)
        old = peer
      }
      #expect(try await node.metric("eir_s13_peers") == 1)
      for other in others { try await other.close() }
    }
  }

  @Test(arguments: [6, 30, 600])
  func `a silent peer is asked before its connection counts as idle`(seconds: Int64) {
    let name = DiameterIdentity("eir.example.org")!
    let local = LocalNode(host: name, realm: name, productName: "a test", originStateID: 1)
    let service = S13Service(
      s13: S13(local: local), peers: S13Peers(allowed: .any), watchdog: .seconds(seconds),
      logger: Logger(label: "test")
    ) { _, _ in .now(.white) }
    // Asked, suspect, gone: each at most two seconds late. RFC 3539, 3.4.1.
    #expect(service.streamLimits.idle > .seconds(3 * (seconds + 2)))
  }

  @Test func `who is refused again and again does not fill the log`() async throws {
    try await ProbeTests.withNode { node, address, _ in
      let count = S13Peers.mostRefusalLines * 2
      for _ in 0..<count {
        let peer = try await DiameterPeer.connect(to: address)
        #expect(
          try await peer.ask(Bytes.capabilities(host: "mme9.example.org")).resultCode == 3010)
        try await peer.close()
      }
      #expect(try await node.metric(#"eir_s13_refused_total{code="3010"}"#) == count)
      let log = try String(contentsOfFile: node.directory + ".err", encoding: .utf8)
      let lines = log.split(separator: "\n").count { $0.contains("a Diameter peer was refused") }
      #expect(lines == S13Peers.mostRefusalLines)
    }
    let peers = S13Peers(allowed: .any)
    for minute in 0..<3 {
      let now = NIODeadline.uptimeNanoseconds(1) + .minutes(Int64(minute))
      let taken = (0..<50).count { _ in peers.refusalLines.takesOne(asOf: now) }
      #expect(taken == S13Peers.mostRefusalLines)
    }
  }

  @Test func `who only claims a peer's name does not make it answer for each of them`()
    async throws
  {
    try await ProbeTests.withNode { _, address, _ in
      let peer = try await DiameterPeer.open(to: address)
      var claimants: [DiameterPeer] = []
      for _ in 0..<20 {
        let claimant = try await DiameterPeer.connect(to: address)
        try await claimant.send(Bytes.capabilities())
        claimants.append(claimant)
      }
      let question = try await peer.receive()
      #expect(question.command == 280)
      // What follows on the same connection comes after every other question there was.
      try await peer.send(Bytes.checkRequest())
      var questions = 1
      var answer = try await peer.receive()
      while answer.command == 280 {
        questions += 1
        answer = try await peer.receive()
      }
      #expect(answer.equipmentStatus == 1)
      #expect(questions < 5)
      for claimant in claimants { try await claimant.close() }
    }
  }
}
