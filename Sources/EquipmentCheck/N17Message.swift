package import DeviceLists

/// An answer as it goes out: a status, a body and its type.
package struct N17Message: Hashable, Sendable {
  package let status: Int
  package let contentType: String
  package let body: String
  /// Further header lines, names in lower case.
  package let headers: [String: String]

  /// 200 with the list, or 404 where the device is on none. TS 29.511, 5.2.2.2 and 6.1.7.3.
  ///
  /// - Parameter rule: what has decided; a 404 names it, for a setting that was forgotten is no
  ///   property of the device.
  package init(_ answer: CheckAnswer, by rule: DecisionRule = .mode) {
    switch answer {
    case .white: self.init(equipmentStatus: "WHITELISTED")
    case .grey: self.init(equipmentStatus: "GREYLISTED")
    case .black: self.init(equipmentStatus: "BLACKLISTED")
    case .unknown:
      self.init(
        problem: 404, title: "Not Found",
        members: #","cause":"ERROR_EQUIPMENT_UNKNOWN","detail":"\#(rule.detail)""#)
    }
  }

  package init(_ refusal: N17Refusal) {
    var members = refusal.cause.map { #","cause":"\#($0)""# } ?? ""
    if case .parameter(let parameter, let fault) = refusal {
      let name = "query " + parameter.rawValue
      members += #","invalidParams":[{"param":"\#(name)","reason":"\#(fault.reason)"}]"#
    }
    self.init(
      problem: refusal.status, title: Self.titles[refusal.status] ?? "", members: members,
      headers: Self.headers(of: refusal))
  }

  /// A challenge says what is wrong only where a token was given. RFC 6750, 3 and 3.1.
  private static func headers(of refusal: N17Refusal) -> [String: String] {
    let challenge = #"Bearer realm="\#(N17.service)""#
    return switch refusal {
    case .methodNotAllowed: ["allow": "GET, HEAD"]
    case .noToken: ["www-authenticate": challenge]
    case .invalidToken: ["www-authenticate": challenge + #", error="invalid_token""#]
    case .insufficientScope:
      [
        "www-authenticate": challenge
          + #", error="insufficient_scope", scope="\#(N17.service)""#
      ]
    case .tooManyTokens, .congested: ["retry-after": "1"]
    case .unknownAPI, .unknownResource, .notAcceptable, .parameter: [:]
    }
  }

  private init(equipmentStatus word: String) {
    status = 200
    contentType = "application/json"
    body = #"{"status":"\#(word)"}"#
    headers = [:]
  }

  /// ProblemDetails. TS 29.571, 5.2.4.1; RFC 9457.
  private init(
    problem status: Int, title: String, members: String, headers: [String: String] = [:]
  ) {
    self.status = status
    contentType = "application/problem+json"
    body = #"{"title":"\#(title)","status":\#(status)\#(members)}"#
    self.headers = headers
  }

  private static let titles = [
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 429: "Too Many Requests",
    503: "Service Unavailable",
  ]
}

extension DecisionRule {
  /// Why a device is answered as unknown.
  fileprivate var detail: String {
    switch self {
    case .override: "Every device is answered so (override)."
    case .failure: "No list counts, or the CEIR has not answered (policy.failure)."
    case .unusable: "The PEI should be an IMEI and is none (policy.unusable)."
    case .noIMEI: "The PEI has no IMEI (policy.noImei)."
    case .noSubscriber: "It depends on the subscriber, who was not named (policy.noSubscriber)."
    case .subscriberRule: "A rule for the subscriber answers so (subscriberRules)."
    case .special: "A placeholder or a test identity (policy.special)."
    // No entry of a list has this answer.
    case .exempt, .final, .pairing, .localBlack, .imei, .range, .tac, .mode:
      "The device is on no list."
    }
  }
}
