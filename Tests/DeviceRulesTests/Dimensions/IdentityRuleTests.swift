import DeviceRules
import Testing

struct MalformedIdentityTests {
  @Test(arguments: [
    // TS 23.003, 6.2: fourteen digits. DIRBS: the normalised form is not exactly 14 digits.
    ("35761300444848", false), ("357613004448480", false), ("3576130044484", true),
    ("3576130044484A", true), ("*#06#", true), ("", true),
  ])
  func `what is no IMEI is malformed`(text: String, isFound: Bool) throws {
    let device = SampleDevice(imei: text)
    let rule = Dimension.malformedIdentity(MalformedIdentity())
    #expect(try Judgement(rule, of: device).matches == isFound)
  }
}

struct PlaceholderIdentityTests {
  @Test(arguments: [
    // Bangladesh 2025: 1111…, 0000…, 9999… in their millions (amarbarta.com).
    ("00000000000000", true), ("11111111111111", true), ("99999999999999", true),
    ("01234567890123", true), ("12345678901234", true), ("98765432109876", true),
    ("43210987654321", true), ("12345678901235", false), ("12121212121212", false),
    // Names of the settings: their usual ones.
    ("00499901064000", true), ("13579024681122", true), ("00440015202000", true),
    ("35761300444848", false), ("35761300000000", false), ("11111111111112", false),
  ])
  func `an identity that no device was given is found`(imei: String, isFound: Bool) throws {
    let rule = Dimension.placeholderIdentity(PlaceholderIdentity())
    #expect(try Judgement(rule, of: SampleDevice(imei: imei)).matches == isFound)
  }

  @Test func `the settings name others, with as many digits as are known`() throws {
    let settings = RuleSettings(placeholders: RuleSettings.prefixes(["357613", "862222012345678"]))
    let rule = Dimension.placeholderIdentity(PlaceholderIdentity())
    for (imei, isFound) in [
      ("35761300444848", true), ("35761400444848", false), ("86222201234567", true),
      ("86222201234568", false), ("00499901064000", false),
    ] {
      let device = SampleDevice(imei: imei)
      #expect(try Judgement(rule, of: device, settings: settings).matches == isFound)
    }
  }

  @Test func `a serial of zeros may be meant`() throws {
    let rule = Dimension.placeholderIdentity(PlaceholderIdentity(includesZeroSerial: true))
    #expect(try Judgement(rule, of: SampleDevice(imei: "35761300000000")).matches)
    #expect(try !Judgement(rule, of: SampleDevice(imei: "35761300000001")).matches)
    #expect(try !Judgement(rule, of: SampleDevice(imei: nil)).matches)
  }
}

struct TestTypeTests {
  @Test(arguments: [
    // GSMA TS.06: CTIA, TÜV SÜD, TAF; one beside each end.
    ("00100100000000", true), ("00101799999999", true), ("00100099999999", false),
    ("00101800000000", false), ("00440000000001", true), ("00869999999999", true),
    ("00450000000001", false), ("00910000000001", false), ("35761300444848", false),
  ])
  func `a test type is one of TS_06`(imei: String, isFound: Bool) throws {
    let rule = Dimension.testType(TestType())
    #expect(try Judgement(rule, of: SampleDevice(imei: imei)).matches == isFound)
  }

  @Test func `the settings give other prefixes`() throws {
    // DIRBS takes 0091 too; Cambodia's settings are 001 and 0044.
    let settings = RuleSettings(testTypes: RuleSettings.prefixes(["0091", "001"]))
    let rule = Dimension.testType(TestType())
    for (imei, isFound) in [
      ("00910000000001", true), ("00199999999999", true), ("00440000000001", false),
    ] {
      let device = SampleDevice(imei: imei)
      #expect(try Judgement(rule, of: device, settings: settings).matches == isFound)
    }
  }
}
