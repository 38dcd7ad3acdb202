import CheckServer
import DeviceLists
import EquipmentCheck
import NIOCore

/// One client and its connection to the HLR, both on one event loop.
///
/// Of each way the order is kept. Answers of ours stand between whole messages of the HLR.
final class GSUPConnection {
  /// How the HLR's connection is.
  private enum HLR {
    case connecting
    case open(ChannelHandlerContext)
    /// Gone, or of no use any more.
    case gone
  }

  /// Why the HLR's connection is no more.
  enum HLRFarewell {
    case unreachable(String)
    /// After it was accepted.
    case ended(String)
  }

  private let relay: GSUPRelay
  private let eventLoop: any EventLoop

  /// Nil before and after the connection.
  private var client: ChannelHandlerContext?
  private var origin = PeerOrigin(nil)
  private var openedAt = NIODeadline.now()
  private var hasHeardClient = false
  private var hlr = HLR.connecting
  private var fromClient = IPABuffer()
  private var fromHLR = IPABuffer()
  private var hasHeardHLR = false
  /// For the HLR, until it accepts the connection and what has come in one read is looked at. One
  /// piece, for a message may have three octets only.
  private var forHLR = ByteBuffer()
  /// Checks whose answer is to come.
  private var waiting = 0
  /// Nothing more is taken from the client, which is let go when it has its answers.
  private var isFinishing = false
  private var isClosing = false
  private var hasHeldClientRead = false
  private var hasHeldHLRRead = false
  private var hlrUnwritableSince: NIODeadline?

  init(_ relay: GSUPRelay, on eventLoop: any EventLoop) {
    self.relay = relay
    self.eventLoop = eventLoop
  }

  func opened(_ context: ChannelHandlerContext) {
    origin = PeerOrigin(context.remoteAddress)
    guard relay.clients.admit(origin, most: relay.limits.connectionsOfOneAddress) else {
      context.close(promise: nil)
      return
    }
    client = context
    openedAt = .now()
    relay.health.opened()
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    relay.connect(bound).whenFailure { error in bound.value.hlrLeft(.unreachable("\(error)")) }
  }

  func flush() {
    client?.flush()
    if case .open(let context) = hlr { flush(toHLR: context) }
  }

  private func flush(toHLR context: ChannelHandlerContext) {
    guard forHLR.readableBytes > 0 else { return }
    var octets = ByteBuffer()
    swap(&octets, &forHLR)
    context.writeAndFlush(NIOAny(octets), promise: nil)
  }

  /// Takes no more from the client, and closes when every check has its answer.
  func finish() {
    isFinishing = true
    guard waiting == 0, !isClosing, let client else { return }
    isClosing = true
    client.flush()
    client.triggerUserOutboundEvent(CloseAfterWriting(), promise: nil)
    readClientAgain()
  }

  func tick(_ now: NIODeadline) {
    if !hasHeardClient, now - openedAt > relay.limits.firstMessage { finish() }
    guard let hlrUnwritableSince, now - hlrUnwritableSince > relay.limits.stream.stall,
      case .open = hlr
    else { return }
    hlrLeft(.ended("it does not read"))
  }
}

// MARK: - The client

extension GSUPConnection {
  func clientSent(_ octets: ByteBuffer) {
    guard !isFinishing else { return }
    fromClient.append(octets)
    while let message = fromClient.next() {
      hasHeardClient = true
      if GSUPCheck.isRequest(message.readableBytesUInt8Span) {
        check(Array(message.readableBytesView))
      } else {
        passOn(message)
      }
    }
  }

  private func passOn(_ message: ByteBuffer) {
    if case .gone = hlr { return }
    forHLR.writeImmutableBuffer(message)
  }

  private func check(_ message: [UInt8]) {
    guard let check = GSUPCheck(message) else { return relay.health.illFormed() }
    switch check.question {
    case .illFormed(let cause):
      relay.health.illFormed()
      answer(check, .error(cause))
    case .query(let query):
      let unknown = relay.settings.unknown
      switch relay.decide(query, eventLoop) {
      case .now(let answer): self.answer(check, GSUPAnswer(answer, unknown: unknown))
      case .later(let answer):
        waiting += 1
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        answer.hop(to: eventLoop).whenComplete { result in
          let answer = (try? result.get()) ?? .unknown
          bound.value.answered(check, GSUPAnswer(answer, unknown: unknown))
        }
      }
    }
  }

  private func answer(_ check: GSUPCheck, _ answer: GSUPAnswer) {
    guard let client, !isClosing else { return }
    client.write(NIOAny(ByteBuffer(bytes: check.message(answer))), promise: nil)
  }

  /// What had to wait for the registry.
  private func answered(_ check: GSUPCheck, _ answer: GSUPAnswer) {
    waiting -= 1
    self.answer(check, answer)
    client?.flush()
    if isFinishing { finish() } else { readClientAgain() }
  }

  /// While the HLR does not take what is meant for it, the client has to wait.
  private var canTakeMore: Bool {
    guard !isFinishing, waiting < relay.limits.waitingChecks else { return false }
    switch hlr {
    case .connecting: return forHLR.readableBytes < relay.limits.heldOctets
    case .open(let context): return context.channel.isWritable
    case .gone: return false
    }
  }

  func mayReadClient() -> Bool {
    // The end of the client must be seen also while it is let go.
    if canTakeMore || isClosing { return true }
    hasHeldClientRead = true
    return false
  }

  private func readClientAgain() {
    guard hasHeldClientRead, canTakeMore || isClosing else { return }
    hasHeldClientRead = false
    client?.read()
  }

  func clientWritabilityChanged() {
    guard let client, client.channel.isWritable, hasHeldHLRRead else { return }
    hasHeldHLRRead = false
    if case .open(let context) = hlr { context.read() }
  }

  /// What it has sent still reaches an HLR that is connected.
  func clientLeft() {
    guard client != nil else { return }
    client = nil
    relay.clients.remove(origin)
    relay.health.closed()
    isFinishing = true
    guard case .open(let context) = hlr else {
      hlr = .gone
      return
    }
    hlr = .gone
    flush(toHLR: context)
    context.close(mode: .output, promise: nil)
    let bound = NIOLoopBound(context, eventLoop: eventLoop)
    eventLoop.scheduleTask(in: relay.limits.stream.linger) { bound.value.close(promise: nil) }
    if hasHeldHLRRead { context.read() }
  }
}

// MARK: - The HLR

extension GSUPConnection {
  func reachedHLR(_ context: ChannelHandlerContext) {
    guard client != nil, !isClosing, case .connecting = hlr else {
      hlr = .gone
      context.close(promise: nil)
      return
    }
    hlr = .open(context)
    flush(toHLR: context)
    readClientAgain()
  }

  func hlrSent(_ octets: ByteBuffer) {
    guard let client, !isClosing else { return }
    if !hasHeardHLR {
      hasHeardHLR = true
      relay.health.reached()
    }
    fromHLR.append(octets)
    while let message = fromHLR.next() { client.write(NIOAny(message), promise: nil) }
  }

  func mayReadHLR() -> Bool {
    if client?.channel.isWritable ?? true { return true }
    hasHeldHLRRead = true
    return false
  }

  func hlrWritabilityChanged() {
    guard case .open(let context) = hlr else { return }
    hlrUnwritableSince = context.channel.isWritable ? nil : .now()
    readClientAgain()
  }

  /// The client is let go, after the answers that it still has to get.
  func hlrLeft(_ farewell: HLRFarewell) {
    if case .gone = hlr { return }
    // First, for closing calls back.
    let former = hlr
    hlr = .gone
    forHLR = ByteBuffer()
    hlrUnwritableSince = nil
    if case .open(let context) = former { context.close(promise: nil) }
    guard let client, !isClosing else { return }
    switch farewell {
    case .unreachable(let reason): relay.health.lost(reason)
    case .ended(let reason):
      relay.health.ended(reason, client: client.remoteAddress?.ipAddress ?? "unknown")
    }
    finish()
  }
}
