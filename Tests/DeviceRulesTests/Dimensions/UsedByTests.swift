import DeviceIdentity
import DeviceRules
import Foundation
import Testing

struct UsedByTests {
  /// A country with the MCC 410 and an operator with 410-01; 410-06 is an operator outside the
  /// registry.
  private func matches(
    _ rule: UsedBy, _ imsi: String, on day: String = "2026-11-20"
  ) throws -> Bool {
    let settings = RuleSettings(mobileCountryCodes: [try IMSIPrefix("410")])
    let condition = try Condition(
      label: "used", parts: [.init(.usedBy(rule))], reason: "Used by")
    let rules = try Ruleset(
      conditions: [condition], settings: settings, networks: [PLMN("41001"), PLMN("410021")],
      asOf: #require(Day("2026-11-20")))
    var device = SampleDevice().seen(1, day)
    device.sightings[0].imsi = try IMSI(imsi).packed
    var scratch = Scratch()
    return device.evidence(in: rules.period) { rules.matching($0, using: &scratch) == 1 }
  }

  private static let cases: [(String, SubscriberKind)] = [
    // DIRBS: home MCC-MNC; home MCC but another MNC; another MCC.
    ("410010000000001", .home), ("41001000000001", .home), ("410021000000001", .home),
    ("410020000000001", .otherLocal), ("410060000000001", .otherLocal),
    ("411010000000001", .roamer), ("310410000000001", .roamer), ("001010000000001", .roamer),
  ]

  @Test(arguments: Self.cases, SubscriberKind.allCases)
  func `a subscriber is of one kind`(
    sample: (String, SubscriberKind), asked: SubscriberKind
  ) throws {
    #expect(try matches(UsedBy(asked), sample.0) == (sample.1 == asked))
  }

  @Test(arguments: [
    // MCC 310 and the PLMN 262-01, of fourteen and fifteen digits.
    ("310410000000001", true), ("26201000000001", true), ("262010000000001", true),
    ("262020000000001", false), ("311410000000001", false), ("226201000000001", false),
  ])
  func `networks can be named`(imsi: String, isFound: Bool) throws {
    let document = """
      {"label": "abroad", "reason": "A",
       "dimensions": [{"dimension": "usedBy", "networks": ["310", "26201"]}]}
      """
    let condition = try JSONDecoder().decode(Condition.self, from: Data(document.utf8))
    guard case .usedBy(let rule) = condition.parts.first?.dimension else {
      Issue.record("the document names usedBy")
      return
    }
    #expect(try matches(rule, imsi) == isFound)
  }

  @Test func `too short an IMSI and a day outside the window say nothing`() throws {
    #expect(try !matches(UsedBy(.roamer), "3104100000001"))
    let rule = UsedBy(.roamer, window: .days(10))
    #expect(try matches(rule, "310410000000001", on: "2026-11-11"))
    #expect(try !matches(rule, "310410000000001", on: "2026-11-10"))
  }
}

struct SeenLatelyTests {
  @Test(arguments: [
    ("2026-11-20", true), ("2026-11-11", true), ("2026-11-10", false), ("2026-11-21", false),
  ])
  func `the last days count`(day: String, isFound: Bool) throws {
    let rule = Dimension.seenLately(SeenLately(window: .days(10)))
    #expect(try Judgement(rule, of: SampleDevice().seen(1, day)).matches == isFound)
    #expect(try !Judgement(rule, of: SampleDevice().with { $0.seenBefore = "2026-01-01" }).matches)
  }
}
