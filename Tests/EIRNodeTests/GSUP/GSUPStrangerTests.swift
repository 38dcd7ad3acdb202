import CheckServer
import DeviceLists
import EIRNode
import NIOCore
import Simulation
import Testing

/// What a client can do to others that is none, or that the HLR does not want.
struct GSUPStrangerTests {
  private typealias Messages = GSUPMessages

  @Test func `who sends no whole message in time is let go, and who has sent one stays`()
    async throws
  {
    var limits = GSUPLimits()
    limits.firstMessage = .seconds(1)
    limits.stream.tick = .milliseconds(50)
    let hlr = try await TCPServer.start()
    let relay = try await RelayUnderTest.start(hlr.port, limits: limits)
    let good = try await relay.client()
    try await good.send(Messages.identity("MSC-1"))
    for octets in [[], Array(Messages.ping.dropLast())] {
      let silent = try await relay.client()
      if !octets.isEmpty { try await silent.send(octets) }
      try await eventually("the silent one is let go") { silent.isClosed }
    }
    try await eventually("so are its connections to the HLR") {
      hlr.peers.count { !$0.isClosed } == 1
    }
    try await good.send(Messages.check(1))
    try await eventually("the other is served") { good.messages == [Messages.refused] }
    #expect(relay.health.counts.connections == 1)
    #expect(relay.health.counts.hlrEnded == 0)
    await relay.listener.shutdown()
    await hlr.stop()
  }

  @Test func `one address cannot take all connections`() async throws {
    var limits = GSUPLimits()
    limits.stream.connections = 4
    limits.connectionsOfOneAddress = 2
    let hlr = try await TCPServer.start()
    let relay = try await RelayUnderTest.start(hlr.port, limits: limits)
    let first = try await relay.client()
    let second = try await relay.client()
    try await eventually("both are here") { relay.health.counts.connections == 2 }
    let third = try await relay.client()
    try await eventually("the third is let go") { third.isClosed }
    let other = try await TCPPeer.connect("127.0.0.1", relay.listener.port, from: "127.0.0.2")
    try await other.send(Messages.check(1))
    try await eventually("another host is served") { other.messages == [Messages.refused] }
    await first.close()
    try await eventually("its place is free") { relay.health.counts.connections == 2 }
    let next = try await relay.client()
    try await next.send(Messages.check(1))
    try await eventually("the place is given again") { next.messages == [Messages.refused] }
    #expect(!second.isClosed)
    await relay.listener.shutdown()
    await hlr.stop()
  }

  @Test func `clients that the HLR does not want are no news of the HLR`() async throws {
    let hlr = try await TCPServer.start()
    let relay = try await RelayUnderTest.start(hlr.port)
    for number in 1...30 {
      let client = try await relay.client()
      try await client.send(Messages.identity("NOBODY"))
      let peer = try await hlr.peer(number - 1)
      try await peer.send(Messages.ping)
      await peer.close()
      try await eventually("the client is let go") { client.isClosed }
      try await eventually("it is counted") { relay.health.counts.hlrEnded == number }
    }
    #expect(relay.health.counts.hlrLost == 0)
    #expect(relay.log.lines.count == 20, "\(relay.log.lines)")
    #expect(relay.log.lines.allSatisfy { $0.hasPrefix("info: the HLR is done with a client") })
    await relay.listener.shutdown()
    await hlr.stop()
  }
}
