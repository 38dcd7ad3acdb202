package import Crypto
import SwiftASN1
package import X509

/// A certificate with those that lead from it to the root, and its private key.
package struct Credential: Sendable {
  /// The most certificates of one chain: leaf, issuing, and one to spare for a change of CA.
  package static let longestChain = 4
  /// The longest certificate in bytes: ours have about 700.
  package static let longestCertificate = 4_096

  /// The leaf first, the root not among them.
  package let chain: [Certificate]
  package let key: P256.Signing.PrivateKey

  package var leaf: Certificate { chain[0] }

  /// - Throws: `mismatch` where the key is not the leaf's.
  package init(chain: [Certificate], key: P256.Signing.PrivateKey) throws(TrustError) {
    guard let leaf = chain.first else {
      throw TrustError(.unreadable, "there is no certificate")
    }
    guard P256.Signing.PublicKey(leaf.publicKey) == key.publicKey else {
      throw TrustError(.mismatch, "the private key is not the one of the certificate")
    }
    self.chain = chain
    self.key = key
  }
}

extension P256.Signing.PublicKey {
  fileprivate static func == (left: Self?, right: Self) -> Bool {
    left?.rawRepresentation == right.rawRepresentation
  }
}

/// Certificates and keys as text. RFC 7468.
enum PEMText {
  static func certificates(_ text: String, from place: String) throws(TrustError) -> [Certificate] {
    let certificates: [Certificate]
    do {
      certificates = try PEMDocument.parseMultiple(pemString: text).map(
        Certificate.init(pemDocument:))
    } catch {
      throw TrustError(
        .unreadable, "\(place) has no certificates in PEM: put back what was issued",
        underlying: error)
    }
    guard (1...Credential.longestChain).contains(certificates.count) else {
      throw TrustError(
        .unreadable,
        "\(place) has \(certificates.count) certificates: 1 to \(Credential.longestChain) are taken"
      )
    }
    return certificates
  }

  static func key(_ text: String, from place: String) throws(TrustError) -> P256.Signing.PrivateKey
  {
    do {
      return try P256.Signing.PrivateKey(pemRepresentation: text)
    } catch {
      throw TrustError(
        .unreadable, "\(place) has no P-256 private key in PEM: put back what was issued",
        underlying: error)
    }
  }

  static func text(of certificates: [Certificate]) throws(TrustError) -> String {
    var text = ""
    for certificate in certificates { text += try certificate.pemText() }
    return text
  }
}

extension Credential {
  /// What an authority has answered for a key.
  ///
  /// - Parameter text: the leaf first, in PEM.
  package init(pem text: String, key: P256.Signing.PrivateKey) throws(TrustError) {
    try self.init(chain: PEMText.certificates(text, from: "the answer"), key: key)
  }
}
