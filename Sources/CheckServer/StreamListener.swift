package import NIOCore
import NIOPosix

/// A listener for TCP whose connections are counted, guarded against peers that are silent or do
/// not read, and ended in good order. What is spoken on them is its user's.
package struct StreamListener: Sendable {
  /// The protocol of one new connection.
  package struct Handlers {
    /// The socket's end first.
    package var handlers: [any ChannelHandler]
    /// Told who is at the other end, before the first byte, where there is a
    /// ``ConnectionSecurity``.
    package var identified: (ConnectionPeer) -> Void

    package init(
      _ handlers: [any ChannelHandler], identified: @escaping (ConnectionPeer) -> Void = { _ in }
    ) {
      self.handlers = handlers
      self.identified = identified
    }
  }

  /// The port listened on, also where any free one was asked for.
  package let port: Int
  private let listener: any Channel
  private let connections: ConnectionTable
  private let limits: StreamLimits

  /// - Parameters:
  ///   - port: 0 for any free one.
  ///   - security: nil for plain connections.
  ///   - turningAway: for connections beyond the limit; without it they are closed at once.
  ///   - handlers: called on the event loop of each new connection.
  package static func start(
    host: String, port: Int, group: any EventLoopGroup, limits: StreamLimits,
    security: ConnectionSecurity? = nil,
    turningAway: (@Sendable (any Channel) throws -> Handlers)? = nil,
    handlers: @escaping @Sendable (any Channel) throws -> Handlers
  ) async throws(CheckServerError) -> StreamListener {
    let connections = ConnectionTable(
      limit: limits.connections, turnedAwayLimit: turningAway == nil ? 0 : limits.turnedAway)
    let bootstrap = bootstrap(group, limits, connections, security, turningAway, handlers)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
    do {
      let listener = try await bootstrap.bind(host: host, port: port).get()
      return StreamListener(
        port: listener.localAddress?.port ?? port, listener: listener, connections: connections,
        limits: limits)
    } catch {
      throw CheckServerError(cannotListenOn: host, port: port, reason: error)
    }
  }

  /// On a socket of any kind that is bound and takes streams, which is then the listener's.
  package static func start(
    socket: NIOBSDSocket.Handle, port: Int, group: any EventLoopGroup, limits: StreamLimits,
    handlers: @escaping @Sendable (any Channel) throws -> Handlers
  ) async throws -> StreamListener {
    let connections = ConnectionTable(limit: limits.connections, turnedAwayLimit: 0)
    let listener = try await bootstrap(group, limits, connections, nil, nil, handlers)
      .withBoundSocket(socket).get()
    return StreamListener(
      port: port, listener: listener, connections: connections, limits: limits)
  }

  private static func bootstrap(
    _ group: any EventLoopGroup, _ limits: StreamLimits, _ connections: ConnectionTable,
    _ security: ConnectionSecurity?,
    _ turningAway: (@Sendable (any Channel) throws -> Handlers)?,
    _ handlers: @escaping @Sendable (any Channel) throws -> Handlers
  ) -> ServerBootstrap {
    ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1_024)
      // One read takes a burst: a second one would only find the socket empty.
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(
        .writeBufferWaterMark,
        value: .init(low: limits.unwrittenBytes / 4, high: limits.unwrittenBytes)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let place = connections.admit(channel) else {
            throw ChannelError.operationUnsupported
          }
          channel.closeFuture.whenComplete { _ in connections.remove(channel) }
          let ours: Handlers
          if place == .turnedAway, let turningAway {
            close(channel, within: limits.turnAway)
            ours = try turningAway(channel)
          } else {
            ours = try handlers(channel)
          }
          var all: [any ChannelHandler] = [ConnectionGuard(limits: limits)]
          if let security {
            all += try security.handlers(channel) { ours.identified(ConnectionPeer($0)) }
            all.append(SecureFarewell())
          }
          try channel.pipeline.syncOperations.addHandlers(all + ours.handlers)
        }
      }
  }

  private static func close(_ channel: any Channel, within patience: TimeAmount) {
    let timer = channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
    channel.closeFuture.whenComplete { _ in timer.cancel() }
  }

  package var openConnections: Int { connections.count }

  /// Accepts no more, asks every connection to finish (`ChannelShouldQuiesceEvent`), waits for them
  /// up to ``StreamLimits/drain``, then closes what is left.
  package func shutdown() async {
    // Both futures only ever succeed or find the listener closed already.
    _ = try? await listener.close().get()
    _ = try? await connections.drain(within: limits.drain, on: listener.eventLoop).get()
  }
}
