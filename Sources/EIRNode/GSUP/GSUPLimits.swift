package import CheckServer
package import NIOCore

/// What the relay for GSUP may cost.
package struct GSUPLimits: Sendable {
  /// A network has few MSCs and SGSNs; each has one connection, with a second one while it changes.
  package static let connections = 256

  /// One host cannot keep out all others.
  package var connectionsOfOneAddress = GSUPLimits.connections / 2
  /// What a client may take for its first whole message; each client costs a connection to the HLR.
  package var firstMessage = GSUPLimits.firstMessage

  private static let firstMessage = TimeAmount.seconds(10)

  package var stream: StreamLimits = {
    var limits = StreamLimits()
    limits.connections = GSUPLimits.connections
    limits.tick = StreamLimits.tick(for: min(GSUPLimits.firstMessage, limits.stall))
    return limits
  }()
  /// How long the HLR may take to accept a connection.
  package var connect: TimeAmount = .seconds(5)
  /// Octets for an HLR whose connection is not there yet; beyond them the client is not read.
  package var heldOctets = 1 << 16
  /// Checks of one client that wait for the registry; beyond them the client is not read.
  package var waitingChecks = 1_024

  package init() {}
}
