import Crypto
import NIOCore
package import NIOSSL
import Synchronization
package import X509

/// What a process shows to others and knows them by, as read at one moment.
package struct TrustMaterial: Sendable {
  /// Rises with every change of the files.
  package let generation: Int
  package let credential: Credential
  package let root: Certificate
  /// Whom this process itself names.
  package let own: PeerName
  /// Proves others of the same registry.
  package let verifier: PeerVerifier
  private let chain: [NIOSSLCertificateSource]
  private let key: NIOSSLPrivateKeySource
  private let nioRoot: NIOSSLCertificate

  init(generation: Int, credential: Credential, root: Certificate) throws(TrustError) {
    guard let own = credential.leaf.peerName else {
      throw TrustError(.unnamed, "the certificate names nobody of a registry")
    }
    self.generation = generation
    self.credential = credential
    self.root = root
    self.own = own
    verifier = PeerVerifier(root: root, registry: own.registry)
    do {
      chain = try credential.chain.map { certificate in
        .certificate(try NIOSSLCertificate(bytes: certificate.derBytes(), format: .der))
      }
      let pem = Array(credential.key.pemRepresentation.utf8)
      key = .privateKey(try NIOSSLPrivateKey(bytes: pem, format: .pem))
      nioRoot = try NIOSSLCertificate(bytes: root.derBytes(), format: .der)
    } catch {
      throw TrustError(.unreadable, "the certificates are not fit for TLS", underlying: error)
    }
  }

  /// Whether what is shown leads to the root beside it, whatever the time is.
  package var leadsToRoot: Bool {
    var issuers = Array(credential.chain.dropFirst())
    issuers.append(root)
    return zip(credential.chain, issuers).allSatisfy { certificate, issuer in
      issuer.publicKey.isValidSignature(certificate.signature, for: certificate)
    }
  }

  /// How long the end of a connection waits for the other side's farewell.
  private static let clientFarewell = TimeAmount.milliseconds(200)

  /// For those who connect: the chain is verified here against our root alone, and the name that it
  /// carries by ``PeerClient``.
  package var clientConfiguration: TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    // A registry that is holding back the answer to a long poll does not hear a farewell, and
    // nothing is lost without its own.
    configuration.shutdownTimeout = Self.clientFarewell
    configuration.minimumTLSVersion = .tlsv12
    configuration.certificateVerification = .noHostnameVerification
    configuration.trustRoots = .certificates([nioRoot])
    configuration.certificateChain = chain
    configuration.privateKey = key
    return configuration
  }

  /// For those who accept: a certificate is required, and ``PeerGate`` verifies it.
  func serverConfiguration(
    protocols: [String], farewell: TimeAmount
  ) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain, privateKey: key)
    configuration.minimumTLSVersion = .tlsv12
    configuration.certificateVerification = .noHostnameVerification
    configuration.trustRoots = .certificates([nioRoot])
    configuration.sendCANameList = true
    configuration.applicationProtocols = protocols
    configuration.shutdownTimeout = farewell
    return configuration
  }
}

/// The files of ``CredentialFiles``, read again when they change: a certificate is renewed without
/// a restart. What is open stays open; what is new uses the new ones.
package final class TrustedFiles: Sendable {
  private struct State {
    var material: TrustMaterial
    var stamps: [TrustFile.Stamp?]
  }

  package let files: CredentialFiles
  private let state: Mutex<State>

  package init(_ files: CredentialFiles) throws(TrustError) {
    self.files = files
    let stamps = files.stamps
    let material = try TrustMaterial(
      generation: 1, credential: files.read(), root: files.readRoot())
    state = Mutex(State(material: material, stamps: stamps))
  }

  package var current: TrustMaterial { state.withLock { $0.material } }

  /// Looks whether the files have changed, and reads them if so; keeps the former where the new
  /// ones make no sense. Returns whether there is something new. Reads files: not on an event loop.
  @discardableResult
  package func reload() throws(TrustError) -> Bool {
    let stamps = files.stamps
    let former = state.withLock { $0 }
    guard stamps != former.stamps else { return false }
    let material = try TrustMaterial(
      generation: former.material.generation + 1, credential: files.read(), root: files.readRoot())
    guard material.own == former.material.own else {
      throw TrustError(
        .wrongRole, "\(files.certificatePath) is now of \(material.own), not \(former.material.own)"
      )
    }
    state.withLock { $0 = State(material: material, stamps: stamps) }
    return true
  }

  /// How often ``watch(report:)`` looks.
  package static let watchPeriod = Duration.seconds(1)

  /// Reloads until it is cancelled, and tells what came of each change: nil for a success.
  package func watch(report: @Sendable (TrustError?) -> Void) async {
    var lastError: TrustError?
    while !Task.isCancelled {
      do throws(TrustError) {
        if try reload() { report(nil) }
        lastError = nil
      } catch {
        // The same trouble is told once, not every second.
        if error != lastError { report(error) }
        lastError = error
      }
      guard (try? await Task.sleep(for: Self.watchPeriod)) != nil else { return }
    }
  }
}
