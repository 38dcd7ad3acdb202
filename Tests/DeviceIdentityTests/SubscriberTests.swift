import DeviceIdentity
import Testing

struct SubscriberTests {
  @Test(arguments: [
    // osmocom/libosmocore, tests/gsm23003/gsm23003_test.c: `test_imsis`, but for five digits, which
    // TS 29.571 (`imsi-[0-9]{5,15}`) allows.
    ("", false), (" ", false), ("1", false), ("123", false), ("12345", true), ("123456", true),
    ("1234567", true), ("1234567890123", true), ("123456789012345", true),
    ("000000000000000", true), ("999999999999999", true), ("1234567890123456", false),
    ("a23456789012345", false), ("1234567b9012345", false), ("12345678901234c", false),
    ("123456789 01234", false), ("1234567\n123456", false), ("123456\t123456", false),
    ("123456\r123456", false),
  ])
  func `an IMSI has 5 to 15 digits`(text: String, isIMSI: Bool) throws {
    let imsi = try? IMSI(text)
    #expect((imsi != nil) == isIMSI)
    #expect((try? IMSI(digits: Array(text.utf8))) == imsi)
    guard let imsi else { return }
    #expect(imsi.digits == text)
    #expect(imsi.length == text.count)
    #expect(IMSI(packed: imsi.packed) == imsi)
  }

  @Test(arguments: [
    // osmocom/libosmocore, tests/gsm23003/gsm23003_test.c: `test_msisdns`.
    ("", false), (" ", false), ("1", true), ("123", true), ("12345", true), ("123456", true),
    ("1234567", true), ("1234567890123", true), ("123456789012345", true),
    ("000000000000000", true), ("999999999999999", true), ("1234567890123456", false),
    ("a23456789012345", false), ("1234567b9012345", false), ("12345678901234c", false),
    ("123456789 01234", false), ("1234567\n123456", false), ("123456\t123456", false),
    ("123456\r123456", false),
    // ITU-T E.164: the international form; by the description of the type.
    ("+4930901820", true), ("+", false), ("++4930901820", false), ("4930901820+", false),
  ])
  func `an MSISDN has up to 15 digits`(text: String, isMSISDN: Bool) {
    let msisdn = try? MSISDN(text)
    #expect((msisdn != nil) == isMSISDN)
    guard let msisdn else { return }
    #expect(msisdn.digits == (text.first == "+" ? String(text.dropFirst()) : text))
    #expect(MSISDN(packed: msisdn.packed) == msisdn)
  }

  @Test func `packing keeps leading zeros and sorts by length, then digits`() throws {
    let ordered = ["00000", "00001", "99999", "000000", "001010", "000000000000001"]
    let packed = try ordered.map { try IMSI($0).packed }
    #expect(packed == packed.sorted())
    #expect(Set(packed).count == ordered.count)
    #expect(try IMSI("00001").packed == 5_000_000_000_000_001)
    #expect(try IMSI("999999999999999").packed == 15_999_999_999_999_999)
    #expect(try IMSI("00001") < IMSI("000000"))
  }

  @Test(arguments: [
    // By the description of the packing: length × 10^15 + digits.
    0, 1, 4_000_000_000_000_001, 5_000_000_000_100_000, 16_000_000_000_000_000,
    14_100_000_000_000_000, 999_999_999_999_999, UInt64.max,
  ])
  func `a number that is no length and digits is no IMSI`(packed: UInt64) {
    #expect(IMSI(packed: packed) == nil)
    #expect(packed == 4_000_000_000_000_001 || MSISDN(packed: packed) == nil)
  }

  @Test(arguments: [
    // TS 23.003, 2.2: MCC 3 digits, MNC 2 or 3; 999 and 001-01 are for private and test networks.
    ("99970", "999700000000001", true), ("999-70", "999700000000001", true),
    ("999700", "999700000000001", true), ("999-071", "999700000000001", false),
    ("00101", "001010000000001", true), ("00101", "00101", true), ("001010", "00101", false),
    ("310-260", "310260123456789", true), ("310-260", "310261123456789", false),
  ])
  func `a network holds the subscribers that begin with it`(
    network: String, subscriber: String, isHeld: Bool
  ) throws {
    let plmn = try PLMN(network)
    #expect(try plmn.contains(IMSI(subscriber)) == isHeld)
    #expect(plmn.description == network.filter { $0 != "-" })
    #expect(try PLMN(plmn.description) == plmn)
  }

  @Test(arguments: [
    "", "9997", "9997000", "99-970", "9-9970", "999--70", "999-7", "999-7-0", "x9970",
  ])
  func `what is no network is refused`(text: String) {
    #expect(throws: IdentityError.self) { try PLMN(text) }
  }

  @Test func `networks with two and three digits are different`() throws {
    #expect(try PLMN("310026") != PLMN("31026"))
    #expect(try IMSIPrefix("310") == IMSIPrefix("310"))
    #expect(try IMSIPrefix("0310") != IMSIPrefix("310"))
    #expect(throws: IdentityError.self) { try IMSIPrefix("") }
    #expect(throws: IdentityError.self) { try IMSIPrefix("1234567890123456") }
  }

  @Test func `a prefix of any length holds exactly what begins with it`() throws {
    let digits = "001017000000042"
    let imsi = try IMSI(digits)
    for length in 1...15 {
      let prefix = String(digits.prefix(length))
      #expect(try IMSIPrefix(prefix).contains(imsi))
      #expect(try IMSIPrefix(prefix).digits == prefix)
      let last = prefix.last == "9" ? "8" : "9"
      #expect(try !IMSIPrefix(prefix.dropLast() + last).contains(imsi))
    }
    #expect(try !IMSIPrefix(digits).contains(IMSI("00101700000004")))
  }

  @Test func `a subscriber never shows in text`() throws {
    let imsi = try IMSI("999701234567890")
    let msisdn = try MSISDN("+999701234567891")
    let prefix = try IMSIPrefix("999701234567890")
    struct Record { let imsi: IMSI, msisdn: MSISDN?, prefixes: [IMSIPrefix] }
    let record = Record(imsi: imsi, msisdn: msisdn, prefixes: [prefix])
    for text in Self.texts(of: imsi) + Self.texts(of: msisdn) + Self.texts(of: prefix)
      + Self.texts(of: record) + Self.texts(of: [imsi: msisdn]) + Self.texts(of: [Optional(imsi)])
    {
      #expect(!text.contains("1234567"), "\(text)")
    }
    #expect(prefix.description == "999701xxxxxxxxx")
  }

  /// Every way in which a value becomes text without being asked for its digits.
  private static func texts(of value: Any) -> [String] {
    var printed = ""
    var debugged = ""
    var dumped = ""
    print(value, to: &printed)
    debugPrint(value, to: &debugged)
    dump(value, to: &dumped)
    let children = Mirror(reflecting: value).children.map { "\($0)" }
    return [
      printed, debugged, dumped, "\(value)", String(describing: value), String(reflecting: value),
    ] + children
  }
}
