package import Crypto

/// Who vouches for a checkpoint.
package struct CheckpointSignature: Hashable, Sendable {
  /// ECDSA over P-256 with SHA-256: r, then s, 32 bytes each.
  package var bytes: [UInt8]
  /// In DER: the signer's first, then those between it and the root.
  package var certificates: [[UInt8]]

  package static let byteCount = 64

  package init(bytes: [UInt8], certificates: [[UInt8]]) {
    self.bytes = bytes
    self.certificates = certificates
  }

  func write(into text: inout JSONText) {
    text.member("signature", Base64.text(bytes))
    text.openArray("certificates")
    for certificate in certificates { text.element(Base64.text(certificate)) }
    text.closeArray()
  }

  /// Nil where the object has none.
  init?(in object: JSONValue) throws(ExchangeError) {
    guard object["signature"] != nil else { return nil }
    bytes = try object.member("signature") { Base64.bytes($0) }
    guard bytes.count == Self.byteCount else {
      throw ExchangeError(.malformed, "a signature of \(bytes.count) bytes")
    }
    guard let texts = object["certificates"]?.array,
      (1...ExchangeLimits.mostCertificates).contains(texts.count)
    else { throw ExchangeError(.malformed, "no usable \"certificates\"") }
    certificates = []
    for text in texts {
      guard let certificate = text.text.flatMap({ Base64.bytes($0) }), !certificate.isEmpty,
        certificate.count <= ExchangeLimits.longestCertificateBytes
      else { throw ExchangeError(.malformed, "no usable \"certificates\"") }
      certificates.append(certificate)
    }
  }
}

/// Signs checkpoints for the registry.
package struct CheckpointSigner: Sendable {
  private let key: P256.Signing.PrivateKey
  private let certificates: [[UInt8]]

  /// - Parameter certificates: in DER, the one of `key` first.
  package init(key: P256.Signing.PrivateKey, certificates: [[UInt8]]) {
    self.key = key
    self.certificates = certificates
  }

  package func sign(_ checkpoint: Checkpoint) throws(ExchangeError) -> CheckpointSignature {
    do {
      let signature = try key.signature(for: checkpoint.signedText)
      return CheckpointSignature(
        bytes: Array(signature.rawRepresentation), certificates: certificates)
    } catch {
      throw ExchangeError(.internalFailure, "a checkpoint cannot be signed")
    }
  }
}

/// A checkpoint with its signature: what a snapshot carries as its trailer and a file's manifest
/// names.
package struct SignedCheckpoint: Hashable, Sendable {
  package var checkpoint: Checkpoint
  package var signature: CheckpointSignature

  package init(checkpoint: Checkpoint, signature: CheckpointSignature) {
    self.checkpoint = checkpoint
    self.signature = signature
  }

  package init(_ checkpoint: Checkpoint, by signer: CheckpointSigner) throws(ExchangeError) {
    self.init(checkpoint: checkpoint, signature: try signer.sign(checkpoint))
  }

  /// Whether the owner of `key` has signed it. Whose key it is, and whether its certificates may
  /// be trusted, is asked elsewhere.
  package func verify(with key: P256.Signing.PublicKey) throws(ExchangeError) {
    let isRight: Bool
    do {
      let raw = try P256.Signing.ECDSASignature(rawRepresentation: signature.bytes)
      isRight = key.isValidSignature(raw, for: checkpoint.signedText)
    } catch {
      throw ExchangeError(.signatureWrong, "not 64 bytes")
    }
    guard isRight else { throw ExchangeError(.signatureWrong) }
  }
}

extension SignedCheckpoint: JSONMessage {
  package func write(into text: inout JSONText) {
    checkpoint.write(into: &text)
    signature.write(into: &text)
  }

  /// One that is not signed is refused by ``ExchangeCode/unsigned``.
  package init(_ object: JSONValue) throws(ExchangeError) {
    checkpoint = try Checkpoint(object)
    guard let signature = try CheckpointSignature(in: object) else {
      throw ExchangeError(.unsigned)
    }
    self.signature = signature
  }
}
