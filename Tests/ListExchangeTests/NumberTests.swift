import Testing

@testable import ListExchange

struct NumberTests {
  /// What JSON Schema calls an integer is one, however it is spelt: 2020-12, 6.1.1 of the core.
  @Test(arguments: [
    ("0", 0), ("12", 12), ("12.0", 12), ("12.000", 12), ("1.2e1", 12), ("120e-1", 12),
    ("0.012e3", 12), ("12E+0", 12), ("1e3", 1_000), ("0e999999999", 0), ("0.0e-5", 0),
    ("18446744073709551615", UInt64.max), ("1.8446744073709551615e19", .max),
  ])
  func `a whole number is read in every spelling`(text: String, number: UInt64) throws {
    #expect(try JSONValue(bytes: Array(text.utf8)) == .whole(number))
  }

  @Test(arguments: [
    "-1", "0.5", "12.01", "121e-1", "1e-1", "18446744073709551616", "1e20", "1e999999999",
    "1.84467440737095516155e19", "-0",
  ])
  func `any other number is none of the exchange`(text: String) throws {
    #expect(try JSONValue(bytes: Array(text.utf8)) == .otherNumber)
  }

  @Test(arguments: ["01", "1.", ".5", "1e", "1e+", "+1", "1.e3", "0x1"])
  func `what is no number is refused`(text: String) {
    #expect(throws: ExchangeError.self) { try JSONValue(bytes: Array(text.utf8)) }
  }
}
