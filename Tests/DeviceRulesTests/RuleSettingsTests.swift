import DeviceIdentity
import DeviceRules
import Foundation
import Testing

struct RuleSettingsTests {
  private func settings(_ text: String) throws -> RuleSettings {
    try JSONDecoder().decode(RuleSettings.self, from: Data(text.utf8))
  }

  private func text(of settings: RuleSettings) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(settings), as: UTF8.self)
  }

  @Test func `an empty document is the usual settings`() throws {
    let usual = try settings("{}")
    #expect(usual == RuleSettings())
    #expect(usual.reportingBodyDelays == [0: 32, 1: 40, 35: 20, 86: 19, 91: 20, 99: 69])
    #expect(usual.testTypes.count == 19 && usual.placeholders.count == 3)
    #expect(try settings(text(of: usual)) == usual)
  }

  @Test func `a full document is read and written`() throws {
    let document = """
      {"amnesty":{"end":"2027-06-30","evaluationEnd":"2026-12-31"},"callingCodes":["92"],\
      "exemptDeviceTypes":["iot device","modem"],"mobileCountryCodes":["410"],\
      "placeholders":["35000000000000"],"populationMonths":2,"reportingBodyDelays":{"01":5,"35":0},\
      "retentionMonths":9,"testTypes":["001"]}
      """
    let full = try settings(document)
    #expect(try text(of: full) == document)
    #expect(full.amnesty?.end == Day("2027-06-30"))
    #expect(full.mobileCountryCodes == [try IMSIPrefix("410")])
  }

  @Test func `a kind of device is exempt however it is written`() throws {
    let settings = try settings(#"{"exemptDeviceTypes": [" Modem", "IoT Device"]}"#)
    for kind in ["modem", "MODEM ", "IoT device"] {
      #expect(settings.isExempt(deviceType: kind))
    }
    for kind in ["", "Smartphone", "IoT"] { #expect(!settings.isExempt(deviceType: kind)) }
  }

  private static let refusals: [(document: String, sentence: String)] = [
    ("3", "settings: must be an object"),
    (#"{"delays": 3}"#, "settings: there is no field delays"),
    (
      #"{"mobileCountryCodes": ["41"]}"#,
      "settings: mobileCountryCodes has 41, which is not three digits"
    ),
    (
      #"{"callingCodes": ["+92"]}"#,
      "settings: callingCodes has +92, which is not one to seven digits"
    ),
    (
      #"{"reportingBodyDelays": {"1": 3}}"#,
      "settings: reportingBodyDelays has 1, which is not two digits"
    ),
    (
      #"{"reportingBodyDelays": {"01": 366}}"#,
      "settings: reportingBodyDelays of 01 must be 0 to 365 and is 366"
    ),
    (
      #"{"reportingBodyDelays": {"01": "3"}}"#,
      "settings: reportingBodyDelays must be an object of whole numbers"
    ),
    (#"{"testTypes": ["0"]}"#, "settings: testTypes has 0, which is not 2 to 15 digits"),
    (#"{"placeholders": ["00x"]}"#, "settings: placeholders has 00x, which is not 2 to 15 digits"),
    (#"{"amnesty": 3}"#, "settings: amnesty must be an object"),
    (#"{"amnesty": {"end": "2027-06-30"}}"#, "settings, amnesty: evaluationEnd is missing"),
    (
      #"{"amnesty": {"evaluationEnd": "2027-02-29", "end": "2027-06-30"}}"#,
      "settings, amnesty: evaluationEnd must be a day such as 2026-11-23 and is 2027-02-29"
    ),
    (
      #"{"amnesty": {"evaluationEnd": "2027-06-30", "end": "2027-06-30"}}"#,
      "settings, amnesty: end must come after evaluationEnd"
    ),
    (
      #"{"amnesty": {"evaluationEnd": "2027-06-29", "end": "2027-06-30", "on": true}}"#,
      "settings, amnesty: there is no field on"
    ),
    (#"{"populationMonths": 0}"#, "settings: populationMonths must be 1 to 60 and is 0"),
    (
      #"{"populationMonths": 4, "retentionMonths": 3}"#,
      "settings: populationMonths is larger than retentionMonths"
    ),
  ]

  @Test(arguments: refusals.indices)
  func `settings are refused with a sentence`(index: Int) throws {
    let (document, sentence) = Self.refusals[index]
    let error = #expect(throws: RuleError.self) { try settings(document) }
    #expect(error?.description == sentence)
  }

  @Test(
    arguments: [
      (Window.days(186), nil), (.months(6), nil), (.days(30), nil),
      (.days(187), "condition a: looks back 187 days, but sightings are kept for 6 months"),
      (.months(7), "condition a: looks back 7 months, but sightings are kept for 6 months"),
    ] as [(Window, String?)])
  func `no rule looks further back than sightings are kept`(
    window: Window, sentence: String?
  ) throws {
    let condition = try Condition(
      label: "a", parts: [.init(.seenLately(SeenLately(window: window)))], reason: "A")
    #expect(RuleSettings().refusal(of: condition)?.description == sentence)
  }
}
