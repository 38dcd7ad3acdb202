import CheckServer
import DeviceLists
import EIRNode
import EquipmentCheck
import Foundation
import NIOCore
import NIOPosix
import Simulation
import Synchronization
import Testing

/// The relay between sockets of the test, where the HLR is whatever a test needs.
struct GSUPRelayTests {
  private typealias Messages = GSUPMessages

  private struct Setting {
    let hlr: TCPServer
    let relay: RelayUnderTest

    func end() async {
      await relay.listener.shutdown()
      for peer in hlr.peers { await peer.close() }
      await hlr.stop()
    }
  }

  private static func setting(
    limits: GSUPLimits = GSUPLimits(), hlrReads: Bool = true, unknown: GSUPUnknown = .allow,
    decide: @escaping GSUPRelay.Decide = RelayUnderTest.byLastDigit
  ) async throws -> Setting {
    let hlr = try await TCPServer.start(reads: hlrReads)
    let relay = try await RelayUnderTest.start(
      hlr.port, unknown: unknown, limits: limits, decide: decide)
    return Setting(hlr: hlr, relay: relay)
  }

  /// Messages of any stream and of any length, device checks among them.
  private static func mixture(
    _ count: Int, using chance: inout SeededGenerator
  ) -> (sent: [UInt8], passed: [UInt8], answers: [[UInt8]]) {
    var mixture = (sent: [UInt8](), passed: [UInt8](), answers: [[UInt8]]())
    for _ in 0..<count {
      if Bool.random(using: &chance) {
        let number = UInt64.random(in: 0..<100, using: &chance)
        mixture.sent += Messages.check(number)
        mixture.answers.append(number % 10 == 1 ? Messages.refused : Messages.accepted)
      } else {
        let octets = (0..<Int.random(in: 0...400, using: &chance)).map { _ in
          UInt8.random(in: 0...255, using: &chance)
        }
        let streams: [UInt8] = [0x00, 0xFE, 0xFD, 0xFF, 0xEE]
        // None of them is a device check: its second octet would be 0x30.
        let message = Messages.ipa(
          streams.randomElement(using: &chance)!, octets.map { $0 == 0x30 ? 0x31 : $0 })
        mixture.sent += message
        mixture.passed += message
      }
    }
    return mixture
  }

  @Test(arguments: [1, 7, 100_000])
  func `both ways pass whole and in order, in pieces of any size`(piece: Int) async throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    let setting = try await Self.setting()
    let client = try await setting.relay.client()
    let hlr = try await setting.hlr.peer()
    let up = Self.mixture(piece == 1 ? 20 : 300, using: &chance)
    let down = Self.mixture(piece == 1 ? 20 : 300, using: &chance)
    async let upwards: Void = send(up.sent, in: piece, from: client)
    // What an HLR sends is never looked at, be it a device check or not.
    async let downwards: Void = send(down.sent, in: piece, from: hlr)
    _ = try await (upwards, downwards)
    let answers = up.answers.reduce(0) { $0 + $1.count }
    try await eventually("everything has come (\(hlr.received.count))") {
      hlr.received.count >= up.passed.count
        && client.received.count >= down.sent.count + answers
    }
    #expect(hlr.received == up.passed)
    // The answers stand between whole messages of the HLR, in their own order.
    var rest = client.messages
    let isAnswer = Set([Messages.accepted, Messages.refused])
    #expect(rest.filter { isAnswer.contains($0) } == up.answers)
    rest.removeAll { isAnswer.contains($0) }
    #expect(rest.flatMap { $0 } == down.sent)
    await setting.end()
  }

  private func send(_ octets: [UInt8], in piece: Int, from peer: TCPPeer) async throws {
    var rest = octets[...]
    while !rest.isEmpty {
      try await peer.send(Array(rest.prefix(piece)))
      rest = rest.dropFirst(piece)
    }
  }

  @Test(arguments: [(GSUPUnknown.allow, GSUPMessages.accepted), (.refuse, GSUPMessages.refused)])
  func `what is unknown is answered as it is set`(unknown: GSUPUnknown, answer: [UInt8])
    async throws
  {
    let setting = try await Self.setting(unknown: unknown)
    let client = try await setting.relay.client()
    try await client.send(Messages.check(0) + Messages.check(1) + Messages.check(3))
    try await eventually("three answers") { client.messages.count == 3 }
    #expect(client.messages == [answer, Messages.refused, Messages.accepted])
    await setting.end()
  }

  @Test func `what cannot be read is answered, counted, and not passed on`() async throws {
    let setting = try await Self.setting()
    let client = try await setting.relay.client()
    let hlr = try await setting.hlr.peer()
    try await client.send(
      Messages.gsup([0x30] + Messages.imsi) + Messages.gsup([0x30]) + Messages.ping)
    try await eventually("the message behind") { hlr.received == Messages.ping }
    // It comes over another connection.
    try await eventually("the answer") { !client.messages.isEmpty }
    #expect(client.messages == [Messages.gsup([0x31] + Messages.imsi + [0x02, 0x01, 0x60])])
    #expect(setting.relay.health.counts.illFormed == 2)
    await setting.end()
  }
}

// MARK: - Answers that come later

extension GSUPRelayTests {
  /// Answers when it is told to.
  private final class Later: Sendable {
    private let promises = Mutex<[EventLoopPromise<CheckAnswer>]>([])

    var count: Int { promises.withLock { $0.count } }

    var decide: GSUPRelay.Decide {
      { _, _ in
        let promise = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: CheckAnswer.self)
        self.promises.withLock { $0.append(promise) }
        return .later(promise.futureResult)
      }
    }

    func answer(_ number: Int, _ answer: CheckAnswer) {
      promises.withLock { $0[number] }.succeed(answer)
    }
  }

  @Test func `a check that waits holds up nothing else, and none is lost`() async throws {
    let later = Later()
    let setting = try await Self.setting(decide: later.decide)
    let client = try await setting.relay.client()
    let hlr = try await setting.hlr.peer()
    try await client.send(Messages.check(1) + Messages.check(2) + Messages.ping)
    try await eventually("the message behind") { hlr.received == Messages.ping }
    try await hlr.send(Messages.pong)
    try await eventually("the answer to it") { client.received == Messages.pong }
    later.answer(1, .black)
    try await eventually("the second answer") { client.messages.last == Messages.refused }
    later.answer(0, .white)
    try await eventually("the first answer") { client.messages.last == Messages.accepted }
    #expect(client.messages.count == 3)
    await setting.end()
  }

  @Test func `more waiting checks than allowed are not read yet`() async throws {
    let later = Later()
    var limits = GSUPLimits()
    limits.waitingChecks = 2
    let setting = try await Self.setting(limits: limits, decide: later.decide)
    let client = try await setting.relay.client()
    _ = try await setting.hlr.peer()
    for count in 1...2 {
      try await client.send(Messages.check(1))
      try await eventually("the question") { later.count == count }
    }
    client.push(Messages.check(1))
    later.answer(0, .white)
    try await eventually("the third question") { later.count == 3 }
    #expect(client.messages.count == 1)
    later.answer(1, .black)
    later.answer(2, .black)
    try await eventually("the answers") { client.messages.count == 3 }
    await setting.end()
  }

  @Test(arguments: [true, false])
  func `who is let go gets the answers that are still to come`(isShutdown: Bool) async throws {
    let later = Later()
    let setting = try await Self.setting(decide: later.decide)
    let client = try await setting.relay.client()
    let hlr = try await setting.hlr.peer()
    try await client.send(Messages.check(1))
    try await eventually("the question") { later.count == 1 }
    async let shutdown: Void = isShutdown ? setting.relay.listener.shutdown() : ()
    if !isShutdown {
      await hlr.close()
      try await eventually("the HLR is missed") { setting.relay.health.counts.hlrEnded == 1 }
    }
    #expect(!client.isClosed)
    later.answer(0, .black)
    try await eventually("the client is let go") { client.isClosed }
    #expect(client.messages == [Messages.refused])
    await shutdown
    try await eventually("so is the HLR") { hlr.isClosed }
    try await eventually("none is left") { setting.relay.health.counts.connections == 0 }
    await setting.end()
  }
}

// MARK: - An HLR that does not accept

extension GSUPRelayTests {
  /// A port whose queue is full, so that one more connection is neither accepted nor refused.
  private static func silentPort() async throws -> (port: Int, end: @Sendable () async -> Void) {
    let group = MultiThreadedEventLoopGroup.singleton
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1)
      .serverChannelOption(.autoRead, value: false)
      .bind(host: "127.0.0.1", port: 0).get()
    let port = channel.localAddress?.port ?? 0
    let peers = Mutex<[TCPPeer]>([])
    try await eventually("the queue is full") {
      let peer = try? await TCPPeer.connect("127.0.0.1", port, within: .milliseconds(300))
      guard let peer else { return true }
      peers.withLock { $0.append(peer) }
      return false
    }
    return (
      port,
      {
        for peer in peers.withLock({ $0 }) { await peer.close() }
        try? await channel.close().get()
      }
    )
  }

  @Test func `while the HLR does not accept, devices are checked; then the client is let go`()
    async throws
  {
    let silent = try await Self.silentPort()
    var limits = GSUPLimits()
    limits.connect = .seconds(2)
    limits.heldOctets = 50_000
    let relay = try await RelayUnderTest.start(silent.port, limits: limits)
    let client = try await relay.client()
    try await client.send(Messages.identity("MSC-1") + Messages.check(1) + Messages.check(2))
    try await eventually("both answers") { client.messages.count == 2 }
    #expect(!client.isClosed)
    client.push(Self.flood)
    try await eventually("the client must wait") { !client.isWritable }
    try await eventually("the client is let go") { client.isClosed }
    #expect(client.messages == [Messages.refused, Messages.accepted])
    #expect(relay.health.counts.hlrLost == 1)
    await relay.listener.shutdown()
    await silent.end()
  }
}

// MARK: - Limits

extension GSUPRelayTests {
  /// Larger than what sockets and relay keep together.
  private static let flood = (0..<16_000).flatMap { _ in
    GSUPMessages.ipa(0xFE, [UInt8](repeating: 0x55, count: 997))
  }

  @Test func `an HLR that does not read stops its client, and loses nothing`() async throws {
    let setting = try await Self.setting(hlrReads: false)
    let client = try await setting.relay.client()
    let hlr = try await setting.hlr.peer()
    client.push(Self.flood)
    try await eventually("the client must wait") { !client.isWritable }
    try await hlr.startReading()
    try await eventually("everything has come") { hlr.received.count == Self.flood.count }
    #expect(hlr.received == Self.flood)
    await setting.end()
  }

  @Test func `a client that does not read stops its HLR, and loses nothing`() async throws {
    let setting = try await Self.setting()
    let client = try await setting.relay.client(reads: false)
    let hlr = try await setting.hlr.peer()
    hlr.push(Self.flood)
    try await eventually("the HLR must wait") { !hlr.isWritable }
    try await client.startReading()
    try await eventually("everything has come") { client.received.count == Self.flood.count }
    #expect(client.received == Self.flood)
    await setting.end()
  }

  @Test func `an HLR that never reads is given up, and its client with it`() async throws {
    var limits = GSUPLimits()
    limits.stream.stall = .milliseconds(300)
    limits.stream.tick = .milliseconds(50)
    let setting = try await Self.setting(limits: limits, hlrReads: false)
    let client = try await setting.relay.client()
    _ = try await setting.hlr.peer()
    client.push(Self.flood)
    try await eventually("the client is let go") { client.isClosed }
    #expect(setting.relay.health.counts.hlrEnded == 1)
    await setting.end()
  }

  @Test func `beyond the limit on connections nobody is let in`() async throws {
    var limits = GSUPLimits()
    limits.stream.connections = 1
    let setting = try await Self.setting(limits: limits)
    let first = try await setting.relay.client()
    _ = try await setting.hlr.peer()
    let second = try await setting.relay.client()
    try await eventually("the second is let go") { second.isClosed }
    try await first.send(Messages.check(1))
    try await eventually("the first is served") { first.messages == [Messages.refused] }
    #expect(setting.hlr.peers.count == 1)
    await setting.end()
  }

  @Test func `what a client says before it leaves reaches the HLR`() async throws {
    let setting = try await Self.setting()
    let client = try await setting.relay.client()
    let hlr = try await setting.hlr.peer()
    try await eventually("the relay has its client") {
      setting.relay.health.counts.connections == 1
    }
    let words = Array(Self.flood.prefix(300_000))
    try await client.send(words)
    await client.close()
    try await eventually("the HLR is let go") { hlr.isClosed }
    #expect(hlr.received == words)
    await setting.end()
  }
}
