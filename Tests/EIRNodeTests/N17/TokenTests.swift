import DeviceLists
import Foundation
import Logging
import Simulation
import Testing

@testable import EIRNode

/// What counts as an access token. TS 29.510, 6.3.5.2.4; RFC 7515; RFC 8725.
@Suite(.serialized, .enabled(if: Tokens.isPossible))
struct TokenTests {
  private static let audience = AccessToken.Audience(instanceID: Tokens.node)

  private func fault(
    _ token: String, by keys: TokenKeys, asOf now: Instant = .now()
  ) -> AccessToken.Fault? {
    do throws(AccessToken.Fault) {
      _ = try AccessToken.verify(Substring(token), by: keys, for: Self.audience, asOf: now)
      return nil
    } catch {
      return error
    }
  }

  private func keys(_ path: String) async throws -> TokenKeys {
    try await TokenKeys(text: String(contentsOfFile: path, encoding: .utf8), path: path)
  }

  @Test(arguments: Tokens.Kind.allCases)
  func `a signature counts by every algorithm of its key and by no other`(
    kind: Tokens.Kind
  ) async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let keys = try await keys(tokens.makeKey("nrf", kind))
    let strangers = try await self.keys(tokens.makeKey("stranger", kind))
    for algorithm in kind.algorithms {
      let token = try await tokens.sign(Tokens.claims(), algorithm: algorithm)
      #expect(fault(token, by: keys) == nil, "\(algorithm)")
      #expect(fault(token, by: strangers) == .untrusted, "\(algorithm)")
      #expect(fault(token + "A", by: keys) != nil, "\(algorithm)")
    }
  }

  @Test func `claims are those of an NRF for this service`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let keys = try await keys(tokens.makeKey("nrf"))
    let now = Int(Date().timeIntervalSince1970)
    let other = "00000000-0000-4000-8000-000000000000"
    let table: [(changes: [String: Any?], fault: AccessToken.Fault?)] = [
      ([:], nil),
      (["aud": [Tokens.node]], nil),
      (["aud": [other, Tokens.node.uppercased()]], nil),
      (["aud": ["5G_EIR"]], nil),
      (["aud": Tokens.node], nil),
      (["aud": [other]], .otherAudience),
      (["aud": "5G-EIR"], .otherAudience),
      (["aud": "AMF"], .otherAudience),
      (["aud": [String]()], .otherAudience),
      (["aud": nil], .malformed),
      (["aud": 5], .malformed),
      (["scope": "namf-comm n5g-eir-eic nudm-sdm"], nil),
      (["scope": "n5g-eir-eic-x"], .otherScope),
      (["scope": "namf-comm"], .otherScope),
      (["scope": ""], .otherScope),
      (["scope": nil], .malformed),
      (["exp": now - 60], .expired),
      (["exp": now - 1], nil),
      (["exp": Double(now) + 0.5], nil),
      (["exp": 1e300], nil),
      (["exp": -1e300], .expired),
      (["exp": "later"], .malformed),
      (["exp": nil], .malformed),
      (["nbf": now + 60], .notYetValid),
      (["nbf": now - 60], nil),
      (["iss": nil], .malformed),
      (["iss": ""], .malformed),
      (["sub": nil], .malformed),
      (["producerPlmnId": ["mcc": "001", "mnc": "01"]], nil),
    ]
    for row in table {
      // PyJWT itself refuses claims of the wrong type where it knows better.
      let token = try await tokens.sign(Tokens.claims(row.changes))
      let moment = Instant(secondsSinceEpoch: Int64(now))
      #expect(fault(token, by: keys, asOf: moment) == row.fault, "\(row.changes)")
    }
  }

  @Test func `neither none nor a public key as a secret is an algorithm`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let path = try await tokens.makeKey("nrf")
    let keys = try await keys(path)
    let none = try await tokens.sign(Tokens.claims(), key: "", algorithm: "none")
    #expect(fault(none, by: keys) == .untrusted)
    let forged = try await forgedWithPublicKey(path)
    #expect(fault(forged, by: keys) == .untrusted)
    let token = try await tokens.sign(Tokens.claims())
    let parts = token.split(separator: ".")
    #expect(fault("\(parts[0]).\(parts[1]).", by: keys) == .untrusted)
    // The header says another algorithm than the one that was used.
    let header = Data(#"{"alg":"none"}"#.utf8).base64EncodedString().replacing("=", with: "")
    #expect(fault("\(header).\(parts[1]).\(parts[2])", by: keys) == .untrusted)
    let critical = try await tokens.sign(Tokens.claims(), headers: ["crit": ["b64"], "b64": true])
    #expect(fault(critical, by: keys) == .malformed)
    for text in ["", ".", "..", "a.b.c", "\(parts[0])", token + ".x", token + "=", "é.é.é"] {
      #expect(fault(text, by: keys) == .malformed, "\(text)")
    }
    let long = String(repeating: "A", count: AccessToken.longestBytes)
    #expect(fault("\(parts[0]).\(long).\(parts[2])", by: keys) == .malformed)
  }

  /// HS256 with the text of the public key as the secret: what PyJWT refuses to make.
  private func forgedWithPublicKey(_ path: String) async throws -> String {
    let program = """
      import base64, hashlib, hmac, json, sys
      def part(data): return base64.urlsafe_b64encode(data).rstrip(b"=")
      text = part(b'{"alg":"HS256"}') + b"." + part(sys.argv[2].encode())
      key = open(sys.argv[1], "rb").read()
      print((text + b"." + part(hmac.new(key, text, hashlib.sha256).digest())).decode(), end="")
      """
    let claims = try JSONSerialization.data(withJSONObject: Tokens.claims())
    let result = try await Program.run(
      Tokens.python, ["-c", program, path, String(decoding: claims, as: UTF8.self)])
    try #require(result.status == 0, "\(result.errors)")
    return result.output
  }

  @Test func `keys come as PEM, as certificates and as a key set`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let (one, two) = (try await tokens.makeKey("one"), try await tokens.makeKey("two", .rsa))
    let certificate = scratch.path + "/one.crt"
    _ = try await Tool.run(
      "openssl",
      [
        "req", "-x509", "-key", scratch.path + "/one.key", "-subj", "/CN=nrf", "-out", certificate,
      ])
    let token = try await tokens.sign(Tokens.claims(), key: "one")
    let other = try await tokens.sign(Tokens.claims(), key: "two", algorithm: "RS256")
    let both =
      try String(contentsOfFile: one, encoding: .utf8)
      + String(contentsOfFile: two, encoding: .utf8)
    let pem = try await TokenKeys(text: both, path: "both")
    #expect(fault(token, by: pem) == nil)
    #expect(fault(other, by: pem) == nil)
    #expect(fault(token, by: try await keys(certificate)) == nil)
    #expect(fault(other, by: try await keys(certificate)) == .untrusted)

    let set = scratch.path + "/keys.json"
    try await tokens.writeKeySet([("one", "a"), ("two", "b")], to: set)
    let named = try await tokens.sign(Tokens.claims(), key: "one", headers: ["kid": "a"])
    let misnamed = try await tokens.sign(Tokens.claims(), key: "one", headers: ["kid": "b"])
    #expect(fault(token, by: try await keys(set)) == nil)
    #expect(fault(named, by: try await keys(set)) == nil)
    #expect(fault(misnamed, by: try await keys(set)) == .untrusted)
    let unknown = try await tokens.sign(Tokens.claims(), key: "one", headers: ["kid": "c"])
    #expect(fault(unknown, by: try await keys(set)) == .unknownKey)
  }

  @Test func `a key of a set that cannot be used is passed over, and the others count`()
    async throws
  {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    try await tokens.makeKey("one")
    let path = scratch.path + "/keys.json"
    try await tokens.writeKeySet([("one", "a")], to: path)
    let good = try String(contentsOfFile: path, encoding: .utf8)
    let token = try await tokens.sign(Tokens.claims(), key: "one")
    let broken = [
      #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, #"{"kty":"EC","crv":"P-256","x":5}"#,
      #"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#, #"{"kty":"RSA","n":"","e":""}"#,
      #"{"kty":"RSA","n":"!","e":"AQAB"}"#, #"{"kty":"RSA"}"#, #"{"crv":"P-256"}"#, "5", "null",
      "[]", "{}",
    ]
    for key in broken {
      let text = good.replacing(#"{"keys": ["#, with: #"{"keys": [\#(key), "#)
      try #require(text != good)
      let keys = try await TokenKeys(text: text, path: "keys")
      #expect(fault(token, by: keys) == nil, "\(key)")
      // The second is the secret that the set begins with.
      #expect(keys.passedOver == [1, 2], "\(key)")
      await #expect(throws: NodeError.self, "\(key)") {
        try await TokenKeys(text: #"{"keys":[\#(key)]}"#, path: "keys")
      }
    }
    let encryption = good.replacing(#"{"keys": ["#, with: #"{"keys": [{"kty":"EC","use":"enc"}, "#)
    #expect(try await TokenKeys(text: encryption, path: "keys").passedOver == [2])
  }

  @Test func `the places of keys that are passed over are in the log`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    try await tokens.makeKey("one")
    let log = LogLines()
    var settings = N17Settings()
    let path = scratch.path + "/keys.json"
    try await tokens.writeKeySet([("one", "a")], to: path)
    settings.tokenKeys = path
    _ = try await N17Front(settings, logger: Logger(label: "n17") { _ in log.handler })
    #expect(
      log.lines == [
        "warning: keys of the NRF that cannot be used are passed over [\"keys\": 1]"
      ])
  }

  @Test func `a byte order mark before keys is no part of them`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    let pem = try await tokens.makeKey("one")
    let set = scratch.path + "/keys.json"
    try await tokens.writeKeySet([("one", "a")], to: set)
    let token = try await tokens.sign(Tokens.claims(), key: "one")
    for path in [pem, set] {
      let marked = path + ".marked"
      let octets = try Data(contentsOf: URL(filePath: path))
      try (Data([0xEF, 0xBB, 0xBF]) + octets).write(to: URL(filePath: marked))
      let text = try FileWatch.read([marked])[0]
      #expect(fault(token, by: try await TokenKeys(text: text, path: marked)) == nil, "\(path)")
    }
  }

  @Test func `a file without a public key is refused`() async throws {
    let scratch = try Scratch()
    let tokens = Tokens(directory: scratch.path)
    try await tokens.makeKey("nrf")
    let own = try String(contentsOfFile: scratch.path + "/nrf.key", encoding: .utf8)
    for text in ["", "no key", "{}", #"{"keys":[]}"#, #"{"keys":[{"kty":"oct","k":"AA"}]}"#, own] {
      await #expect(throws: NodeError.self) { try await TokenKeys(text: text, path: "keys") }
    }
  }
}
