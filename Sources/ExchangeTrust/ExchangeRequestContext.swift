package import Hummingbird
package import NIOCore

/// A request as it comes in: the connection is known, the peer not yet looked up.
package struct ConnectionRequestContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  /// The connection over HTTP/1.1, the stream over HTTP/2.
  package let channel: any Channel
  fileprivate var peer: VerifiedPeer?

  package init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }
}

/// A request of a verified peer: the context of every route of the exchange interface.
package struct ExchangeRequestContext: ChildRequestContext {
  package typealias ParentContext = ConnectionRequestContext

  package var coreContext: CoreRequestContextStorage
  package let channel: any Channel
  package let peer: VerifiedPeer

  /// - Throws: `untrusted` where no ``PeerMiddleware`` stands before.
  package init(context: ConnectionRequestContext) throws {
    guard let peer = context.peer else {
      throw TrustError(.untrusted, "the connection has no verified peer")
    }
    coreContext = context.coreContext
    channel = context.channel
    self.peer = peer
  }
}

/// Looks up who asks. A certificate that was revoked or has ended since the connection was opened
/// is refused with a ``TrustError``.
package struct PeerMiddleware: RouterMiddleware {
  package typealias Context = ConnectionRequestContext

  private let connections: PeerConnections

  package init(_ connections: PeerConnections) { self.connections = connections }

  package func handle(
    _ request: Request, context: ConnectionRequestContext,
    next: (Request, ConnectionRequestContext) async throws -> Response
  ) async throws -> Response {
    guard let peer = connections.peer(of: context.channel) else {
      throw TrustError(.untrusted, "the connection is closed")
    }
    try connections.refuseRevoked(peer)
    guard peer.notAfter >= .ofMachine() else {
      throw TrustError(.expired, "the certificate of \(peer.name) ended at \(peer.notAfter)")
    }
    var context = context
    context.peer = peer
    return try await next(request, context)
  }
}
