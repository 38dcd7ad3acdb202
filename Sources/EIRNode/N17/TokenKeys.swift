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

    /// - Parameter keyID: `kid` of a token.
    func isMeant(by keyID: String?) -> Bool { keyID == nil || id == nil || id == keyID }
  }

  private let keys: [Key]
  /// The places, from 1, of keys of a set that cannot be used.
  let passedOver: [Int]

  /// - Parameter text: PEM public keys and certificates, or a JSON Web Key Set (RFC 7517, 5).
  init(text: String, path: String) async throws(NodeError) {
    // A reader may ignore a byte order mark (RFC 8259, 8.1), which is no space.
    let text =
      text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    do {
      if text.first(where: { !$0.isWhitespace }) == "{" {
        (keys, passedOver) = try await Self.keySet(text)
      } else {
        (keys, passedOver) = (try await Self.pem(text), [])
      }
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

  /// Whether one of the keys is meant by `kid` of a token.
  func has(keyID: String?) -> Bool { keys.contains { $0.isMeant(by: keyID) } }

  /// Whether one of the keys has signed the message.
  func verify(
    _ signature: [UInt8], of message: [UInt8], algorithm: String, keyID: String?
  ) -> Bool {
    keys.contains { key in
      guard key.isMeant(by: keyID), let algorithm = key.algorithms[algorithm] else { return false }
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
    let keys: [Place]

    /// Nothing where a key is none, so that the others still count.
    struct Place: Decodable {
      let item: Item?

      init(from decoder: any Decoder) throws { item = try? Item(from: decoder) }
    }

    struct Item: Decodable {
      let kty: String
      let kid, use, alg, crv, x, y, n, e, d: String?
    }
  }

  /// Keys that cannot be used, be they broken or of other types, are passed over, and those for
  /// encryption are none of ours. RFC 7517, 5.
  private static func keySet(_ text: String) async throws -> (keys: [Key], passedOver: [Int]) {
    var keys: [Key] = []
    var passedOver: [Int] = []
    let set = try JSONDecoder().decode(KeySet.self, from: Data(text.utf8))
    for (place, item) in set.keys.map(\.item).enumerated() {
      guard item?.d == nil else {
        throw NodeError(
          .file, "the file of the NRF's keys holds a private key: give public keys only")
      }
      if let use = item?.use, use != "sig" { continue }
      if let item, let key = await key(item) {
        keys.append(key)
      } else {
        passedOver.append(place + 1)
      }
    }
    return (keys, passedOver)
  }

  /// Nil where it cannot be used.
  private static func key(_ item: KeySet.Item) async -> Key? {
    // Why a key is broken is its maker's affair: that it is passed over is in the log.
    guard var algorithms = try? await algorithms(of: item) else { return nil }
    if let only = item.alg { algorithms = algorithms.filter { $0.key == only } }
    return algorithms.isEmpty ? nil : Key(id: item.kid, algorithms: algorithms)
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
