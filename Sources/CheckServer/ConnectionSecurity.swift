package import NIOCore

/// What a connection has proved of who is at its other end; its maker knows the type.
package final class ConnectionPeer: Sendable {
  package let value: any Sendable

  package init(_ value: any Sendable) { self.value = value }
}

/// What stands between the socket and the protocols and lets nothing pass before the peer has
/// proved who it is: in practice TLS.
package struct ConnectionSecurity: Sendable {
  /// Makes the handlers of a new connection, the socket's end first, on its event loop; throws
  /// where the connection is not wanted. `identify` is to be called there before the first byte of
  /// a request goes on.
  package typealias Handlers =
    @Sendable (
      _ channel: any Channel, _ identify: @escaping (any Sendable) -> Void
    ) throws -> [any ChannelHandler]

  let handlers: Handlers

  package init(handlers: @escaping Handlers) { self.handlers = handlers }
}

/// Ends the encryption before the socket's side is closed, so that the peer can tell the end of an
/// answer from a cut.
final class SecureFarewell: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  func triggerUserOutboundEvent(
    context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
  ) {
    if event is CloseAfterWriting { context.close(mode: .output, promise: nil) }
    context.triggerUserOutboundEvent(event, promise: promise)
  }
}
