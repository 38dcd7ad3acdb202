import Hummingbird
package import HummingbirdCore
import HummingbirdHTTP2
package import Logging
package import NIOCore
import NIOTLS

/// A connection of Hummingbird's server behind a ``PeerGate``: HTTP/2 or HTTP/1.1, as both sides
/// agree in the handshake.
package struct ExchangeChannel: HTTPChannelHandler {
  fileprivate enum Agreed: Sendable {
    case http1(HTTP1Channel.Value)
    case http2(HTTP2Channel.Value)
  }

  package struct Value: ServerChildChannelValue {
    fileprivate let agreed: EventLoopFuture<Agreed>
    package let channel: any Channel
  }

  private typealias Negotiation = NIOTypedApplicationProtocolNegotiationHandler<Agreed>

  package let responder: HTTPChannelHandler.Responder
  private let gate: PeerGate
  private let http1: HTTP1Channel
  private let http2: HTTP2Channel

  init(
    gate: PeerGate, idle: Duration, responder: @escaping HTTPChannelHandler.Responder
  ) {
    self.gate = gate
    self.responder = responder
    let stream = HTTP1Channel.Configuration(
      idleTimeout: TimeAmount(idle), httpDecoderConfiguration: Self.decoder)
    http1 = HTTP1Channel(responder: responder, configuration: stream)
    http2 = HTTP2Channel(
      responder: responder,
      configuration: .init(idleTimeout: idle, gracefulCloseTimeout: Self.gracefulClose))
  }

  /// All header lines of a request over HTTP/1.1, in bytes, and their number.
  package static let longestHeaderList = 16_384
  package static let headerLines = 64
  /// How long the streams of a connection that is asked to end may go on.
  package static let gracefulClose = Duration.seconds(10)

  private static let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
    maxHeaderFieldSize: longestHeaderList, maxHeaderListSize: longestHeaderList,
    maxHeaderFieldCount: headerLines)

  package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    let value = channel.eventLoop.makeCompletedFuture {
      let negotiation = Negotiation { result in
        switch result {
        case .negotiated("h2"):
          return http2.setup(channel: channel, logger: logger).map { .http2($0) }
        case .negotiated("http/1.1"), .fallback:
          return http1.setup(channel: channel, logger: logger).map { .http1($0) }
        case .negotiated(let other):
          channel.close(promise: nil)
          return channel.eventLoop.makeFailedFuture(
            TrustError(.handshake, "the protocol \(other) is not spoken here"))
        }
      }
      let pipeline = channel.pipeline.syncOperations
      try pipeline.addHandlers(gate.handlers(for: channel) + [negotiation])
      return Value(agreed: negotiation.protocolNegotiationResult, channel: channel)
    }
    // Nobody else would: to NIO the connection is open already.
    value.whenFailure { _ in channel.close(promise: nil) }
    return value
  }

  package func handle(value: Value, logger: Logger) async {
    do {
      switch try await value.agreed.get() {
      case .http1(let connection): await http1.handle(value: connection, logger: logger)
      case .http2(let connection): await http2.handle(value: connection, logger: logger)
      }
    } catch {
      // The gate has said why; nothing was asked on this connection.
      logger.debug("A connection ended before its protocol was agreed.")
    }
  }
}

extension HTTPServerBuilder {
  /// The server of an exchange interface.
  ///
  /// - Parameter idle: how long a connection without a request stays open.
  package static func exchange(
    _ gate: PeerGate, idle: Duration = .seconds(600)
  ) -> HTTPServerBuilder {
    HTTPServerBuilder { responder in
      ExchangeChannel(gate: gate, idle: idle, responder: responder)
    }
  }
}
