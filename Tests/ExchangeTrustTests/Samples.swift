import Crypto
import DeviceLists
import ExchangeTrust
import Foundation
import Testing
import X509

enum Sample {
  static func registry(_ name: String = "XA") throws -> RegistryName {
    try #require(RegistryName(name))
  }

  static func node(_ code: String = "alfa", _ name: String = "eir-1") throws -> PeerName.Role {
    .node(try #require(OperatorCode(code)), try #require(NodeName(name)))
  }

  /// The machine's own time: sockets are tested with libraries that look at the clock.
  static var now: Instant {
    Instant(secondsSinceEpoch: Int64(Date().timeIntervalSince1970))
  }
}

/// A registry's authority, with its root.
struct SampleAuthority {
  let root: Credential
  let authority: CertificateAuthority

  init(_ registry: String = "XA", asOf now: Instant = Sample.now) throws {
    (root, authority) = try CertificateAuthority.make(
      registry: Sample.registry(registry), lifetimes: .init(), asOf: now)
  }

  var verifier: PeerVerifier {
    PeerVerifier(root: authority.root, registry: authority.registry)
  }

  func issue(
    _ role: PeerName.Role, days: Int = 90, asOf now: Instant = Sample.now
  ) throws -> Credential {
    try authority.issue(role, hosts: HostName.loopback, days: days, asOf: now)
  }
}

extension SampleAuthority {
  /// What the same authority issued at another time, for one day.
  static func same(
    _ sample: SampleAuthority, _ role: PeerName.Role, asOf time: Instant
  ) throws -> Credential {
    try sample.authority.issue(role, hosts: HostName.loopback, days: 1, asOf: time)
  }
}

/// A certificate that says what it likes about itself.
func selfSigned(_ name: String, days: Int = 1, isAuthority: Bool = false) throws -> Credential {
  let key = P256.Signing.PrivateKey()
  let subject = try DistinguishedName { CommonName("self") }
  let certificate = try Certificate(
    version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
    notValidBefore: Date(timeIntervalSinceNow: -60),
    notValidAfter: Date(timeIntervalSinceNow: Double(days) * 86_400),
    issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
    extensions: try Certificate.Extensions {
      if isAuthority {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
      } else {
        Critical(BasicConstraints.notCertificateAuthority)
      }
      Critical(KeyUsage(digitalSignature: true, keyCertSign: isAuthority))
      try ExtendedKeyUsage([.serverAuth, .clientAuth])
      SubjectAlternativeNames([.uniformResourceIdentifier(name)])
    }, issuerPrivateKey: .init(key))
  return try Credential(chain: [certificate], key: key)
}

/// A certificate that a peer made with the key of its own certificate.
func signed(by issuer: Credential, _ name: String) throws -> Credential {
  let key = P256.Signing.PrivateKey()
  let certificate = try Certificate(
    version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
    notValidBefore: Date(timeIntervalSinceNow: -60),
    notValidAfter: Date(timeIntervalSinceNow: 3_600),
    issuer: issuer.leaf.subject, subject: try DistinguishedName { CommonName("child") },
    signatureAlgorithm: .ecdsaWithSHA256,
    extensions: try Certificate.Extensions {
      Critical(BasicConstraints.notCertificateAuthority)
      Critical(KeyUsage(digitalSignature: true))
      try ExtendedKeyUsage([.serverAuth, .clientAuth])
      SubjectAlternativeNames([.uniformResourceIdentifier(name)])
    }, issuerPrivateKey: .init(issuer.key))
  return try Credential(chain: [certificate] + issuer.chain, key: key)
}
