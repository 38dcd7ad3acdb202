import Foundation
import Simulation
import Testing

/// Keys and tokens that PyJWT and OpenSSL make: programs that we did not write.
struct Tokens {
  static let python = "/usr/bin/python3"
  /// Who asks, made up.
  static let consumer = "5a7bd676-ceeb-44bb-95e0-f6a55a328b03"
  /// Whom the tokens name as the node.
  static let node = "0d8a8d4e-1f7a-4c0e-9a55-3d1a4e7a2b10"

  let directory: String

  static var isPossible: Bool {
    let module = "/usr/lib/python3/dist-packages/jwt/__init__.py"
    let isThere = FileManager.default.fileExists(atPath: module) && Tool.isInstalled("openssl")
    if !isThere { print("skipped: python3-jwt or openssl is not installed") }
    return isThere
  }

  enum Kind: String, Sendable, CaseIterable {
    case p256 = "P-256"
    case p384 = "P-384"
    case p521 = "P-521"
    case rsa

    var algorithms: [String] {
      switch self {
      case .p256: ["ES256"]
      case .p384: ["ES384"]
      case .p521: ["ES512"]
      case .rsa: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
      }
    }
  }

  /// Makes `NAME.key` and its public key `NAME.pem`.
  @discardableResult
  func makeKey(_ name: String, _ kind: Kind = .p256) async throws -> String {
    let options =
      kind == .rsa
      ? ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
      : ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:\(kind.rawValue)"]
    _ = try await Tool.run("openssl", ["genpkey"] + options + ["-out", "\(directory)/\(name).key"])
    let path = "\(directory)/\(name).pem"
    _ = try await Tool.run(
      "openssl", ["pkey", "-in", "\(directory)/\(name).key", "-pubout", "-out", path])
    return path
  }

  /// The claims that an NRF writes, TS 29.510, 6.3.5.2.4.
  static func claims(
    _ changes: [String: Any?] = [:], seconds: Int = 600
  ) -> [String: Any] {
    let claims: [String: Any?] = [
      "iss": "c0ffee00-0000-4000-8000-000000000001", "sub": consumer, "aud": "5G_EIR",
      "scope": "n5g-eir-eic", "exp": Int(Date().timeIntervalSince1970) + seconds,
    ]
    return claims.merging(changes) { $1 }.compactMapValues { $0 }
  }

  /// - Parameter headers: further members of the JOSE header.
  func sign(
    _ claims: [String: Any], key: String = "nrf", algorithm: String = "ES256",
    headers: [String: Any] = [:]
  ) async throws -> String {
    let program = """
      import json, jwt, sys
      claims, key, algorithm, headers = sys.argv[1:]
      print(jwt.encode(json.loads(claims), open(key).read() if key else None, algorithm=algorithm,
                       headers=json.loads(headers)), end="")
      """
    let result = try await Program.run(
      Self.python,
      [
        "-c", program, try Self.text(claims), key.isEmpty ? "" : "\(directory)/\(key).key",
        algorithm, try Self.text(headers),
      ])
    try #require(result.status == 0, "\(result.errors)")
    return result.output
  }

  /// A JSON Web Key Set, as PyJWT writes public keys.
  func writeKeySet(_ keys: [(name: String, id: String)], to path: String) async throws {
    let program = """
      import json, jwt, sys
      from cryptography.hazmat.primitives.serialization import load_pem_public_key as load
      from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
      from jwt.algorithms import RSAAlgorithm
      import base64
      def text(number, length):
        return base64.urlsafe_b64encode(number.to_bytes(length, "big")).rstrip(b"=").decode()
      keys = [{"kty": "oct", "k": "c2VjcmV0", "kid": "secret"}]
      for argument in sys.argv[1:]:
        path, kid = argument.split("=")
        key = load(open(path, "rb").read())
        if isinstance(key, RSAPublicKey):
          item = json.loads(RSAAlgorithm.to_jwk(key))
        else:
          numbers, size = key.public_numbers(), (key.curve.key_size + 7) // 8
          names = {256: "P-256", 384: "P-384", 521: "P-521"}
          item = {"kty": "EC", "crv": names[key.curve.key_size], "x": text(numbers.x, size),
                  "y": text(numbers.y, size)}
        item.pop("key_ops", None)
        item["kid"] = kid
        keys.append(item)
      print(json.dumps({"keys": keys}), end="")
      """
    let result = try await Program.run(
      Self.python, ["-c", program] + keys.map { "\(directory)/\($0.name).pem=\($0.id)" })
    try #require(result.status == 0, "\(result.errors)")
    try result.output.write(toFile: path, atomically: true, encoding: .utf8)
  }

  private static func text(_ object: [String: Any]) throws -> String {
    String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
  }
}
