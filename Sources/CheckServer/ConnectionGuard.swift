package import NIOCore

/// Told down the pipeline now and then, so that the protocols can look at their clocks.
package struct ConnectionTick: Sendable {
  package let now: NIODeadline
}

/// Asked of the guard by the protocols: send what is written, end our side, read on for a moment so
/// that the last words are not lost to a reset, then close.
package struct CloseAfterWriting: Sendable {
  package init() {}
}

/// Stands at the socket's end of the pipeline: gathers small writes into one, stops reading while
/// the peer does not, and closes connections that are silent or stuck.
final class ConnectionGuard: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  /// Writes of up to this many bytes are copied together; longer ones are passed on as they are.
  private static let smallWriteBytes = 2_048
  private static let gatheredBytes = 65_536

  private let limits: StreamLimits
  private var gathered = ByteBuffer()
  private var gatheredPromise: EventLoopPromise<Void>?
  private var lastRead = NIODeadline.now()
  private var unwritableSince: NIODeadline?
  private var hasHeldRead = false
  private var isFinishing = false
  private var isClosing = false
  private var ticker: RepeatedTask?

  init(limits: StreamLimits) { self.limits = limits }

  func handlerAdded(context: ChannelHandlerContext) {
    gathered = context.channel.allocator.buffer(capacity: 4_096)
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    ticker = context.eventLoop.scheduleRepeatedTask(
      initialDelay: limits.tick, delay: limits.tick
    ) { _ in
      let (handler, context) = bound.value
      handler.tick(context: context)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    ticker?.cancel()
    ticker = nil
    gatheredPromise?.fail(ChannelError.ioOnClosedChannel)
    gatheredPromise = nil
  }

  private func tick(context: ChannelHandlerContext) {
    guard !isClosing else { return }
    let now = NIODeadline.now()
    if let unwritableSince, now - unwritableSince > limits.stall {
      context.close(promise: nil)
    } else if now - lastRead > limits.idle + limits.stall {
      // The peer did not even answer the farewell below.
      context.close(promise: nil)
    } else if now - lastRead > limits.idle {
      userInboundEventTriggered(context: context, event: ChannelShouldQuiesceEvent())
    } else {
      context.fireUserInboundEventTriggered(ConnectionTick(now: now))
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent {
      guard !isFinishing else { return }  // NIO's HTTP/1.1 pipeline must be told only once.
      isFinishing = true
    }
    context.fireUserInboundEventTriggered(event)
  }
}

// MARK: - Reading

extension ConnectionGuard {
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isClosing else { return }
    context.fireChannelRead(data)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if !isClosing { lastRead = .now() }
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      context.read()
    } else {
      hasHeldRead = true
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      unwritableSince = nil
      if hasHeldRead {
        hasHeldRead = false
        context.read()
      }
    } else {
      unwritableSince = .now()
    }
    context.fireChannelWritabilityChanged()
  }
}

// MARK: - Writing

extension ConnectionGuard {
  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let part = unwrapOutboundIn(data)
    guard case .byteBuffer(let bytes) = part, bytes.readableBytes <= Self.smallWriteBytes else {
      passOnGathered(context: context)
      context.write(wrapOutboundOut(part), promise: promise)
      return
    }
    gathered.writeImmutableBuffer(bytes)
    if let promise {
      if let gatheredPromise {
        gatheredPromise.futureResult.cascade(to: promise)
      } else {
        gatheredPromise = promise
      }
    }
    if gathered.readableBytes > Self.gatheredBytes { passOnGathered(context: context) }
  }

  func flush(context: ChannelHandlerContext) {
    guard gathered.readableBytes > 0 else {
      context.flush()
      return
    }
    let promise = gatheredPromise
    gatheredPromise = nil
    // Writing may call back into the pipeline, which may write more.
    var bytes = ByteBuffer()
    swap(&bytes, &gathered)
    context.writeAndFlush(wrapOutboundOut(.byteBuffer(bytes)), promise: promise)
    guard gathered.readableBytes == 0 else { return }
    // By now the socket has usually taken the bytes: then the storage is used again.
    bytes.clear()
    gathered = bytes
  }

  private func passOnGathered(context: ChannelHandlerContext) {
    guard gathered.readableBytes > 0 else { return }
    context.write(wrapOutboundOut(.byteBuffer(gathered)), promise: gatheredPromise)
    gatheredPromise = nil
    gathered.clear()
  }

  func triggerUserOutboundEvent(
    context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
  ) {
    guard event is CloseAfterWriting else {
      context.triggerUserOutboundEvent(event, promise: promise)
      return
    }
    promise?.succeed()
    guard !isClosing else { return }
    isClosing = true
    flush(context: context)
    context.close(mode: .output, promise: nil)
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: limits.linger) { bound.value.close(promise: nil) }
  }
}
