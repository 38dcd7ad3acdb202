import DeviceIdentity
import DeviceLists
import EquipmentCheck
import Testing

/// Vectors: the examples and patterns of TS 29.571 (`Pei`, `Supi`, `Gpsi`, `SupportedFeatures`),
/// TS 23.003 annex B for 49015420323751, and what published EIRs get wrong.
struct N17QueryTests {
  private static let path = "/n5g-eir-eic/v1/equipment-status"

  private func read(
    _ target: String, method: String = "GET", accept: String? = nil
  ) throws(N17Refusal) -> CheckQuery {
    try N17().query(method: method, target: target.utf8.span, accept: accept)
  }

  private func refusal(
    of target: String, method: String = "GET", accept: String? = nil
  ) -> N17Refusal? {
    do throws(N17Refusal) {
      _ = try read(target, method: method, accept: accept)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    ("imei-012345678901234", 1_234_567_890_123, nil),
    ("imeisv-0123456789012345", 1_234_567_890_123, 45),
    ("imei-490154203237518", 49_015_420_323_751, nil),
    ("imei-490154203237510", 49_015_420_323_751, nil),
    ("imei-490154203237519", 49_015_420_323_751, nil),
    ("imeisv-4901542032375100", 49_015_420_323_751, 0),
    ("imei%2D490154203237518", 49_015_420_323_751, nil),
    ("%69mei-%34%390154203237518", 49_015_420_323_751, nil),
    ("imei-000000000000000", 0, nil),
  ])
  func `digit 15 is never looked at and the prefix is no part of the number`(
    pei: String, number: UInt64, softwareVersion: UInt8?
  ) throws {
    let imei = try #require(IMEI(number: number))
    let device = IMEISV(imei: imei, softwareVersion: softwareVersion)
    #expect(try read("\(Self.path)?pei=\(pei)") == CheckQuery(identity: .device(device)))
  }

  @Test(arguments: [
    "mac-00-00-5E-00-53-00", "mac-00-00-5E-00-53-00-untrusted", "eui-00-00-5E-EF-10-00-00-00",
    "490154203237518", "IMEI-490154203237518", "imei", "imei_490154203237518", "x", "%FF",
  ])
  func `any other text is a legal PEI without an IMEI`(pei: String) throws {
    #expect(try read("\(Self.path)?pei=\(pei)") == CheckQuery(identity: .none))
  }

  @Test(arguments: [
    ("", N17ParameterFault.missing),
    ("?", .missing),
    ("?supi=imsi-001010000000001", .missing),
    ("?Pei=imei-490154203237518", .missing),
    ("?%2570ei=imei-490154203237518", .missing),
    ("?pei", .empty),
    ("?pei=", .empty),
    ("?pei=imei-", .notFifteenDigits),
    ("?pei=imei-49015420323751", .notFifteenDigits),
    ("?pei=imei-4901542032375180", .notFifteenDigits),
    ("?pei=imei-49015420323751A", .notFifteenDigits),
    ("?pei=imei-imei-4901542032", .notFifteenDigits),
    ("?pei=imei-%D9%A4%D9%A4%D9%A4%D9%A4%D9%A4%D9%A4%D9%A4%D9%A4", .notFifteenDigits),
    ("?pei=imeisv-490154203237518", .notSixteenDigits),
    ("?pei=imeisv-490154203237510F", .notSixteenDigits),
    ("?pei=imei-49015420323751%", .badEscape),
    ("?pei=imei-49015420323751%3", .badEscape),
    ("?pei=imei-49015420323751%3g", .badEscape),
    ("?pei=imei-490154203237518&pei=imei-490154203237518", .repeated),
    ("?pei=imei-490154203237518&pei=", .repeated),
    ("?pei=imei-490154203237518&%70ei=x", .repeated),
    ("?supported-features=xyz&pei=imei-1", .notFifteenDigits),
  ])
  func `a PEI that is missing or wrong is told as such, before any other fault`(
    query: String, fault: N17ParameterFault
  ) {
    #expect(refusal(of: Self.path + query) == .parameter(.pei, fault))
  }

  @Test(arguments: [
    ("imsi-001010000000001", "001010000000001"),
    ("imsi-12345", "12345"),
    ("imsi%2D001010000000001", "001010000000001"),
    ("imsi-1234", nil),
    ("imsi-0010100000000011", nil),
    ("imsi-00101000000000A", nil),
    ("imsi-", nil),
    ("nai-user@example.com", nil),
    ("gci-abc", nil),
    ("gli-abc", nil),
    ("anything", nil),
  ])
  func `any SUPI is legal and only a well-formed IMSI names a subscriber`(
    supi: String, digits: String?
  ) throws {
    let query = try read("\(Self.path)?pei=mac-00&supi=\(supi)&gpsi=msisdn-491701234567")
    #expect(query.imsi?.digits == digits)
  }

  @Test(arguments: ["", "0", "1F", "abcdefABCDEF0123456789"])
  func `supported features are hexadecimal digits, perhaps none`(features: String) throws {
    #expect(
      try read("\(Self.path)?supported-features=\(features)&pei=x").identity == CheckedIdentity.none
    )
  }

  @Test(arguments: [
    ("supported-features=0x1", N17Parameter.supportedFeatures, N17ParameterFault.notHexadecimal),
    ("supported-features=1&supported-features=1", .supportedFeatures, .repeated),
    ("supi=", .supi, .empty),
    ("supi=imsi-00101&supi=imsi-00102", .supi, .repeated),
    ("gpsi=", .gpsi, .empty),
    ("gpsi=%zz", .gpsi, .badEscape),
    ("gpsi=a&gpsi=a", .gpsi, .repeated),
  ])
  func `an optional parameter that breaks its pattern is refused`(
    query: String, parameter: N17Parameter, fault: N17ParameterFault
  ) {
    #expect(refusal(of: "\(Self.path)?pei=x&\(query)") == .parameter(parameter, fault))
  }

  @Test func `parameters that the API does not know are passed over`() throws {
    let query = try read("\(Self.path)?&later=1&pei=x&a%ZZ=1&=&flag&")
    #expect(query == CheckQuery(identity: .none))
  }

  @Test(arguments: [
    "/", "", "*", "/n5g-eir-eic/v1/equipment-statu", "/n5g-eir-eic/v1/equipment-status/",
    "/n5g-eir-eic/v1/equipement-status", "/n5g-eir-eic/v1/equipment%2Gstatus",
    "//n5g-eir-eic/v1/equipment-status", "/eir/n5g-eir-eic/v1/equipment-status",
    "/n5g-eir-eic/v1", "/n5g-eir-eic/v1/", "/n5g-eir-eic/v", "/n5g-eir-eic/vx/equipment-status",
    "/n5g-eir-eic/equipment-status", "/n5g-eir-eic/v1//equipment-status",
  ])
  func `another path is an unknown resource, whatever the method`(path: String) {
    #expect(refusal(of: path + "?pei=x") == .unknownResource)
    #expect(refusal(of: path + "?pei=x", method: "POST") == .unknownResource)
  }

  /// TS 29.500, table 5.2.7.2-1, INVALID_API: "an unsupported API name or API version in the URI".
  @Test(arguments: [
    "/n5g-eir-eic/v2/equipment-status", "/n5g-eir-eic/v0/equipment-status", "/n5g-eir-eic/v10",
    "/N5G-EIR-EIC/v1/equipment-status", "/namf-comm/v1/ue-contexts", "/nudm-sdm/v2",
  ])
  func `another API or version is told as such`(path: String) {
    #expect(refusal(of: path + "?pei=x") == .unknownAPI)
    #expect(refusal(of: path, method: "POST") == .unknownAPI)
  }

  @Test func `a path may be percent-encoded and stand under a prefix of the API root`() throws {
    _ = try read("/n5g%2Deir-eic/v1/%65quipment-status?pei=x")
    let target = "/eir/n5g-eir-eic/v1/equipment-status?pei=x"
    _ = try N17(apiPrefix: "/eir").query(method: "GET", target: target.utf8.span)
  }

  @Test(arguments: ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "BREW"])
  func `only GET and HEAD are methods of the resource`(method: String) {
    #expect(refusal(of: Self.path + "?pei=x", method: method) == .methodNotAllowed)
    #expect(refusal(of: "", method: "CONNECT") == .methodNotAllowed)
    #expect(refusal(of: Self.path + "?pei=x", method: "HEAD") == nil)
  }

  @Test(arguments: [
    (nil, true),
    ("", true),
    ("*/*", true),
    ("application/json", true),
    ("application/json, application/problem+json", true),
    ("Application/JSON;charset=utf-8", true),
    ("application/*;q=0.1", true),
    ("text/html, application/problem+json ; q=0.5", true),
    ("application/json;q=0, */*", true),
    ("text/html", false),
    ("text/html, application/xml;q=0.9", false),
    ("application/json;q=0", false),
    ("*/*;q=0", false),
    ("application/json;q=0.0, application/problem+json; q=0.000, */*", false),
    ("application/jsonx", false),
  ])
  func `an accept header that allows neither form cannot be satisfied`(
    accept: String?, isAcceptable: Bool
  ) {
    let refusal = refusal(of: Self.path + "?pei=x", accept: accept)
    #expect(refusal == (isAcceptable ? nil : .notAcceptable))
  }
}
