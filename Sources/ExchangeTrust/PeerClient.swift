package import AsyncHTTPClient
package import NIOCore
import NIOSSL
import X509

/// Asks one peer over TLS with certificates on both sides. What is sent goes to nobody else: a
/// connection on which another name is shown is closed before the first request.
///
/// BoringSSL proves the chain against our root during the handshake; the name in the leaf, its use
/// and its revocation are looked at when the connection is made, before the pool may use it.
package final class PeerClient: Sendable {
  /// How long a connection may be silent while something is awaited over it, or take nothing of
  /// what is sent. Longer than any peer holds a question.
  package static let patience = TimeAmount.seconds(120)

  private let client: HTTPClient
  private let files: TrustedFiles
  private let connections: PeerConnections?

  /// - Parameters:
  ///   - expected: who must answer.
  ///   - connections: those who know which certificates are revoked.
  ///   - configuration: of connections; TLS, HTTP version and the limits of silence are set here.
  package init(
    files: TrustedFiles, expecting expected: AcceptedPeer, connections: PeerConnections? = nil,
    group: any EventLoopGroup, configuration: HTTPClient.Configuration = .init()
  ) {
    self.files = files
    self.connections = connections
    var configuration = configuration
    configuration.httpVersion = .http1Only
    // A deadline ends with the head of an answer; its body may come to a stop as well.
    configuration.timeout.read = Self.patience
    configuration.timeout.write = Self.patience
    configuration.redirectConfiguration = .disallow
    // Who asks has its own back-off, and must hear at once why a peer was refused.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.http1_1ConnectionDebugInitializer = { channel in
      Self.prove(channel, files: files, expected: expected, connections: connections)
    }
    client = HTTPClient(eventLoopGroup: group, configuration: configuration)
  }

  /// Sends a request to an `https` address. A certificate that was renewed is used by the next
  /// connection; those that are open go on.
  package func execute(
    _ request: HTTPClientRequest, deadline: NIODeadline
  ) async throws -> HTTPClientResponse {
    guard request.url.hasPrefix("https://") else {
      throw TrustError(.handshake, "\(request.url) does not begin with https://")
    }
    var request = request
    request.tlsConfiguration = files.current.clientConfiguration
    do {
      return try await client.execute(request, deadline: deadline)
    } catch {
      guard let reason = Self.refusal(error) else { throw error }
      throw TrustError(.handshake, "\(request.url.prefix { $0 != "?" }): \(reason)")
    }
  }

  /// BoringSSL tells its reasons by words alone; nil for what has nothing to do with TLS.
  private static func refusal(_ error: any Error) -> String? {
    let text = String(describing: error)
    if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
      return "this is no TLS: check the address"
    }
    if text.contains("CERTIFICATE_VERIFY_FAILED") {
      return "the peer's certificate does not lead to the root of this registry"
    }
    if text.contains("_ALERT_") {
      return "the peer refuses our certificate: it is revoked, expired or of another registry"
    }
    return error is NIOSSLError ? "the TLS handshake has failed" : nil
  }

  package func shutdown() async throws { try await client.shutdown() }

  private static func prove(
    _ channel: any Channel, files: TrustedFiles, expected: AcceptedPeer,
    connections: PeerConnections?
  ) -> EventLoopFuture<Void> {
    let proved = channel.eventLoop.makePromise(of: Void.self)
    channel.pipeline.handler(type: NIOSSLHandler.self).map { $0.peerCertificate }
      .assumeIsolated().whenComplete { result in
        let shown = result.flatMap { certificate in Result { try certificate?.toDERBytes() ?? [] } }
        proved.completeWithTask {
          try await verify(
            shown.get(), files: files, expected: expected, connections: connections)
        }
      }
    return proved.futureResult.flatMapThrowing {
      // The pool would lend for ever what has closed meanwhile: it is told of an end only once.
      guard channel.isActive else { throw ChannelError.ioOnClosedChannel }
    }.flatMapError { error in
      // The pool must see the end of the connection before it hears of the failure.
      channel.close(promise: nil)
      return channel.closeFuture.flatMapThrowing { throw error }
    }
  }

  private static func verify(
    _ leaf: [UInt8], files: TrustedFiles, expected: AcceptedPeer, connections: PeerConnections?
  ) async throws {
    let peer = try files.current.verifier.nameOfProved(
      Certificate(der: leaf), as: .server, accepting: expected)
    try connections?.refuseRevoked(peer)
  }
}
