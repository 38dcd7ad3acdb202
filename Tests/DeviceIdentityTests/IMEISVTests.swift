import DeviceIdentity
import Testing

struct IMEISVTests {
  @Test(
    arguments: [
      // TS 23.003, 6.2.1 and 6.2.2; the digits are those of annex B.3.
      ("26053179311383", nil),
      ("260531793113837", nil),  // with the check digit
      ("260531793113830", nil),  // with the spare digit 0 of TS 23.003, 6.2.1
      ("260531793113831", nil),  // with a wrong one: never looked at
      ("2605317931138300", 0), ("2605317931138378", 78), ("2605317931138399", 99),
      // Fillers that conversions from TBCD leave behind.
      ("26053179311383F", nil), ("26053179311383FF", nil), ("260531793113837f", nil),
      ("260531793113837 ", nil), ("2605317931138378\0\0", 78), ("26053179311383F \0f", nil),
    ] as [(String, UInt8?)])
  func `14 to 16 signalled digits are one device`(text: String, version: UInt8?) throws {
    let device = try IMEISV(signalled: text.utf8)
    #expect(device.imei.number == 26_053_179_311_383)
    #expect(device.softwareVersion == version)
    #expect(try IMEI(signalled: text) == device.imei)
  }

  @Test(arguments: [
    // By the description of the type.
    ("", IdentityError.Code.empty), ("F", .empty), (" \0Ff", .empty),
    ("2605317931138", .length(digits: 13, expected: 14...16)),
    ("26053179311383781", .length(digits: 17, expected: 14...16)),
    ("99999999999999999999999999", .length(digits: 26, expected: 14...16)),
    ("2605317931138F", .length(digits: 13, expected: 14...16)),
    ("2605317F311383", .notADigit(position: 8)), (" 26053179311383", .notADigit(position: 1)),
    ("2605 3179311383", .notADigit(position: 5)), ("26053179311383FA", .notADigit(position: 16)),
    ("26053179311383F1", .notADigit(position: 15)),
    ("imei-26053179311383", .notADigit(position: 1)),
    ("26-053179-311383", .notADigit(position: 3)), ("260531793113837E", .notADigit(position: 16)),
    ("3.5E+13", .notADigit(position: 2)), ("２６０５３１７９３１１３８３", .notASCII(position: 1)),
    ("/6053179311383", .notADigit(position: 1)), (":6053179311383", .notADigit(position: 1)),
  ])
  func `anything else off the wire is refused`(text: String, code: IdentityError.Code) {
    #expect(throws: IdentityError(code)) { try IMEISV(signalled: text.utf8) }
    #expect(throws: IdentityError(code)) { try IMEISV(signalled: Array(text.utf8)[...]) }
  }

  @Test(
    arguments: [
      // RestComm/jss7, map-impl, IMEITest.getEncodedData: 16 digits.
      ([0x21, 0x43, 0x65, 0x87, 0x09, 0x21, 0x43, 0x65], 12_345_678_901_234, 56),
      // jss7, CheckImeiRequestTest.getEncodedDataV2, "real trace": 15 digits and a filler.
      ([0x53, 0x97, 0x75, 0x40, 0x31, 0x93, 0x95, 0xF0], 35_795_704_133_959, nil),
      // The same with both last halves filled, and without the last octet. TS 29.002, 17.7.8.
      ([0x53, 0x97, 0x75, 0x40, 0x31, 0x93, 0x95, 0xFF], 35_795_704_133_959, nil),
      ([0x53, 0x97, 0x75, 0x40, 0x31, 0x93, 0x95], 35_795_704_133_959, nil),
    ] as [([UInt8], UInt64, UInt8?)])
  func `binary coded digits are read low half first`(
    octets: [UInt8], number: UInt64, version: UInt8?
  ) throws {
    let device = try IMEISV(tbcd: octets)
    #expect(device.imei.number == number)
    #expect(device.softwareVersion == version)
  }

  @Test(
    arguments: [
      // jss7, IMEITest.getEncodedDataImeiLengthLessThan15: one digit.
      ([0xF1], IdentityError.Code.length(digits: 1, expected: 14...16)),
      ([], .empty), ([0xFF, 0xFF], .empty),
      // TS 29.002, 17.7.8: halves A to E are `*`, `#`, `a`, `b`, `c`.
      ([0x53, 0x97, 0x75, 0x40, 0x31, 0x93, 0x9A, 0xF0], .notADigit(position: 13)),
      ([0x53, 0x97, 0x75, 0x40, 0x31, 0x93, 0xE5, 0xF0], .notADigit(position: 14)),
      ([0x5F, 0x97, 0x75, 0x40, 0x31, 0x93, 0x95, 0xF0], .notADigit(position: 1)),
      (
        [0x53, 0x97, 0x75, 0x40, 0x31, 0x93, 0x95, 0x10, 0x32],
        .length(digits: 18, expected: 14...16)
      ),
    ] as [([UInt8], IdentityError.Code)])
  func `binary coded nonsense is refused`(octets: [UInt8], code: IdentityError.Code) {
    #expect(throws: IdentityError(code)) { try IMEISV(tbcd: octets) }
  }

  @Test(arguments: [
    // By the description of the type; `*#06#` and letters are reported by live networks.
    ("*#06#", "*#06#"), ("", ""), ("ABCDEF0123456789", "ABCDEF0123456789"),
    ("ABCDEF0123456789X", "ABCDEF0123456789"), ("12\0", "12\u{FFFD}"),
    // Cut without a sign it would be somebody's IMEISV.
    ("49015420323751899999", "490154203237518\u{2026}"), ("490154203237518*", "490154203237518*"),
    ("490154203237518FX", "490154203237518\u{2026}"),
    (
      "a" + String(repeating: "\u{0301}", count: 40), "a" + String(repeating: "\u{0301}", count: 15)
    ),
  ])
  func `an unusable identity is kept as text of at most sixteen scalars`(
    text: String, kept: String
  ) {
    let identity = UnusableIdentity(text)
    #expect(Array(identity.text.unicodeScalars) == Array(kept.unicodeScalars))
    #expect(identity.text.unicodeScalars.count <= UnusableIdentity.longestText)
  }
}
