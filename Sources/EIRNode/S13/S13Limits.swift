package import CheckServer
package import NIOCore

/// Every limit on what a Diameter peer may ask of the node, by name.
package struct S13Limits: Sendable {
  /// A whole message. An ME-Identity-Check-Request has some 350 bytes.
  package var messageBytes = 65_536
  /// Requests of one connection that wait for the CEIR; beyond them the answer is 3004.
  package var pendingAnswers = 1_024
  /// Bytes that are kept while it is found out whether a peer may come in.
  package var heldBytes = 1 << 18
  /// That all connections of the node hold together; see ``S13Memory``.
  package static let bytesOfAll = 256 << 20
  /// Kept by a connection for its next answers, from one read to the next.
  package var answerBytes = 16_384
  /// A connection without its capabilities request.
  package var capabilities: TimeAmount = .seconds(10)
  /// From the first to the last byte of one message.
  package var message: TimeAmount = .seconds(30)
  /// How long the older of two connections of one peer has to show that it lives.
  package var probe: TimeAmount = .seconds(2)
  /// Of each listener. A peer has five seconds to let go at the end of the node.
  package var stream: StreamLimits = {
    var limits = StreamLimits()
    limits.connections = 16_384
    limits.drain = .seconds(5)
    limits.tick = .seconds(2)
    return limits
  }()

  package init() {}
}
