import NIOCore
import NIOHPACK

/// Answers HTTP/2 (RFC 9113) on the connection's own channel: no channel, object or promise for a
/// stream, and no state at all for a request without a body whose answer fits the peer's windows.
///
/// Bytes in, bytes out: a burst that was read is answered by one write. NIO's own HTTP/2 handler
/// takes several times the processor time for each request.
final class HTTP2CheckHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Phase {
    case serving
    /// GOAWAY is sent; requests that crossed it are still answered until the PING comes back.
    case warned
    /// The last stream is named; the connection closes with it.
    case finishing
    case closed
  }

  static let prefaceBytes = 24

  let limits: CheckServerLimits
  let responder: any CheckResponder
  let origin: PeerOrigin
  let identity: ConnectionPeer?
  var phase = Phase.serving

  // Reading.
  var held = ByteBuffer()
  var prefaceLeft = HTTP2CheckHandler.prefaceBytes
  var hasSettings = false
  var decoder: HPACKDecoder
  var fragments: HeaderFragments?
  var receiveWindow: Int
  var controlFrames: RateLimit
  var resets: RateLimit
  var streamErrors: RateLimit

  // Streams.
  var streams: [UInt32: HTTP2Stream] = [:]
  var lastStream: UInt32 = 0
  /// The last that is served once the farewell has named it.
  var lastServed = UInt32.max
  var recentlyReset = RecentStreams()
  var bufferedBodyBytes = 0

  // Writing.
  var out = ByteBuffer()
  var date = DateLine()
  var dateBlock: [UInt8] = []
  var hasSentBlock = false
  var peer = PeerSettings()
  var sendWindow = HTTP2Frame.windowDefault
  /// Streams with something to send, in turn.
  var sendQueue = CircularBuffer<UInt32>()
  var unsentBytes = 0

  // Moves whenever a stream does; what stands still too long is closed.
  var progress = 0
  private var progressAtTick = 0
  private var lastProgress = NIODeadline.now()
  private var isInBurst = false

  init(
    limits: CheckServerLimits, responder: any CheckResponder, origin: PeerOrigin,
    identity: ConnectionPeer?
  ) {
    self.origin = origin
    self.limits = limits
    self.responder = responder
    self.identity = identity
    decoder = HPACKDecoder(
      allocator: ByteBufferAllocator(), maxDynamicTableSize: HPACKDecoder.maxDynamicTableSize,
      maxHeaderListSize: max(limits.headerListBytes, limits.readHeaderListBytes))
    receiveWindow = limits.connectionWindow
    controlFrames = RateLimit(limits.controlFrames, in: limits.rateWindow)
    resets = RateLimit(limits.resets, in: limits.rateWindow)
    streamErrors = RateLimit(limits.streamErrors, in: limits.rateWindow)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    out = context.channel.allocator.buffer(capacity: 4_096)
    out.writeSettings([
      (.concurrentStreams, limits.concurrentStreams),
      (.initialWindowSize, limits.streamWindow),
      (.headerListSize, limits.headerListBytes),
    ])
    let more = receiveWindow - HTTP2Frame.windowDefault
    if more > 0 { out.writeWindowUpdate(0, increment: more) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard phase != .closed else { return }
    if !isInBurst {
      isInBurst = true
      updateDate()
    }
    var bytes = unwrapInboundIn(data)
    if held.readableBytes > 0 {
      held.writeBuffer(&bytes)
      swap(&held, &bytes)
      held.clear()
    }
    do throws(HTTP2Failure) {
      try read(&bytes, context: context)
    } catch {
      fail(error.code, context: context)
      return
    }
    held = bytes
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isInBurst = false
    send(context: context)
    context.fireChannelReadComplete()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { send(context: context) }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    phase = .closed
    streams = [:]
    sendQueue.removeAll()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case let tick as ConnectionTick:
      answerOverdue(at: tick.now, context: context)
      look(at: tick.now, context: context)
    case is ChannelShouldQuiesceEvent: warn(context: context)
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  func updateDate() {
    if date.update() { dateBlock = HeaderBlock.date(date.value).bytes }
  }

  /// Answers what was to be answered later and has not been in time.
  private func answerOverdue(at now: NIODeadline, context: ChannelHandlerContext) {
    let overdue = streams.filter { _, open in
      open.phase == .awaiting && now - open.awaitingSince > limits.answer
    }
    guard !overdue.isEmpty else { return }
    updateDate()
    for stream in overdue.keys { finish(stream, with: responder.answer(to: .notInTime)) }
    send(context: context)
  }

  /// Closes a connection whose streams have all stood still for too long, unless we are the cause.
  private func look(at now: NIODeadline, context: ChannelHandlerContext) {
    let isOurTurn = streams.values.contains { $0.phase == .awaiting }
    if progress != progressAtTick || streams.isEmpty || isOurTurn {
      progressAtTick = progress
      lastProgress = now
    } else if now - lastProgress > limits.stall {
      fail(.enhanceYourCalm, context: context)
    }
  }
}

// MARK: - Farewell

extension HTTP2CheckHandler {
  static let farewell: UInt64 = 0x6661_7265_7765_6C6C

  /// First GOAWAY with the highest number and a PING: what comes before its echo is still served.
  /// RFC 9113, 6.8.
  private func warn(context: ChannelHandlerContext) {
    guard phase == .serving else { return }
    phase = .warned
    out.writeGoAway(lastStream: UInt32(Int32.max), .none)
    out.writePing(Self.farewell)
    send(context: context)
  }

  func nameLastStream() {
    guard phase == .warned else { return }
    phase = .finishing
    lastServed = lastStream
    out.writeGoAway(lastStream: lastStream, .none)
  }

  func closeIfFinished(context: ChannelHandlerContext) {
    guard phase == .finishing, streams.isEmpty else { return }
    close(context: context)
  }

  func fail(_ code: HTTP2ErrorCode, context: ChannelHandlerContext) {
    guard phase != .closed else { return }
    out.writeGoAway(lastStream: lastStream, code)
    close(context: context)
  }

  private func close(context: ChannelHandlerContext) {
    phase = .closed
    flush(context: context)
    held = ByteBuffer()
    streams = [:]
    sendQueue.removeAll()
    context.triggerUserOutboundEvent(CloseAfterWriting(), promise: nil)
  }
}

extension CheckServerLimits {
  /// A peer may send this much before it has read our settings, so less cannot be asked.
  var connectionWindow: Int { window(connectionWindowBytes) }
  var streamWindow: Int { window(streamWindowBytes) }

  private func window(_ bytes: Int) -> Int {
    min(max(bytes, HTTP2Frame.windowDefault), HTTP2Frame.windowMax)
  }
}
