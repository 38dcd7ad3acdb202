import DeviceLists
import DeviceRules
import Testing

struct ReportedStolenTests {
  private static let cases: [(GroundCodeSet, Bool)] = [
    (GroundCodeSet(.stolen), true), (GroundCodeSet(.lost), true),
    (GroundCodeSet(.barredTac), false),
    ([], false), ([GroundCodeSet(.fraud), GroundCodeSet(.lost)], true),
  ]

  @Test(arguments: Self.cases)
  func `stolen and lost devices are found, seen or not`(
    grounds: GroundCodeSet, isFound: Bool
  ) throws {
    // DIRBS: a stolen device need not be seen on a network.
    let device = SampleDevice().with { $0.grounds = grounds }
    let rule = Dimension.reportedStolen(ReportedStolen())
    #expect(try Judgement(rule, of: device).matches == isFound)
    #expect(try Judgement(rule, of: device.seen(1, "2026-11-20")).matches == isFound)
  }

  @Test func `other grounds can be meant`() throws {
    let device = SampleDevice().with { $0.grounds = [.init(.foreignBlock), .init(.stolen)] }
    let rule = Dimension.reportedStolen(ReportedStolen(codes: [.init(.foreignBlock)]))
    let judgement = try Judgement(rule, of: device)
    #expect(judgement.matches)
    #expect(judgement.explanation == ["reportedStolen ground=foreignBlock"])
  }
}
