package import NIOCore

/// A fast listener for short questions and answers: HTTP/2 with prior knowledge and HTTP/1.1 on one
/// port, answered on the event loop.
package struct CheckServer: Sendable {
  private let listener: StreamListener

  /// - Parameters:
  ///   - port: 0 for any free one.
  ///   - security: nil for plain connections.
  package static func start(
    host: String, port: Int, group: any EventLoopGroup, limits: CheckServerLimits = .init(),
    security: ConnectionSecurity? = nil, responder: any CheckResponder
  ) async throws(CheckServerError) -> CheckServer {
    CheckServer(
      listener: try await StreamListener.start(
        host: host, port: port, group: group, limits: limits.connection, security: security,
        turningAway: { _ in
          let sniffer = ProtocolSniffer(
            limits: limits, responder: TurningAway(responder), isTurningAway: true)
          return StreamListener.Handlers([sniffer])
        }
      ) { _ in
        let sniffer = ProtocolSniffer(limits: limits, responder: responder)
        return StreamListener.Handlers([sniffer]) { sniffer.peer = $0 }
      })
  }

  /// The port listened on, also where any free one was asked for.
  package var port: Int { listener.port }

  package var openConnections: Int { listener.openConnections }

  /// Accepts no more, says farewell on every connection, waits for the requests in flight up to
  /// ``CheckServerLimits/drain``, then closes what is left.
  package func shutdown() async { await listener.shutdown() }
}

/// Answers those who come over a connection too many. RFC 9110, 15.6.4.
private struct TurningAway: CheckResponder {
  private let responder: any CheckResponder

  init(_ responder: any CheckResponder) { self.responder = responder }

  func respond(to request: CheckRequest, on eventLoop: any EventLoop) -> CheckReply {
    .now(responder.answer(to: .congested))
  }

  func answer(to refusal: CheckRefusal) -> CheckResponse { responder.answer(to: refusal) }
}
