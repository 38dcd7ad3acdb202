import DeviceRules
import Testing

struct TACNotAllocatedTests {
  private static let cases: [(String, String, String?, Bool)] = [
    // Delays of DIRBS-Core 16, gsma_not_found: 35 20 days, 01 40, 86 19, 99 69, 00 32, others 0.
    // Device, the day on which it was seen, a day before the period, whether it is found on
    // 2026-11-20.
    ("35999900000001", "2026-11-01", nil, false),  // + 20 = the end: not before it
    ("35999900000001", "2026-10-31", nil, true),
    ("35999900000001", "2026-11-19", "2026-03-01", true),
    ("35999900000001", "2026-11-19", "2026-10-31", true),
    ("35999900000001", "2026-11-19", "2026-11-01", false),
    ("86999900000001", "2026-11-01", nil, true),
    ("86999900000001", "2026-11-02", nil, false),
    ("01999900000001", "2026-10-11", nil, true),
    ("01999900000001", "2026-10-12", nil, false),
    ("00999900000001", "2026-10-20", nil, false),
    ("45999900000001", "2026-11-20", nil, true),
    ("45999900000001", "2026-11-21", nil, false),  // after the end
  ]

  @Test(arguments: Self.cases)
  func `a type has the time of its reporting body`(
    imei: String, day: String, before: String?, isFound: Bool
  ) throws {
    let device = SampleDevice(imei: imei).seen(1, day).with {
      $0.type = TypeFacts()
      $0.seenBefore = before
    }
    #expect(try Judgement(.tacNotAllocated(TACNotAllocated()), of: device).matches == isFound)
  }

  @Test func `an allocated type, an unusable identity and an unseen device are not found`() throws {
    let rule = Dimension.tacNotAllocated(TACNotAllocated(ignoresDelays: true))
    let unknown = SampleDevice().with { $0.type = TypeFacts() }
    #expect(try Judgement(rule, of: unknown.seen(1, "2026-11-20")).matches)
    #expect(try !Judgement(rule, of: SampleDevice().seen(1, "2026-11-20")).matches)
    #expect(try !Judgement(rule, of: unknown).matches)
    let unusable = unknown.seen(1, "2026-11-20").with { $0.imei = nil }
    #expect(try !Judgement(rule, of: unusable).matches)
  }

  @Test func `the settings give other delays, and the rule may ignore them`() throws {
    let device = SampleDevice().seen(1, "2026-11-18").with { $0.type = TypeFacts() }
    let settings = RuleSettings(reportingBodyDelays: [35: 2])
    let rule = Dimension.tacNotAllocated(TACNotAllocated())
    #expect(try Judgement(rule, of: device, settings: settings).matches)
    #expect(try !Judgement(rule, of: device).matches)
    let strict = Dimension.tacNotAllocated(TACNotAllocated(ignoresDelays: true))
    #expect(try Judgement(strict, of: device).matches)
  }

  @Test func `the first day is asked for only where it decides`() throws {
    let rule = Dimension.tacNotAllocated(TACNotAllocated())
    func asks(_ device: SampleDevice) throws -> Bool {
      try Judgement(rule, of: device).needsSeenBefore
    }
    let unknown = SampleDevice().with { $0.type = TypeFacts() }
    #expect(try asks(unknown.seen(1, "2026-11-19")))
    #expect(try !asks(unknown.seen(1, "2026-10-01")), "old enough by itself")
    #expect(try !asks(SampleDevice().seen(1, "2026-11-19")), "allocated")
    #expect(try asks(unknown), "never seen in the period")
    let found = try Judgement(rule, of: unknown.seen(1, "2026-10-05"))
    #expect(found.explanation == ["tacNotAllocated firstSeen=2026-10-05 delayDays=20"])
  }
}
