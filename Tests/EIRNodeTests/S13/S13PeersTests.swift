import CheckServer
import DeviceLists
import Diameter
import EquipmentCheck
import Foundation
import Logging
import NIOCore
import NIOPosix
import Simulation
import Synchronization
import Testing

@testable import EIRNode

/// Who may come in beside whom. RFC 6733, 5.6 and 8.16.
struct S13PeersTests {
  /// One connection of the peer that all tests are about.
  private final class Fake: Sendable {
    let isClosed = Mutex(false)
    let probes = Mutex(0)

    func connection(certified: Bool, host: String = "192.0.2.1") -> S13Peers.Connection {
      let loop = MultiThreadedEventLoopGroup.singleton.any()
      return S13Peers.Connection(
        id: ObjectIdentifier(self), eventLoop: loop, address: host + ":1", host: host,
        isCertified: certified,
        probe: {
          self.probes.withLock { $0 += 1 }
          return loop.makeSucceededFuture(true)
        }, close: { self.isClosed.withLock { $0 = true } })
    }
  }

  private static func capabilities(state: UInt32?) throws -> PeerCapabilities {
    let state = state.map { [DiameterBytes.avp(278, number: $0)] } ?? []
    let bytes = DiameterBytes.capabilities(more: state)
    var session = PeerSession(
      local: LocalNode(
        host: try #require(DiameterIdentity("eir.example.org")),
        realm: try #require(DiameterIdentity("example.org")), productName: "x", originStateID: 1),
      address: nil, requestNumber: 1)
    var chance = SeededGenerator(seed: 1)
    var watchdog = PeerWatchdog(interval: .seconds(30), asOf: .now(), using: &chance)
    var buffer = ByteBuffer()
    let message = bytes.span.bytes
    guard case .message(let header) = MessageFrame(in: message, at: 0, mostBytes: 4_096),
      case .admit(let peer) = session.received(header, message, watchdog: &watchdog, into: &buffer)
    else { throw DiameterPeer.Gone() }
    return peer
  }

  struct Row: Sendable {
    var old: (certified: Bool, host: String, state: UInt32?)
    var new: (certified: Bool, host: String, state: UInt32?)
    var isIn: Bool
    var probes: Int
  }

  @Test(
    arguments: [
      // It lives, and is asked.
      Row(old: (false, "a", nil), new: (false, "a", nil), isIn: false, probes: 1),
      // It has started anew, as far as can be told.
      Row(old: (false, "a", 5), new: (false, "a", 6), isIn: true, probes: 0),
      // Somebody elsewhere says so.
      Row(old: (false, "a", 5), new: (false, "b", 6), isIn: false, probes: 1),
      // It has proved who it is: a mere name never disturbs it, nor makes the node ask it.
      Row(old: (true, "a", 5), new: (false, "a", 6), isIn: false, probes: 0),
      Row(old: (true, "a", 5), new: (true, "b", 6), isIn: true, probes: 0),
      // Who proves it is let in before one who only says it.
      Row(old: (false, "a", 6), new: (true, "b", 5), isIn: true, probes: 0),
    ])
  func `a second connection of a peer`(row: Row) async throws {
    let peers = S13Peers(allowed: .any)
    let (old, new) = (Fake(), Fake())
    let first = try await peers.admit(
      try Self.capabilities(state: row.old.state),
      old.connection(certified: row.old.certified, host: row.old.host), asOf: .now()
    ).get()
    #expect(first == nil)
    let second = try await peers.admit(
      try Self.capabilities(state: row.new.state),
      new.connection(certified: row.new.certified, host: row.new.host), asOf: .now()
    ).get()
    #expect(second == (row.isIn ? nil : .unableToComply))
    #expect(old.isClosed.withLock { $0 } == row.isIn)
    #expect(old.probes.withLock { $0 } == row.probes)
    #expect(peers.openCount == 1)
  }

  @Test func `Origin-State-Id rises with every start, also where the clock goes back`() throws {
    let scratch = try Scratch()
    let now = Instant(secondsSinceEpoch: 1_800_000_000)
    let first = try OriginState.next(in: scratch.path, asOf: now)
    let second = try OriginState.next(in: scratch.path, asOf: now)
    let third = try OriginState.next(in: scratch.path, asOf: now.adding(seconds: -86_400))
    let fourth = try OriginState.next(in: scratch.path, asOf: now.adding(seconds: 60))
    #expect(
      [first, second, third, fourth] == [
        1_800_000_000, 1_800_000_001, 1_800_000_002, 1_800_000_060,
      ])
  }

  @Test func `a message that is never whole ends its connection`() async throws {
    var limits = S13Limits()
    limits.message = .milliseconds(50)
    limits.stream.tick = .milliseconds(10)
    let service = S13Service(
      s13: S13(
        local: LocalNode(
          host: try #require(DiameterIdentity("eir.example.org")),
          realm: try #require(DiameterIdentity("example.org")), productName: "x",
          originStateID: 1)), peers: S13Peers(allowed: .any), limits: limits,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { _, _ in .now(.white) }
    let listener = try await service.start(
      host: "127.0.0.1", port: 0, group: MultiThreadedEventLoopGroup.singleton)
    let peer = try await DiameterPeer.open(to: "127.0.0.1:\(listener.port)")
    let answer = try await peer.ask(DiameterBytes.checkRequest())
    #expect(answer.equipmentStatus == 0)
    try await peer.send(Array(DiameterBytes.checkRequest().prefix(100)))
    #expect(try await peer.ended())
    await listener.shutdown()
  }
}
