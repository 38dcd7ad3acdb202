package import DeviceLists
package import Logging
package import NIOCore
import NIOSSL
import NIOTLS
import X509

/// TLS for the connections of a listener: both sides show certificates, the peer's is verified
/// against the registry's root, and only then does the connection count.
package final class PeerGate: Sendable {
  /// The application protocols offered, the preferred first. RFC 7301.
  package static let protocols = ["h2", "http/1.1"]

  private let files: TrustedFiles
  private let accepted: AcceptedPeer
  package let connections: PeerConnections
  private let logger: Logger
  /// In the log within a minute, of connections that were refused.
  private static let mostRefusalLines = 20
  private let refusalLines = LineLimit(most: mostRefusalLines)
  private let now: @Sendable () -> Instant

  package convenience init(
    files: TrustedFiles, accepting accepted: AcceptedPeer, connections: PeerConnections,
    logger: Logger
  ) {
    self.init(
      files: files, accepting: accepted, connections: connections, logger: logger,
      now: { .ofMachine() })
  }

  package init(
    files: TrustedFiles, accepting accepted: AcceptedPeer, connections: PeerConnections,
    logger: Logger, now: @escaping @Sendable () -> Instant
  ) {
    self.files = files
    self.accepted = accepted
    self.connections = connections
    self.logger = logger
    self.now = now
  }

  /// The handlers of a new connection, the socket's end first. To be called on its event loop.
  ///
  /// - Parameter onVerified: told on the event loop, before anything of what the peer says.
  /// - Throws: `tooMany`, where the connection must be closed.
  package func handlers(
    for channel: any Channel, onVerified: @escaping (VerifiedPeer) -> Void = { _ in }
  ) throws -> [any ChannelHandler] {
    let address = channel.remoteAddress?.ipAddress ?? ""
    guard connections.beginHandshake(from: address) else {
      throw TrustError(.tooMany, "too many connections have not shown a certificate yet")
    }
    let handler = PeerHandler(gate: self, address: address, onVerified: onVerified)
    do {
      // A context for one connection: what BoringSSL remembers to resume a session would spare the
      // next one its verification.
      let context = try NIOSSLContext(
        configuration: files.current.serverConfiguration(
          protocols: Self.protocols, farewell: connections.limits.farewell))
      let verifying = NIOLoopBound(handler, eventLoop: channel.eventLoop)
      let tls = NIOSSLServerHandler(
        context: context,
        customVerificationCallback: { [self] shown, promise in
          verify(shown, for: verifying, promise)
        })
      return [tls, handler]
    } catch {
      connections.endHandshake(from: address)
      throw error
    }
  }

  /// NIOSSL verifies nothing where there is a callback: everything is proved here.
  private func verify(
    _ shown: [NIOSSLCertificate], for handler: NIOLoopBound<PeerHandler>,
    _ promise: EventLoopPromise<NIOSSLVerificationResult>
  ) {
    let eventLoop = promise.futureResult.eventLoop
    let peer = eventLoop.makePromise(of: VerifiedPeer.self)
    peer.completeWithTask { [self] in try await verify(shown) }
    peer.futureResult.whenComplete { result in
      switch result {
      case .success(let peer):
        handler.value.shown = peer
        promise.succeed(.certificateVerified)
      case .failure(let error):
        self.report(error, from: handler.value.address)
        promise.succeed(.failed)
      }
    }
  }

  private func verify(_ shown: [NIOSSLCertificate]) async throws -> VerifiedPeer {
    guard shown.count <= Credential.longestChain else {
      throw TrustError(.untrusted, "more than \(Credential.longestChain) certificates were shown")
    }
    var chain: [Certificate] = []
    for certificate in shown {
      let bytes = try certificate.toDERBytes()
      guard bytes.count <= Credential.longestCertificate else {
        throw TrustError(
          .untrusted, "a certificate is longer than \(Credential.longestCertificate) bytes")
      }
      chain.append(try Certificate(der: bytes))
    }
    let peer = try await files.current.verifier.verify(
      chain, as: .client, accepting: accepted, asOf: now())
    try connections.refuseRevoked(peer)
    return peer
  }

  fileprivate func report(_ error: any Error, from address: String) {
    guard refusalLines.takesOne(asOf: .now()) else { return }
    logger.info(
      "A connection was refused.",
      metadata: [
        "listener": "exchange", "peer": "\(address)", "reason": "\(String(reflecting: error))",
      ])
  }
}

/// Stands behind the TLS handler: bounds the handshake in time, and lets a connection count once
/// the peer has also proved that it holds the key of the certificate that it showed.
final class PeerHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let gate: PeerGate
  fileprivate let address: String
  private let onVerified: (VerifiedPeer) -> Void
  private var isHandshaking = true
  private var deadline: Scheduled<Void>?
  /// Whose certificate was verified; the key is proved with the end of the handshake.
  fileprivate(set) var shown: VerifiedPeer?

  init(gate: PeerGate, address: String, onVerified: @escaping (VerifiedPeer) -> Void) {
    self.gate = gate
    self.address = address
    self.onVerified = onVerified
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    deadline = context.eventLoop.scheduleTask(in: gate.connections.limits.handshake) {
      bound.value.close(promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { endHandshake() }

  func channelInactive(context: ChannelHandlerContext) {
    endHandshake()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted? = event as? TLSUserEvent {
      endHandshake()
      guard admit(context: context) else { return }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard isHandshaking else { return context.fireErrorCaught(error) }
    endHandshake()
    context.close(promise: nil)
  }

  private func admit(context: ChannelHandlerContext) -> Bool {
    do throws(TrustError) {
      guard let shown else {
        throw TrustError(.untrusted, "the handshake ended without a certificate")
      }
      try gate.connections.take(context.channel, of: shown)
      onVerified(shown)
      return true
    } catch {
      gate.report(error, from: address)
      context.close(promise: nil)
      return false
    }
  }

  private func endHandshake() {
    guard isHandshaking else { return }
    isHandshaking = false
    deadline?.cancel()
    gate.connections.endHandshake(from: address)
  }
}
