import DeviceIdentity
import Testing

struct IMEITests {
  @Test(arguments: [
    // TS 23.003, annex B.3: the worked example.
    ("26053179311383", 7),
    // The example of many descriptions of the IMEI; recomputed by annex B.2.
    ("49015420323751", 8),
    // osmocom/libosmocore, tests/gsm23003/gsm23003_test.c: `test_imeis`, valid with digit 15.
    ("35761300444848", 5), ("35780502398444", 7), ("35293600134977", 7), ("35766301776855", 1),
    // docs.rs/imei 1.1.1, examples/basic.rs, and formvalidation.io/guide/validators/imei.
    ("35812256221401", 5), ("35209900176148", 1),
    // By hand from annex B.2: nothing to add, and 7 × (1 + 8) + 7 × 9 = 126.
    ("00000000000000", 0), ("99999999999999", 4),
  ])
  func `the check digit is that of TS 23_003 annex B`(digits: String, check: UInt8) throws {
    let imei = try IMEI(signalled: digits)
    #expect(imei.checkDigit == check)
    #expect(imei.dialled == digits + String(check))
    #expect(try IMEI(dialled: imei.dialled) == imei)
    #expect(imei.description == digits)
  }

  @Test func `one wrong digit never passes the check digit`() throws {
    let right = Array("260531793113837".utf8)
    for place in right.indices {
      for digit in UInt8(0x30)...0x39 where digit != right[place] {
        var wrong = right
        wrong[place] = digit
        #expect(throws: IdentityError.self) {
          try IMEI(dialled: String(decoding: wrong, as: UTF8.self))
        }
      }
    }
  }

  @Test(arguments: [
    // osmocom/libosmocore, tests/gsm23003/gsm23003_test.c: `test_imeis`, invalid.
    ("357613004448480", IdentityError.Code.checkDigit(expected: 5, found: 0)),
    ("357613004448405", .checkDigit(expected: 2, found: 5)),
    ("357613004448085", .checkDigit(expected: 9, found: 5)),
    // What people and spreadsheets hand over; by the description of the type.
    ("", .empty), ("   ", .empty), ("\t", .empty),
    ("35761300444848", .length(digits: 14, expected: 15...15)),
    ("3576130044484855", .length(digits: 16, expected: 15...15)),
    ("99999999999999999999999999", .length(digits: 26, expected: 15...15)),
    ("---", .length(digits: 0, expected: 15...15)),
    ("4401542032375", .length(digits: 13, expected: 15...15)),
    ("35761300444848O", .notADigit(position: 15)),
    ("A57613004448485", .notADigit(position: 1)),
    ("*#06#", .notADigit(position: 1)),
    ("357613004448485\n", .notADigit(position: 16)),
    ("357613\0004448485", .notADigit(position: 7)),
    ("３５７６１３００４４４８４８５", .notASCII(position: 1)),
    ("35761300444848\u{0665}", .notASCII(position: 15)),
    ("\u{FEFF}357613004448485", .notASCII(position: 1)),
    ("357613004448485\u{A0}", .notASCII(position: 16)),
    ("3.5E+13", .spreadsheetNumber), ("3,5E+13", .spreadsheetNumber),
    ("3.57613E+14", .spreadsheetNumber), ("3e14", .spreadsheetNumber),
    (" 3.5E+13\t", .spreadsheetNumber),
    ("E+13", .notADigit(position: 1)), ("3E", .notADigit(position: 2)),
    ("3.5E+1x", .notADigit(position: 4)), ("35E761300444848", .spreadsheetNumber),
  ])
  func `a dialled number that is no IMEI is refused with its reason`(
    text: String, code: IdentityError.Code
  ) {
    #expect(throws: IdentityError(code)) { try IMEI(dialled: text) }
  }

  @Test(arguments: [
    "357613004448485", " 357613004448485 ", "\t357613004448485", "35-761300-444848-5",
    "35 761300 444848 5", "35.761300.444848.5", "35/761300/444848/5", "35 - 761300-444848/5",
  ])
  func `people may put separators between the groups`(text: String) throws {
    #expect(try IMEI(dialled: text).number == 35_761_300_444_848)
  }

  @Test func `a lost leading zero is named as what it may be`() {
    let error = IdentityError(.length(digits: 14, expected: 15...15))
    #expect(
      error.description
        == "has 14 digits instead of 15 (was a leading zero or the check digit lost?)")
    let type = IdentityError(.length(digits: 7, expected: 8...8))
    #expect(type.description == "has 7 digits instead of 8 (was a leading zero lost?)")
    let short = IdentityError(.length(digits: 1, expected: 14...16))
    #expect(short.description == "has 1 digit instead of 14 to 16")
  }

  @Test(arguments: [
    (IdentityError.Code.empty, "is empty"),
    (.length(digits: 17, expected: 14...16), "has 17 digits instead of 14 to 16"),
    (.notADigit(position: 3), "has something other than a digit at place 3"),
    (
      .notASCII(position: 1),
      "has a character outside ASCII at place 1: only the digits 0 to 9 are meant"
    ),
    (
      .spreadsheetNumber,
      "is a rounded number in scientific notation: format the column as text and export again"
    ),
    (.checkDigit(expected: 7, found: 1), "has the check digit 1 where 7 is right"),
  ])
  func `an error says why without the text`(code: IdentityError.Code, description: String) {
    #expect(IdentityError(code).description == description)
  }

  @Test func `numbers are kept within fourteen digits`() throws {
    #expect(IMEI(number: 99_999_999_999_999)?.description == "99999999999999")
    #expect(IMEI(number: 100_000_000_000_000) == nil)
    #expect(IMEI(number: .max) == nil)
    let type = try TAC("35761300")
    #expect(IMEI(tac: type, serial: 444_848)?.number == 35_761_300_444_848)
    #expect(IMEI(tac: type, serial: 1_000_000) == nil)
    #expect(IMEI(tac: type, serial: .max) == nil)
    let imei = try IMEI(signalled: "00440001000042")
    #expect(imei.tac.description == "00440001")
    #expect(imei.serial == 42)
    #expect(imei.description == "00440001000042")
    #expect(IMEI(unchecked: 1) < IMEI(unchecked: 2))
  }

  @Test func `the placeholders are the ten numbers of equal digits`() {
    for digit in 0...9 {
      let text = String(repeating: String(digit), count: 14)
      #expect((try? IMEI(signalled: text))?.isPlaceholder == true)
    }
    for number: UInt64 in [
      1, 11_111_111_111_110, 11_111_111_111_112, 12_345_678_901_234, 99_999_999_999_998,
      10_101_010_101_010,
    ] {
      #expect(!IMEI(unchecked: number).isPlaceholder)
    }
  }
}
