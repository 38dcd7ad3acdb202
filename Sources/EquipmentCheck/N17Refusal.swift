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
  case unknownResource
  case methodNotAllowed
  case notAcceptable
  case parameter(N17Parameter, N17ParameterFault)

  package static var allCases: [N17Refusal] {
    var cases: [N17Refusal] = [.unknownResource, .methodNotAllowed, .notAcceptable]
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
    case .unknownResource: 404
    case .methodNotAllowed: 405
    case .notAcceptable: 406
    case .parameter: 400
    }
  }

  /// TS 29.500, table 5.2.7.2-1; nil where it names none.
  package var cause: String? {
    switch self {
    case .unknownResource: "RESOURCE_URI_STRUCTURE_NOT_FOUND"
    case .methodNotAllowed, .notAcceptable: nil
    case .parameter(.pei, .missing): "MANDATORY_QUERY_PARAM_MISSING"
    case .parameter(.pei, _): "MANDATORY_QUERY_PARAM_INCORRECT"
    case .parameter: "OPTIONAL_QUERY_PARAM_INCORRECT"
    }
  }
}
