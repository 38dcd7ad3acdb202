import DeviceLists
import EquipmentCheck
import Testing

/// The bytes are those of TS 29.511 (EirResponseData) and TS 29.571 (ProblemDetails).
struct N17MessageTests {
  @Test(arguments: [
    (CheckAnswer.white, #"{"status":"WHITELISTED"}"#),
    (.grey, #"{"status":"GREYLISTED"}"#),
    (.black, #"{"status":"BLACKLISTED"}"#),
  ])
  func `a listed device is one word in capitals and nothing else`(
    answer: CheckAnswer, body: String
  ) {
    let message = N17Message(answer)
    #expect(message.status == 200)
    #expect(message.contentType == "application/json")
    #expect(message.body == body)
    #expect(message.headers.isEmpty)
  }

  @Test func `a device on no list is 404 with the cause of the API`() {
    let message = N17Message(.unknown)
    #expect(message.status == 404)
    #expect(message.contentType == "application/problem+json")
    #expect(
      message.body == #"{"title":"Not Found","status":404,"cause":"ERROR_EQUIPMENT_UNKNOWN","#
        + #""detail":"The device is on no list."}"#)
  }

  @Test(arguments: [
    (DecisionRule.failure, "No list counts, or the CEIR has not answered (policy.failure)."),
    (.noIMEI, "The PEI has no IMEI (policy.noImei)."),
    (.subscriberRule, "A rule for the subscriber answers so (subscriberRules)."),
    (.tac, "The device is on no list."),
  ])
  func `a 404 names the setting that gave it`(rule: DecisionRule, detail: String) {
    let message = N17Message(.unknown, by: rule)
    #expect(
      message.body == #"{"title":"Not Found","status":404,"cause":"ERROR_EQUIPMENT_UNKNOWN","#
        + #""detail":"\#(detail)"}"#)
    #expect(N17Message(.black, by: rule) == N17Message(.black))
  }

  @Test(arguments: [
    (
      N17Refusal.parameter(.pei, .missing), 400,
      #"{"title":"Bad Request","status":400,"cause":"MANDATORY_QUERY_PARAM_MISSING","#
        + #""invalidParams":[{"param":"query pei","reason":"is required"}]}"#
    ),
    (
      .parameter(.pei, .notFifteenDigits), 400,
      #"{"title":"Bad Request","status":400,"cause":"MANDATORY_QUERY_PARAM_INCORRECT","#
        + #""invalidParams":[{"param":"query pei","#
        + #""reason":"must have exactly 15 digits after imei-"}]}"#
    ),
    (
      .parameter(.supportedFeatures, .notHexadecimal), 400,
      #"{"title":"Bad Request","status":400,"cause":"OPTIONAL_QUERY_PARAM_INCORRECT","#
        + #""invalidParams":[{"param":"query supported-features","#
        + #""reason":"must have hexadecimal digits only"}]}"#
    ),
    (
      .unknownResource, 404,
      #"{"title":"Not Found","status":404,"cause":"RESOURCE_URI_STRUCTURE_NOT_FOUND"}"#
    ),
    (.unknownAPI, 400, #"{"title":"Bad Request","status":400,"cause":"INVALID_API"}"#),
    (.noToken, 401, #"{"title":"Unauthorized","status":401}"#),
    (.invalidToken, 401, #"{"title":"Unauthorized","status":401}"#),
    (.insufficientScope, 403, #"{"title":"Forbidden","status":403}"#),
    (
      .tooManyTokens, 429,
      #"{"title":"Too Many Requests","status":429,"cause":"NF_CONGESTION_RISK"}"#
    ),
    (.congested, 503, #"{"title":"Service Unavailable","status":503,"cause":"NF_CONGESTION"}"#),
    (.methodNotAllowed, 405, #"{"title":"Method Not Allowed","status":405}"#),
    (.notAcceptable, 406, #"{"title":"Not Acceptable","status":406}"#),
  ])
  func `a refusal is a problem document with its cause`(
    refusal: N17Refusal, status: Int, body: String
  ) {
    let message = N17Message(refusal)
    #expect(message.status == status)
    #expect(message.body == body)
    #expect(message.contentType == "application/problem+json")
  }

  @Test func `a method that is not allowed names those that are`() {
    #expect(N17Message(.methodNotAllowed).headers == ["allow": "GET, HEAD"])
  }

  @Test func `a challenge says what is wrong only with a token that was given`() {
    let realm = #"Bearer realm="n5g-eir-eic""#
    #expect(N17Message(.noToken).headers == ["www-authenticate": realm])
    #expect(
      N17Message(.invalidToken).headers
        == ["www-authenticate": realm + #", error="invalid_token""#])
    #expect(
      N17Message(.insufficientScope).headers == [
        "www-authenticate": realm + #", error="insufficient_scope", scope="n5g-eir-eic""#
      ])
  }

  @Test(arguments: [N17Refusal.tooManyTokens, .congested])
  func `who is turned away is told when to come again`(refusal: N17Refusal) {
    #expect(N17Message(refusal).headers == ["retry-after": "1"])
  }

  @Test(arguments: N17Refusal.allCases)
  func `a refusal gives a cause wherever the standard has one`(refusal: N17Refusal) {
    let withoutCause = [401, 403, 405, 406]
    #expect((refusal.cause == nil) == withoutCause.contains(refusal.status))
    #expect((400...406).contains(refusal.status) || [429, 503].contains(refusal.status))
  }
}
