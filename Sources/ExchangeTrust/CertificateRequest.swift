package import Crypto
import SwiftASN1
package import X509

/// A PKCS#10 request. Only its key is taken: whom the certificate names is said by the one who
/// issues it. RFC 2986.
package struct CertificateRequest: Sendable {
  /// The longest text taken, in bytes: one with a P-256 key has about 500.
  package static let longestText = 8_192

  package let publicKey: Certificate.PublicKey

  /// Reads PEM and proves that the sender has the private key.
  package init(pem text: String) throws(TrustError) {
    guard text.utf8.count <= Self.longestText else {
      throw TrustError(
        .request, "the certificate request is longer than \(Self.longestText) bytes")
    }
    let request: CertificateSigningRequest
    do {
      request = try CertificateSigningRequest(pemEncoded: text)
    } catch {
      throw TrustError(
        .request, "this is no PKCS#10 certificate request in PEM", underlying: error)
    }
    guard request.publicKey.isValidSignature(request.signature, for: request) else {
      throw TrustError(.request, "the request is not signed with the key that it carries")
    }
    guard P256.Signing.PublicKey(request.publicKey) != nil else {
      throw TrustError(
        .request,
        "the request's key is not on P-256: make one with openssl genpkey -algorithm EC "
          + "-pkeyopt ec_paramgen_curve:P-256")
    }
    publicKey = request.publicKey
  }

  /// What the holder of a key sends to be certified, in PEM.
  package static func pemText(for key: P256.Signing.PrivateKey) throws(TrustError) -> String {
    do {
      let request = try CertificateSigningRequest(
        version: .v1, subject: DistinguishedName(), privateKey: Certificate.PrivateKey(key),
        attributes: CertificateSigningRequest.Attributes())
      return try request.serializeAsPEM().pemString + "\n"
    } catch {
      throw TrustError(.request, "the certificate request cannot be made", underlying: error)
    }
  }
}
