import DeviceIdentity
import Testing

struct TACTests {
  @Test(arguments: [
    // GSMA TS.06: 001 001 to 001 017 (CTIA), 0044 (TÜV SÜD), 0086 (TAF); one beside each end.
    ("00100100", true), ("00100199", true), ("00101700", true), ("00101799", true),
    ("00100099", false), ("00101800", false),
    ("00440000", true), ("00449999", true), ("00439999", false), ("00450000", false),
    ("00860000", true), ("00869999", true), ("00859999", false), ("00870000", false),
    ("44000000", false), ("86000012", false), ("35761300", false), ("00000000", false),
  ])
  func `test types are those of TS_06`(text: String, isTest: Bool) throws {
    #expect(try TAC(text).isTest == isTest)
  }

  @Test(arguments: [
    // GSMA TS.06: the first two digits are the Reporting Body Identifier.
    ("35761300", 35), ("01161200", 1), ("86000012", 86), ("00440000", 0), ("99000112", 99),
  ])
  func `the reporting body is the first two digits`(text: String, body: UInt8) throws {
    let type = try TAC(text)
    #expect(type.reportingBody == body)
    #expect(type.description == text)
    #expect(TAC(number: type.number) == type)
  }

  @Test(arguments: [
    ("", IdentityError.Code.empty), ("3576130", .length(digits: 7, expected: 8...8)),
    ("357613001", .length(digits: 9, expected: 8...8)), ("3576130A", .notADigit(position: 8)),
    ("3.58E+07", .spreadsheetNumber), ("３５７６１３００", .notASCII(position: 1)),
  ])
  func `a type has eight digits`(text: String, code: IdentityError.Code) {
    #expect(throws: IdentityError(code)) { try TAC(text) }
    #expect(TAC(number: 100_000_000) == nil)
  }

  @Test func `the devices of a type are its million serials`() throws {
    let type = try TAC("35-761300")
    #expect(type.imeis.lowerBound.description == "35761300000000")
    #expect(type.imeis.upperBound.description == "35761300999999")
    #expect(TAC(number: 99_999_999)?.imeis.upperBound.number == 99_999_999_999_999)
    #expect(try IMEI(signalled: "35761300444848").tac == type)
  }
}
