package import CheckServer
package import DeviceLists
import Diameter
package import EquipmentCheck
package import Logging
package import NIOCore

/// What all connections of one listener share.
package struct S13Service: Sendable {
  /// What decides: called on the event loop, so it must not wait.
  package typealias Decide = @Sendable (CheckQuery, any EventLoop) -> Judge.Reply<CheckAnswer>

  let s13: S13
  let peers: S13Peers
  let limits: S13Limits
  let watchdog: TimeAmount
  let logger: Logger
  let decide: Decide

  package init(
    s13: S13, peers: S13Peers, limits: S13Limits = .init(), watchdog: TimeAmount = .seconds(30),
    logger: Logger, decide: @escaping Decide
  ) {
    self.s13 = s13
    self.peers = peers
    self.limits = limits
    self.watchdog = watchdog
    self.logger = logger
    self.decide = decide
  }

  init(
    _ settings: S13Settings, peers: S13Peers, originStateID: UInt32, logger: Logger,
    decide: @escaping Decide
  ) {
    let local = LocalNode(
      host: settings.host, realm: settings.realm, productName: "OpenCEIR",
      originStateID: originStateID)
    self.init(
      s13: S13(local: local, realms: settings.realms), peers: peers,
      watchdog: .seconds(Int64(settings.watchdogSeconds)), logger: logger, decide: decide)
  }

  /// Who is silent is the watchdog's to find, which asks first: longer than three of its waits.
  var streamLimits: StreamLimits {
    var stream = limits.stream
    stream.idle = max(stream.idle, watchdog * 4)
    return stream
  }

  /// - Parameter port: 0 for any free one.
  package func start(
    host: String, port: Int, group: any EventLoopGroup, security: ConnectionSecurity? = nil
  ) async throws(CheckServerError) -> StreamListener {
    try await StreamListener.start(
      host: host, port: port, group: group, limits: streamLimits, security: security,
      handlers: handlers)
  }

  /// On a bound socket, which is then the listener's.
  func start(
    socket: Int32, port: Int, group: any EventLoopGroup
  ) async throws -> StreamListener {
    try await StreamListener.start(
      socket: socket, port: port, group: group, limits: streamLimits, handlers: handlers)
  }

  private func handlers(of channel: any Channel) -> StreamListener.Handlers {
    let handler = S13Handler(self, channel: channel)
    return StreamListener.Handlers([handler]) { peer in
      handler.certified = (peer.value as? CertificateNames)?.names ?? []
    }
  }
}

/// Answers one Diameter connection on its event loop: what comes in one read is answered in one
/// write.
final class S13Handler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let service: S13Service
  let since = NIODeadline.now()
  let address: String
  /// Whom the peer's certificate names; nil where none is asked for.
  var certified: [String]?
  var session: PeerSession
  var watchdog: PeerWatchdog
  var chance = SystemRandomNumberGenerator()
  /// What has come and is not yet a whole message.
  private var received = ByteBuffer()
  /// Since when a message has begun to come and is not whole.
  private(set) var unfinishedSince: NIODeadline?
  var answers = ByteBuffer()
  /// Requests that wait for the CEIR.
  private var pendingCount = 0
  private var pendingBytes = 0
  /// Whether what this connection holds is told to ``S13Memory``.
  var isAccounted = false
  /// Nothing is looked at until it is known whether the peer may come in.
  var isHeld = false
  /// Nothing more is looked at; what waits for the CEIR is still answered.
  private var isClosing = false
  /// Those who want to know whether the peer lives.
  var probes: [EventLoopPromise<Bool>] = []

  init(_ service: S13Service, channel: any Channel) {
    self.service = service
    address =
      channel.remoteAddress.map { remote in
        SocketAddress(host: remote.ipAddress ?? "?", port: remote.port ?? 0).description
      } ?? "?"
    session = PeerSession(
      local: service.s13.local, address: channel.localAddress.flatMap { PeerAddress($0) },
      requestNumber: .random(in: 0 ... .max))
    watchdog = PeerWatchdog(interval: service.watchdog, asOf: .now(), using: &chance)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isClosing else { return }
    var bytes = unwrapInboundIn(data)
    watchdog.heard(asOf: .now())
    for probe in probes { probe.succeed(true) }
    probes = []
    if received.readableBytes == 0 {
      received = bytes
    } else {
      received.writeBuffer(&bytes)
    }
    if isHeld {
      if received.readableBytes > service.limits.heldBytes { context.close(promise: nil) }
      return
    }
    readMessages(context: context)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    send(context: context)
    account(context: context)
    context.fireChannelReadComplete()
  }

  /// Beside answers that are on their way.
  var heldBytes: Int {
    (received.readableBytes > 0 ? received.storageCapacity : 0) + pendingBytes
  }

  /// Answers every whole message that has come.
  func readMessages(context: ChannelHandlerContext) {
    var bytes = ByteBuffer()
    swap(&bytes, &received)
    let used = readMessages(in: bytes.readableBytesSpan, context: context)
    bytes.moveReaderIndex(forwardBy: used)
    if used > 0 { unfinishedSince = nil }
    guard bytes.readableBytes > 0, !isClosing else { return }
    if unfinishedSince == nil { unfinishedSince = .now() }
    bytes.discardReadBytes()
    received = bytes
  }

  /// How many bytes were whole messages.
  private func readMessages(in bytes: RawSpan, context: ChannelHandlerContext) -> Int {
    var offset = 0
    while !isHeld, !isClosing {
      switch MessageFrame(in: bytes, at: offset, mostBytes: service.limits.messageBytes) {
      case .incomplete: return offset
      case .broken(let header, let refusal):
        service.peers.countRefusal(refusal.code)
        session.broken(header, refusal, into: &answers)
        close(context: context)
      case .message(let header):
        let message = bytes.extracting(offset..<offset + header.length)
        take(header, message, context: context)
        offset += header.length
      }
    }
    return offset
  }

  private func take(
    _ header: DiameterHeader, _ message: RawSpan, context: ChannelHandlerContext
  ) {
    switch session.received(header, message, watchdog: &watchdog, into: &answers) {
    case .request: answer(header, message, context: context)
    case .goOn: break
    case .refused(let code): service.peers.countRefusal(code)
    case .admit(let peer): admit(peer, context: context)
    case .close(let code):
      if let code { refused(code) }
      close(context: context)
    }
  }

  private func answer(
    _ header: DiameterHeader, _ message: RawSpan, context: ChannelHandlerContext
  ) {
    do throws(DiameterRefusal) {
      let request = try service.s13.request(header, message)
      switch service.decide(request.query, context.eventLoop) {
      case .now(let answer):
        service.s13.write(answer, to: request, message, into: &answers)
      case .later(let answer):
        guard pendingCount < service.limits.pendingAnswers else {
          throw DiameterRefusal(.tooBusy)
        }
        wait(for: answer, to: request, message, context: context)
      }
    } catch {
      service.peers.countRefusal(error.code)
      service.s13.write(error, to: header, message, into: &answers)
    }
  }

  /// Others may be answered before this one: the peer knows them by their numbers.
  private func wait(
    for answer: EventLoopFuture<CheckAnswer>, to request: S13Request, _ message: RawSpan,
    context: ChannelHandlerContext
  ) {
    pendingCount += 1
    pendingBytes += message.byteCount
    var kept = ByteBuffer()
    kept.writeBytes(of: message, 0..<message.byteCount)
    answer.assumeIsolated().whenComplete { [self] result in
      pendingCount -= 1
      pendingBytes -= kept.readableBytes
      guard context.channel.isActive else { return }
      switch result {
      case .success(let answer):
        service.s13.write(answer, to: request, kept.readableBytesSpan, into: &answers)
      case .failure:
        service.peers.countRefusal(.unableToComply)
        service.s13.write(
          DiameterRefusal(.unableToComply), to: request.header, kept.readableBytesSpan,
          into: &answers)
      }
      send(context: context)
      account(context: context)
      if isClosing { closeIfAnswered(context: context) }
    }
  }

  func send(context: ChannelHandlerContext) {
    guard answers.readableBytes > 0 else { return }
    var bytes = context.channel.allocator.buffer(
      capacity: min(answers.capacity, service.limits.answerBytes))
    swap(&bytes, &answers)
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }

  /// Ends the connection once every request is answered and what is written is sent.
  func close(context: ChannelHandlerContext) {
    guard !isClosing else { return }
    isClosing = true
    send(context: context)
    closeIfAnswered(context: context)
  }

  private func closeIfAnswered(context: ChannelHandlerContext) {
    guard pendingCount == 0 else { return }
    context.triggerUserOutboundEvent(CloseAfterWriting(), promise: nil)
  }
}
