import CheckServer
import NIOCore
import NIOPosix
import Simulation
import Synchronization
import Testing

@testable import EIRNode

/// The memory of all connections of S13 together.
struct S13MemoryTests {
  private typealias Bytes = DiameterBytes

  private final class Connection: Sendable {}

  @Test func `beyond the limit strangers go first, and of them who holds most`() {
    let memory = S13Memory(most: 100_000)
    let connections = (0..<4).map { _ in Connection() }
    let closed = Mutex<[Int]>([])
    func hold(_ number: Int, _ bytes: Int, isPeer: Bool) {
      memory.hold(bytes, by: ObjectIdentifier(connections[number]), isPeer: isPeer) {
        closed.withLock { $0.append(number) }
        memory.release(ObjectIdentifier(connections[number]))
      }
    }
    hold(0, 60_000, isPeer: true)
    hold(1, 10_000, isPeer: false)
    hold(2, 20_000, isPeer: false)
    #expect(closed.withLock { $0 } == [] && memory.bytes == 90_000)
    hold(3, 30_000, isPeer: true)
    #expect(closed.withLock { $0 } == [2])
    hold(3, 50_000, isPeer: true)
    #expect(closed.withLock { $0 } == [2, 1, 0])
    #expect(memory.bytes == 50_000 && memory.closedCount == 3)
    memory.release(ObjectIdentifier(connections[3]))
    #expect(memory.bytes == 0)
  }

  @Test func `connections that pile up are closed, and peers go on`() async throws {
    let served = try await S13UnderTest.start(mostBytes: 400_000)
    let peer = try await DiameterPeer.open(to: served.address)
    var strangers: [DiameterPeer] = []
    for _ in 0..<24 {
      let stranger = try await DiameterPeer.connect(to: served.address)
      // Version 1, and 59,996 bytes to come, of which most do: who it is is not said.
      try await stranger.send([1, 0, 0xEA, 0x60] + [UInt8](repeating: 0, count: 50_000))
      strangers.append(stranger)
    }
    try await eventually("most of the strangers are closed") {
      strangers.count(where: \.isClosed) >= 16
    }
    #expect(served.peers.memory.closedCount >= 16)
    #expect(served.peers.memory.bytes <= 400_000)
    #expect(!peer.isClosed)
    #expect(try await peer.ask(Bytes.checkRequest()).equipmentStatus == 1)
    for stranger in strangers { try await stranger.close() }
    try await eventually("nothing is held") { served.peers.memory.bytes == 0 }
    try await peer.close()
    await served.listener.shutdown()
  }

  @Test func `who does not read is counted, and the greatest of them closed`() async throws {
    let served = try await S13UnderTest.start(mostBytes: 100_000)
    let peer = try await DiameterPeer.open(to: served.address, host: "mme2.example.org")
    let deaf = try await DiameterPeer.open(to: served.address)
    try await deaf.stopReading()
    let requests = (0..<200).flatMap { Bytes.checkRequest(number: UInt32($0)) }
    let asking = Task {
      // Ends when the connection does.
      while !Task.isCancelled { try await deaf.send(requests) }
    }
    try await eventually("it is closed") { served.peers.memory.closedCount == 1 }
    try await eventually("nothing is held") { served.peers.memory.bytes == 0 }
    #expect(try await peer.ask(Bytes.checkRequest()).equipmentStatus == 1)
    asking.cancel()
    _ = await asking.result
    try await peer.close()
    await served.listener.shutdown()
  }
}
