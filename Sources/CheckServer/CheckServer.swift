package import NIOCore
import NIOPosix

/// A fast listener for short questions and answers: HTTP/2 with prior knowledge and HTTP/1.1 on one
/// port, answered on the event loop.
package struct CheckServer: Sendable {
  /// The port listened on, also where any free one was asked for.
  package let port: Int
  private let listener: any Channel
  private let connections: ConnectionTable
  private let limits: CheckServerLimits

  /// - Parameters:
  ///   - port: 0 for any free one.
  ///   - security: nil for plain connections.
  package static func start(
    host: String, port: Int, group: any EventLoopGroup, limits: CheckServerLimits = .init(),
    security: ConnectionSecurity? = nil, responder: any CheckResponder
  ) async throws(CheckServerError) -> CheckServer {
    let connections = ConnectionTable(limit: limits.connections)
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1_024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      // One read takes a burst: a second one would only find the socket empty.
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(
        .writeBufferWaterMark,
        value: .init(low: limits.unwrittenBytes / 4, high: limits.unwrittenBytes)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard connections.admit(channel) else { throw ChannelError.operationUnsupported }
          channel.closeFuture.whenComplete { _ in connections.remove(channel) }
          let sniffer = ProtocolSniffer(limits: limits, responder: responder)
          var handlers: [any ChannelHandler] = [ConnectionGuard(limits: limits)]
          if let security {
            handlers += try security.handlers(channel) { sniffer.peer = ConnectionPeer($0) }
            handlers.append(SecureFarewell())
          }
          try channel.pipeline.syncOperations.addHandlers(handlers + [sniffer])
        }
      }
    do {
      let listener = try await bootstrap.bind(host: host, port: port).get()
      return CheckServer(
        port: listener.localAddress?.port ?? port, listener: listener, connections: connections,
        limits: limits)
    } catch {
      throw CheckServerError(cannotListenOn: host, port: port, reason: error)
    }
  }

  package var openConnections: Int { connections.count }

  /// Accepts no more, says farewell on every connection, waits for the requests in flight up to
  /// ``CheckServerLimits/drain``, then closes what is left.
  package func shutdown() async {
    // Both futures only ever succeed or find the listener closed already.
    _ = try? await listener.close().get()
    _ = try? await connections.drain(within: limits.drain, on: listener.eventLoop).get()
  }
}
