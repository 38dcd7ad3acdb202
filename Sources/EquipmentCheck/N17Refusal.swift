/// The parameters of the one operation. TS 29.511, 6.1.3.2.3.1.
package enum N17Parameter: String, Sendable, CaseIterable {
  case pei, supi, gpsi
  case supportedFeatures = "supported-features"
}

package enum N17ParameterFault: Sendable, CaseIterable {
  case missing, repeated, empty, badEscape
  case notFifteenDigits, notSixteenDigits
  case notHexadecimal

  /// Says what is right, never what was sent.
  var reason: String {
    switch self {
    case .missing: "is required"
    case .repeated: "must be given only once"
    case .empty: "must not be empty"
    case .badEscape: "has a percent sign that two hexadecimal digits do not follow"
    case .notFifteenDigits: "must have exactly 15 digits after imei-"
    case .notSixteenDigits: "must have exactly 16 digits after imeisv-"
    case .notHexadecimal: "must have hexadecimal digits only"
    }
  }
}

/// Why a request is no question that can be answered.
package enum N17Refusal: Error, Hashable, Sendable, CaseIterable {
  /// Another API than this, or another version of it.
  case unknownAPI
  case unknownResource
  case methodNotAllowed
  case notAcceptable
  case parameter(N17Parameter, N17ParameterFault)
  /// An access token is required and none was given.
  case noToken
  case invalidToken
  /// The token is genuine, but for other services.
  case insufficientScope
  /// More tokens that were never seen before than are looked at in a second.
  case tooManyTokens
  /// Too much waits already.
  case congested

  package static var allCases: [N17Refusal] {
    var cases: [N17Refusal] = [
      .unknownAPI, .unknownResource, .methodNotAllowed, .notAcceptable, .noToken, .invalidToken,
      .insufficientScope, .tooManyTokens, .congested,
    ]
    for parameter in N17Parameter.allCases {
      for fault in N17ParameterFault.allCases { cases.append(.parameter(parameter, fault)) }
    }
    return cases
  }

  package var parameter: N17Parameter? {
    guard case .parameter(let parameter, _) = self else { return nil }
    return parameter
  }

  package var status: Int {
    switch self {
    case .unknownAPI, .parameter: 400
    case .noToken, .invalidToken: 401
    case .insufficientScope: 403
    case .unknownResource: 404
    case .methodNotAllowed: 405
    case .notAcceptable: 406
    case .tooManyTokens: 429
    case .congested: 503
    }
  }

  /// TS 29.500, table 5.2.7.2-1; nil where it names none.
  package var cause: String? {
    switch self {
    case .unknownAPI: "INVALID_API"
    case .unknownResource: "RESOURCE_URI_STRUCTURE_NOT_FOUND"
    case .methodNotAllowed, .notAcceptable: nil
    case .noToken, .invalidToken, .insufficientScope: nil
    case .tooManyTokens: "NF_CONGESTION_RISK"
    case .congested: "NF_CONGESTION"
    case .parameter(.pei, .missing): "MANDATORY_QUERY_PARAM_MISSING"
    case .parameter(.pei, _): "MANDATORY_QUERY_PARAM_INCORRECT"
    case .parameter: "OPTIONAL_QUERY_PARAM_INCORRECT"
    }
  }
}
