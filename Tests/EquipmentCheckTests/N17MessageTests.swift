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

  @Test(arguments: N17Refusal.allCases)
  func `no refusal is a server error and all but two give a cause`(refusal: N17Refusal) {
    #expect((400...406).contains(refusal.status))
    #expect((refusal.cause == nil) == (refusal.status == 405 || refusal.status == 406))
  }
}
