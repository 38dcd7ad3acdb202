import DeviceLists
import Foundation

/// An access token of the NRF: a JWS in its compact form (RFC 7515, 7.1) whose claims are those of
/// TS 29.510, 6.3.5.2.4 (AccessTokenClaims).
struct AccessToken: Sendable {
  /// Why a request is let in by no token; by these names in metrics and in the log.
  enum Fault: String, Error, Hashable, Sendable, CaseIterable {
    /// The request has none.
    case missing
    case malformed
    /// No key of its `kid` is known.
    case unknownKey = "unknown_key"
    /// No key has signed it, by an algorithm of that key.
    case untrusted = "signature"
    case otherAudience = "audience"
    case expired
    case notYetValid = "not_yet_valid"
    case otherScope = "scope"
  }

  /// Whom a token must be for.
  struct Audience: Hashable, Sendable {
    /// The type of the network function. TS 29.510, 6.1.6.3.3.
    static let type = "5G_EIR"
    /// The name of the service is the scope. TS 29.511, 6.1.9.
    static let scope = "n5g-eir-eic"

    /// A UUID in small letters; nil where none is set.
    let instanceID: String?

    fileprivate func isMeant(by claim: String) -> Bool {
      if claim == Self.type { return true }
      return instanceID != nil && claim.lowercased() == instanceID
    }
  }

  /// A token with its three parts.
  static let longestBytes = 8_192
  /// Clocks of the NRF and of this machine may differ by so much.
  static let clockLeewaySeconds: Int64 = 5

  private struct Header: Decodable {
    let alg: String
    let kid: String?
    /// Extensions that must be understood; none is. RFC 7515, 4.1.11.
    let isCritical: Bool

    enum CodingKeys: String, CodingKey { case alg, kid, crit }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      alg = try container.decode(String.self, forKey: .alg)
      kid = try container.decodeIfPresent(String.self, forKey: .kid)
      isCritical = container.contains(.crit)
    }
  }

  private struct Claims: Decodable {
    let iss: String
    let sub: String
    let audiences: [String]
    let scope: String
    let exp: Double
    let nbf: Double?

    enum CodingKeys: String, CodingKey { case iss, sub, aud, scope, exp, nbf }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      iss = try container.decode(String.self, forKey: .iss)
      sub = try container.decode(String.self, forKey: .sub)
      scope = try container.decode(String.self, forKey: .scope)
      exp = try container.decode(Double.self, forKey: .exp)
      nbf = try container.decodeIfPresent(Double.self, forKey: .nbf)
      if let one = try? container.decode(String.self, forKey: .aud) {
        audiences = [one]
      } else {
        audiences = try container.decode([String].self, forKey: .aud)
      }
    }
  }

  /// The token of `Authorization: Bearer …`; nil where there is none. RFC 6750, 2.1.
  static func bearer(_ authorization: String) -> Substring? {
    let scheme = "bearer "
    guard authorization.utf8.count > scheme.utf8.count else { return nil }
    for (sent, expected) in zip(authorization.utf8, scheme.utf8) where sent | 0x20 != expected {
      return nil
    }
    return authorization[authorization.utf8.index(authorization.startIndex, offsetBy: 7)...]
  }

  /// Proves a token and returns until when it counts.
  static func verify(
    _ token: Substring, by keys: TokenKeys, for audience: Audience, asOf now: Instant
  ) throws(Fault) -> Instant {
    let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard token.utf8.count <= longestBytes, parts.count == 3,
      let head = decoded(parts[0]), let body = decoded(parts[1]), let signature = decoded(parts[2]),
      let header = try? JSONDecoder().decode(Header.self, from: head), !header.isCritical
    else { throw .malformed }
    let message = Array(token.utf8.prefix(parts[0].count + 1 + parts[1].count))
    let isSigned = keys.verify(
      Array(signature), of: message, algorithm: header.alg, keyID: header.kid)
    guard isSigned else {
      throw keys.has(keyID: header.kid) ? .untrusted : .unknownKey
    }
    guard let claims = try? JSONDecoder().decode(Claims.self, from: body),
      !claims.iss.isEmpty, !claims.sub.isEmpty
    else { throw .malformed }
    return try check(claims, for: audience, asOf: now)
  }

  private static func check(
    _ claims: Claims, for audience: Audience, asOf now: Instant
  ) throws(Fault) -> Instant {
    guard claims.audiences.contains(where: audience.isMeant) else { throw .otherAudience }
    let end = instant(claims.exp).adding(seconds: clockLeewaySeconds)
    guard now < end else { throw .expired }
    if let start = claims.nbf, now.adding(seconds: clockLeewaySeconds) < instant(start) {
      throw .notYetValid
    }
    guard claims.scope.split(separator: " ").contains(Substring(Audience.scope)) else {
      throw .otherScope
    }
    return end
  }

  /// Whole seconds, downwards; beyond what a time can be, the nearest that it can.
  private static func instant(_ seconds: Double) -> Instant {
    guard seconds.isFinite else { return Instant(secondsSinceEpoch: .min) }
    return Instant(secondsSinceEpoch: Int64(max(min(seconds.rounded(.down), 1e15), -1e15)))
  }

  /// Base64url without padding. RFC 7515, 2.
  private static func decoded(_ part: Substring.UTF8View) -> Data? {
    var text = Data(capacity: part.count + 3)
    for byte in part {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: text.append(byte)
      case UInt8(ascii: "-"): text.append(UInt8(ascii: "+"))
      case UInt8(ascii: "_"): text.append(UInt8(ascii: "/"))
      default: return nil
      }
    }
    while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
    return Data(base64Encoded: text)
  }
}
