import CheckServer
import NIOCore

/// The client's end of a ``GSUPConnection``.
final class GSUPClientHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let connection: GSUPConnection

  init(_ connection: GSUPConnection) { self.connection = connection }

  func channelActive(context: ChannelHandlerContext) {
    connection.opened(context)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.clientSent(unwrapInboundIn(data))
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    connection.flush()
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    if connection.mayReadClient() { context.read() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    connection.clientWritabilityChanged()
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent {
      connection.finish()
    } else if let tick = event as? ConnectionTick {
      connection.tick(tick.now)
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.clientLeft()
    context.fireChannelInactive()
  }

  /// A reset, most often.
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// The HLR's end of a ``GSUPConnection``.
final class GSUPHLRHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let connection: GSUPConnection

  init(_ connection: GSUPConnection) { self.connection = connection }

  func channelActive(context: ChannelHandlerContext) {
    connection.reachedHLR(context)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.hlrSent(unwrapInboundIn(data))
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    connection.flush()
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    if connection.mayReadHLR() { context.read() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    connection.hlrWritabilityChanged()
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent { connection.hlrLeft(.ended("it closed")) }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.hlrLeft(.ended("its connection ended"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    connection.hlrLeft(.ended("\(error)"))
    context.close(promise: nil)
  }
}
