import Simulation
import Testing

/// A peer that leaves while its requests are on the way.
struct GoodbyeTests {
  private typealias Bytes = DiameterBytes

  private static let goodbye = Bytes.message(
    282, application: 0, flags: 0x80, number: 500,
    [
      Bytes.avp(264, "mme1.example.org"), Bytes.avp(296, "example.org"), Bytes.avp(273, number: 0),
    ])

  @Test func `what stands before a goodbye is answered, and nothing behind it`() async throws {
    try await ProbeTests.withNode { node, address, _ in
      let peer = try await DiameterPeer.connect(to: address)
      func requests(_ numbers: Range<UInt32>) -> [UInt8] {
        numbers.flatMap { Bytes.checkRequest(number: $0) }
      }
      // All in one piece, the capabilities included.
      try await peer.send(
        Bytes.capabilities() + requests(100..<200) + Self.goodbye + requests(600..<700))
      try await eventually("the connection ends") { peer.isClosed }
      let answers = peer.transcript.compactMap { DiameterReading($0) }
      #expect(answers.map(\.command) == [257] + Array(repeating: 324, count: 100) + [282])
      #expect(answers.dropFirst().dropLast().map(\.hopByHop) == Array(100..<200))
      #expect(answers.dropFirst().dropLast().allSatisfy { $0.equipmentStatus == 1 })
      try await eventually("the peer is gone") { try await node.metric("eir_s13_peers") == 0 }
    }
  }
}
