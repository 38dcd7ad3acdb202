import Foundation
import JWTKit
import SwiftASN1
import X509

/// The public keys by which access tokens are verified: those of the NRF.
///
/// A key verifies by its own algorithms and no other, whatever a token says of itself: a public key
/// is never the secret of an HMAC, and `none` is no algorithm. RFC 8725, 3.1.
struct TokenKeys: Sendable {
  /// Keys of one file.
  static let most = 64

  struct Key: Sendable {
    /// Nil where the file does not name it: then it is tried for every token.
    let id: String?
    /// By their names in RFC 7518, 3.1.
    let algorithms: [String: any JWTAlgorithm]
  }

  private let keys: [Key]

  /// - Parameter text: PEM public keys and certificates, or a JSON Web Key Set (RFC 7517, 5).
  init(text: String, path: String) async throws(NodeError) {
    do {
      let isJSON = text.first { !$0.isWhitespace } == "{"
      keys = isJSON ? try await Self.keySet(text) : try await Self.pem(text)
    } catch let error as NodeError {
      throw error
    } catch {
      throw NodeError(.file, "\(path) holds no public keys that can be used", underlying: error)
    }
    guard (1...Self.most).contains(keys.count) else {
      throw NodeError(
        .file, "\(path) must hold 1 to \(Self.most) public keys of ECDSA, or of RSA with 2,048 bits"
      )
    }
  }

  /// Whether one of the keys has signed the message.
  func verify(
    _ signature: [UInt8], of message: [UInt8], algorithm: String, keyID: String?
  ) -> Bool {
    keys.contains { key in
      guard keyID == nil || key.id == nil || key.id == keyID else { return false }
      guard let algorithm = key.algorithms[algorithm] else { return false }
      // A signature of the wrong length is an error to the algorithm; it is only a wrong one.
      return (try? algorithm.verify(signature, signs: message)) ?? false
    }
  }
}

// MARK: - PEM

extension TokenKeys {
  private static func pem(_ text: String) async throws -> [Key] {
    var keys: [Key] = []
    for document in try PEMDocument.parseMultiple(pemString: text) {
      switch document.discriminator {
      case "PUBLIC KEY":
        keys.append(try await key(pem: document.pemString))
      case "CERTIFICATE":
        let certificate = try Certificate(pemDocument: document)
        keys.append(try await key(pem: certificate.publicKey.serializeAsPEM().pemString))
      default:
        throw NodeError(
          .file,
          "the file of the NRF's keys holds a \(document.discriminator): "
            + "give public keys or certificates only")
      }
    }
    return keys
  }

  private static func key(pem: String) async throws -> Key {
    let algorithms: [String: any JWTAlgorithm]
    if let key = try? ES256PublicKey(pem: pem) {
      algorithms = try await ecdsa(key)
    } else if let key = try? ES384PublicKey(pem: pem) {
      algorithms = try await ecdsa(key)
    } else if let key = try? ES512PublicKey(pem: pem) {
      algorithms = try await ecdsa(key)
    } else {
      algorithms = try await rsa(Insecure.RSA.PublicKey(pem: pem))
    }
    return Key(id: nil, algorithms: algorithms)
  }

  private static func ecdsa(_ key: some ECDSAKey) async throws -> [String: any JWTAlgorithm] {
    let algorithm = try await JWTKeyCollection().add(ecdsa: key).getKey()
    return [algorithm.name: algorithm]
  }

  private static func rsa(
    _ key: Insecure.RSA.PublicKey
  ) async throws -> [String: any JWTAlgorithm] {
    var algorithms: [String: any JWTAlgorithm] = [:]
    for digest in [DigestAlgorithm.sha256, .sha384, .sha512] {
      let plain = try await JWTKeyCollection().add(rsa: key, digestAlgorithm: digest).getKey()
      let salted = try await JWTKeyCollection().add(pss: key, digestAlgorithm: digest).getKey()
      algorithms[plain.name] = plain
      algorithms[salted.name] = salted
    }
    return algorithms
  }
}

// MARK: - JSON Web Key Set

extension TokenKeys {
  private struct KeySet: Decodable {
    let keys: [Item]

    struct Item: Decodable {
      let kty: String
      let kid, use, alg, crv, x, y, n, e, d: String?
    }
  }

  /// Keys of other types, and those for encryption, are passed over. RFC 7517, 5.
  private static func keySet(_ text: String) async throws -> [Key] {
    var keys: [Key] = []
    for item in try JSONDecoder().decode(KeySet.self, from: Data(text.utf8)).keys {
      guard item.d == nil else {
        throw NodeError(
          .file, "the file of the NRF's keys holds a private key: give public keys only")
      }
      guard item.use == nil || item.use == "sig" else { continue }
      guard var algorithms = try await algorithms(of: item) else { continue }
      if let only = item.alg { algorithms = algorithms.filter { $0.key == only } }
      guard !algorithms.isEmpty else { continue }
      keys.append(Key(id: item.kid, algorithms: algorithms))
    }
    return keys
  }

  private static func algorithms(
    of item: KeySet.Item
  ) async throws -> [String: any JWTAlgorithm]? {
    switch (item.kty, item.crv) {
    case ("EC", "P-256"): try await ecdsa(ES256PublicKey(parameters: point(item)))
    case ("EC", "P-384"): try await ecdsa(ES384PublicKey(parameters: point(item)))
    case ("EC", "P-521"): try await ecdsa(ES512PublicKey(parameters: point(item)))
    case ("RSA", _):
      try await rsa(Insecure.RSA.PublicKey(modulus: item.n ?? "", exponent: item.e ?? ""))
    default: nil
    }
  }

  private static func point(_ item: KeySet.Item) -> ECDSAParameters {
    (x: item.x ?? "", y: item.y ?? "")
  }
}
