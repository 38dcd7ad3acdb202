import CheckServer
import DeviceLists
import ExchangeTrust
import Logging
import NIOCore
import NIOSSL
import NIOTLS
import SwiftASN1
import Synchronization
import X509

/// Where a listener finds its certificate.
package struct ListenerCertificates: Hashable, Sendable {
  package var certificate: String
  package var key: String
  /// Whose certificates clients must show; nil where they need none.
  package var clientCA: String?
}

extension SettingsText {
  /// A certificate with its key; nil where neither is set.
  mutating func certificates(
    _ certificateKey: SettingKey, _ keyKey: SettingKey, _ clientCAKey: SettingKey
  ) -> ListenerCertificates? {
    let given = [certificateKey, keyKey, clientCAKey].map { text($0) }
    if let certificate = given[0], let key = given[1] {
      return ListenerCertificates(certificate: certificate, key: key, clientCA: given[2])
    }
    for (name, value) in zip([certificateKey, keyKey, clientCAKey], given) {
      guard let value else { continue }
      complain(
        name, value,
        "name both \(certificateKey.rawValue) and \(keyKey.rawValue), or leave this out")
      return nil
    }
    return nil
  }
}

/// TLS on a port for network elements, with client certificates where an authority for them is set.
final class SignallingTLS: Sendable {
  struct Limits: Hashable, Sendable {
    /// How long a peer may take to agree on the encryption.
    var handshake: TimeAmount = .seconds(10)
    /// Connections that have not agreed yet; the next is closed.
    var handshakes = 512
    /// How long a closing connection waits for the peer's farewell.
    var farewell: TimeAmount = .seconds(1)
  }

  /// In the log within a minute, of connections that were refused.
  static let mostRefusalLines = 20

  /// The name of the listener's setting, for the log.
  private let listener: String
  private let settings: ListenerCertificates
  /// The application protocols offered, the preferred first; none where there is but one. RFC 7301.
  private let protocols: [String]
  fileprivate let limits: Limits
  private let logger: Logger
  private let refusalLines = LineLimit(most: mostRefusalLines)
  private let context: Mutex<NIOSSLContext>
  private let ends: Mutex<Instant?>
  fileprivate let handshakes = Atomic<Int>(0)

  /// What is read, in the order in which ``replace(_:)`` wants it.
  static func paths(_ settings: ListenerCertificates) -> [String] {
    [settings.certificate, settings.key] + (settings.clientCA.map { [$0] } ?? [])
  }

  /// - Parameter listener: the name of its setting, for the log.
  init(
    _ settings: ListenerCertificates, for listener: String, texts: [String],
    protocols: [String] = [], limits: Limits = .init(), logger: Logger
  ) throws(NodeError) {
    self.listener = listener
    self.settings = settings
    self.protocols = protocols
    self.limits = limits
    self.logger = logger
    context = Mutex(try Self.context(settings, texts, protocols, limits))
    ends = Mutex(Self.end(texts))
  }

  /// The last second of the certificate that is shown; nil where it cannot be told.
  var certificateEnds: Instant? { ends.withLock { $0 } }

  private static func end(_ texts: [String]) -> Instant? {
    // What NIOSSL takes and X509 does not is still shown; only its end is not told.
    let first = try? PEMDocument.parseMultiple(pemString: texts[0]).first
    return first.flatMap { try? Certificate(pemDocument: $0).validUntil }
  }

  /// What the files hold, and the service that reads them again when they change.
  ///
  /// - Parameters:
  ///   - listener: the name of its setting, for the log.
  ///   - what: for the log, such as "the certificates of N17".
  static func watched(
    _ settings: ListenerCertificates, for listener: String, what: String,
    protocols: [String] = [], logger: Logger
  ) throws(NodeError) -> Watched {
    let texts = try FileWatch.read(paths(settings))
    let tls = try SignallingTLS(
      settings, for: listener, texts: texts, protocols: protocols, logger: logger)
    let watch = FileWatch(paths: paths(settings), what: what, logger: logger) {
      texts throws(NodeError) in try tls.replace(texts)
    }
    return Watched(
      tls: tls, watch: LoopService { await watch.run(known: texts) },
      report: { [health = watch.health] in
        StatusReport.KeyFiles(
          what: what, certificateEnds: tls.certificateEnds?.description, trouble: health.trouble)
      })
  }

  struct Watched: Sendable {
    let tls: SignallingTLS
    let watch: LoopService
    let report: @Sendable () -> StatusReport.KeyFiles
  }

  /// New connections use these; what is open stays open.
  func replace(_ texts: [String]) throws(NodeError) {
    let new = try Self.context(settings, texts, protocols, limits)
    context.withLock { $0 = new }
    ends.withLock { $0 = Self.end(texts) }
  }

  var security: ConnectionSecurity {
    ConnectionSecurity { [self] channel, identify in
      // Threads that accept at the same moment may go beyond it by their number.
      guard handshakes.load(ordering: .relaxed) < limits.handshakes else {
        let reason = "too many connections have not agreed on TLS yet"
        report(reason, from: channel.remoteAddress)
        throw NodeError(.certificate, reason)
      }
      return [NIOSSLServerHandler(context: context.withLock { $0 }), TLSHandshake(self, identify)]
    }
  }

  fileprivate func report(_ reason: String, from address: NIOCore.SocketAddress?) {
    guard refusalLines.takesOne(asOf: .now()) else { return }
    let peer = address.flatMap { address in
      address.ipAddress.map { SocketAddress(host: $0, port: address.port ?? 0).description }
    }
    logger.info(
      "a connection was refused",
      metadata: [
        "listener": "\(listener)", "peer": "\(peer ?? "unknown")", "reason": "\(reason)",
      ])
  }

  private static func context(
    _ settings: ListenerCertificates, _ texts: [String], _ protocols: [String], _ limits: Limits
  ) throws(NodeError) -> NIOSSLContext {
    do {
      let chain = try NIOSSLCertificate.fromPEMBytes(Array(texts[0].utf8))
      let key = try NIOSSLPrivateKey(bytes: Array(texts[1].utf8), format: .pem)
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
      configuration.minimumTLSVersion = .tlsv12
      configuration.applicationProtocols = protocols
      configuration.shutdownTimeout = limits.farewell
      if texts.count > 2 {
        let roots = try NIOSSLCertificate.fromPEMBytes(Array(texts[2].utf8))
        guard !roots.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
        configuration.trustRoots = .certificates(roots)
        // Consumers are network functions, known by who has certified them.
        configuration.certificateVerification = .noHostnameVerification
        configuration.sendCANameList = true
      }
      guard !chain.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
      return try NIOSSLContext(configuration: configuration)
    } catch {
      let names = paths(settings).joined(separator: ", ")
      throw NodeError(
        .settings, "\(names): these are no certificates with their key, or not in PEM",
        underlying: error)
    }
  }
}

/// Stands behind the TLS handler: bounds the handshake in time, and closes where it fails.
private final class TLSHandshake: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let tls: SignallingTLS
  private let identify: (any Sendable) -> Void
  private var isHandshaking = true
  private var deadline: Scheduled<Void>?

  init(_ tls: SignallingTLS, _ identify: @escaping (any Sendable) -> Void) {
    self.tls = tls
    self.identify = identify
  }

  func handlerAdded(context: ChannelHandlerContext) {
    tls.handshakes.add(1, ordering: .relaxed)
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    deadline = context.eventLoop.scheduleTask(in: tls.limits.handshake) { [tls] in
      tls.report("it did not agree on TLS in time", from: bound.value.remoteAddress)
      bound.value.close(promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted? = event as? TLSUserEvent {
      end()
      // Nil only where none was asked for.
      if let shown = try? context.pipeline.syncOperations.nioSSL_peerCertificate() {
        identify(CertificateNames(shown))
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard isHandshaking else { return context.fireErrorCaught(error) }
    tls.report(String(reflecting: error), from: context.remoteAddress)
    context.close(promise: nil)
  }

  private func end() {
    guard isHandshaking else { return }
    isHandshaking = false
    deadline?.cancel()
    tls.handshakes.subtract(1, ordering: .relaxed)
  }
}

/// Whom the certificate of a peer names: its names of the DNS, and the common name of its subject.
struct CertificateNames: Hashable, Sendable {
  let names: [String]

  /// None for a certificate that cannot be read.
  init(_ shown: NIOSSLCertificate) {
    guard let certificate = try? Certificate(der: shown.toDERBytes()) else {
      names = []
      return
    }
    let alternatives = (try? certificate.extensions.subjectAlternativeNames).map { Array($0) } ?? []
    var names = alternatives.compactMap { name in
      if case .dnsName(let name) = name { name } else { nil as String? }
    }
    for part in certificate.subject {
      for attribute in part where attribute.type == .RDNAttributeType.commonName {
        names.append(attribute.value.description)
      }
    }
    self.names = names
  }
}
