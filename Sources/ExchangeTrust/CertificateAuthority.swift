import Crypto
package import DeviceLists
import SwiftASN1
package import X509

/// How long certificates count, in days.
package struct CertificateLifetimes: Hashable, Sendable {
  package var rootDays = 20 * 365
  package var issuingDays = 5 * 365
  package var nodeDays = 90
  package var ceirDays = 90
  package var signerDays = 365

  package init() {}

  package func days(of role: PeerName.Role) -> Int {
    switch role {
    case .ceir: ceirDays
    case .signer: signerDays
    case .node: nodeDays
    }
  }
}

/// The registry's own certification authority: root, issuing, and what it issues. RFC 5280.
package struct CertificateAuthority: Sendable {
  /// Certificates begin this much earlier, for clocks that are behind.
  package static let backdatedSeconds: Int64 = 300
  /// The longest life that may be asked for a leaf.
  package static let longestDays = 825

  package let registry: RegistryName
  package let root: Certificate
  package let issuing: Certificate
  private let issuingKey: P256.Signing.PrivateKey

  package init(registry: RegistryName, root: Certificate, issuing: Credential) {
    self.registry = registry
    self.root = root
    self.issuing = issuing.leaf
    issuingKey = issuing.key
  }

  /// A new registry's: its root with the key, and what issues.
  package static func make(
    registry: RegistryName, lifetimes: CertificateLifetimes, asOf now: Instant
  ) throws(TrustError) -> (root: Credential, authority: CertificateAuthority) {
    guard PeerName(uri: PeerName(registry: registry, role: .ceir).description) != nil else {
      throw TrustError(.unnamed, "a registry whose name has a colon cannot have certificates")
    }
    let key = P256.Signing.PrivateKey()
    let name = try distinguishedName(registry, "root")
    let root = try certificate(
      of: Certificate.PublicKey(key.publicKey), subject: name, issuer: name, issuerKey: key,
      issuerCertificate: nil, from: now, days: lifetimes.rootDays,
      extensions: authorityExtensions(pathLength: 1))
    let credential = try Credential(chain: [root], key: key)
    return (credential, try make(below: credential, registry: registry, lifetimes, asOf: now))
  }

  /// A new issuing certificate below a root that exists.
  package static func make(
    below root: Credential, registry: RegistryName, _ lifetimes: CertificateLifetimes,
    asOf now: Instant
  ) throws(TrustError) -> CertificateAuthority {
    let key = P256.Signing.PrivateKey()
    let issuing = try certificate(
      of: Certificate.PublicKey(key.publicKey), subject: distinguishedName(registry, "issuing"),
      issuer: root.leaf.subject, issuerKey: root.key, issuerCertificate: root.leaf, from: now,
      days: lifetimes.issuingDays, extensions: authorityExtensions(pathLength: 0))
    return CertificateAuthority(
      registry: registry, root: root.leaf, issuing: try Credential(chain: [issuing], key: key))
  }

  /// What issues, for its files.
  var issuingCredential: Credential {
    get throws(TrustError) { try Credential(chain: [issuing], key: issuingKey) }
  }
}

// MARK: - Leaves

extension CertificateAuthority {
  /// A certificate with a fresh key.
  package func issue(
    _ role: PeerName.Role, hosts: [HostName] = [], days: Int, asOf now: Instant
  ) throws(TrustError) -> Credential {
    let key = P256.Signing.PrivateKey()
    let chain = try issue(
      role, publicKey: Certificate.PublicKey(key.publicKey), hosts: hosts, days: days, asOf: now)
    return try Credential(chain: chain, key: key)
  }

  /// A certificate for a key that stays with its holder: leaf and issuing.
  package func issue(
    _ role: PeerName.Role, for request: CertificateRequest, hosts: [HostName] = [], days: Int,
    asOf now: Instant
  ) throws(TrustError) -> [Certificate] {
    try issue(role, publicKey: request.publicKey, hosts: hosts, days: days, asOf: now)
  }

  private func issue(
    _ role: PeerName.Role, publicKey: Certificate.PublicKey, hosts: [HostName], days: Int,
    asOf now: Instant
  ) throws(TrustError) -> [Certificate] {
    guard (1...Self.longestDays).contains(days) else {
      throw TrustError(.request, "a certificate counts 1 to \(Self.longestDays) days")
    }
    guard now.adding(seconds: Int64(days) * 86_400) <= issuing.validUntil else {
      throw TrustError(
        .expired,
        "the issuing certificate ends at \(issuing.validUntil), before a certificate of \(days) "
          + "days would: renew it with root.key in place")
    }
    let name = PeerName(registry: registry, role: role)
    guard PeerName(uri: name.description) == name else {
      throw TrustError(.unnamed, "the name \(name) cannot be read back from a certificate")
    }
    let leaf = try Self.certificate(
      of: publicKey, subject: Self.distinguishedName(registry, role.commonName),
      issuer: issuing.subject, issuerKey: issuingKey, issuerCertificate: issuing, from: now,
      days: days, extensions: Self.leafExtensions(name, hosts: hosts))
    return [leaf, issuing]
  }

  private static func leafExtensions(
    _ name: PeerName, hosts: [HostName]
  ) throws(TrustError) -> Certificate.Extensions {
    let uses: [CertificateUse] = name.role == .signer ? [.signature] : [.client, .server]
    let names = [.uniformResourceIdentifier(name.description)] + hosts.map(\.generalName)
    do {
      return try Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        Critical(KeyUsage(digitalSignature: true))
        try ExtendedKeyUsage(uses.map(\.usage))
        SubjectAlternativeNames(names)
      }
    } catch {
      throw TrustError(.unreadable, "the certificate cannot be made", underlying: error)
    }
  }
}

// MARK: - Parts

extension CertificateAuthority {
  private static func authorityExtensions(
    pathLength: Int
  ) throws(TrustError) -> Certificate.Extensions {
    do {
      return try Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: pathLength))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
      }
    } catch {
      throw TrustError(.unreadable, "the certificate cannot be made", underlying: error)
    }
  }

  private static func distinguishedName(
    _ registry: RegistryName, _ commonName: String
  ) throws(TrustError) -> DistinguishedName {
    do {
      return try DistinguishedName {
        OrganizationName("OpenCEIR \(registry)")
        CommonName(commonName)
      }
    } catch {
      throw TrustError(.unreadable, "the name cannot stand in a certificate", underlying: error)
    }
  }

  /// - Parameter issuerCertificate: nil for what signs itself.
  private static func certificate(
    of publicKey: Certificate.PublicKey, subject: DistinguishedName, issuer: DistinguishedName,
    issuerKey: P256.Signing.PrivateKey, issuerCertificate: Certificate?, from now: Instant,
    days: Int, extensions: Certificate.Extensions
  ) throws(TrustError) -> Certificate {
    var generator = SystemRandomNumberGenerator()
    let issuerPublicKey = Certificate.PublicKey(issuerKey.publicKey)
    do {
      var extensions = extensions
      try extensions.append(
        Certificate.Extension(SubjectKeyIdentifier(hash: publicKey), critical: false))
      if issuerCertificate != nil {
        let identifier = SubjectKeyIdentifier(hash: issuerPublicKey).keyIdentifier
        try extensions.append(
          Certificate.Extension(
            AuthorityKeyIdentifier(keyIdentifier: identifier), critical: false))
      }
      return try Certificate(
        version: .v3, serialNumber: CertificateSerial.random(using: &generator),
        publicKey: publicKey,
        notValidBefore: now.adding(seconds: -backdatedSeconds).date,
        notValidAfter: now.adding(seconds: Int64(days) * 86_400).date,
        issuer: issuer, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
        extensions: extensions, issuerPrivateKey: Certificate.PrivateKey(issuerKey))
    } catch {
      throw TrustError(.unreadable, "the certificate cannot be made", underlying: error)
    }
  }
}

extension PeerName.Role {
  /// For people who look at a certificate; machines read the URI.
  fileprivate var commonName: String {
    switch self {
    case .ceir: "ceir"
    case .signer: "signer"
    case .node(let code, let node): "\(code) \(node)"
    }
  }
}
