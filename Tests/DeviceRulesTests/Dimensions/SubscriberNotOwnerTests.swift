import DeviceRules
import Testing

struct SubscriberNotOwnerTests {
  /// It belongs to 7 and 8. Used by 7, by 9 with two cards, and by somebody unknown.
  private static let device = SampleDevice()
    .seen(1, "2026-11-01", person: 7).seen(2, "2026-11-02", person: 9)
    .seen(3, "2026-11-03", person: 9).seen(4, "2026-11-04", person: 0)
    .with { $0.owners = [7, 8] }

  @Test(arguments: [
    // ITU-T Q.5052, 7.2.2: an IMSI must belong to the person who owns the device.
    (1, false, true), (2, false, true), (3, false, false), (3, true, true), (4, true, false),
  ])
  func `strangers are counted`(threshold: Int, countsUnknown: Bool, isFound: Bool) throws {
    let rule = SubscriberNotOwner(threshold: threshold, countsUnknown: countsUnknown)
    #expect(try Judgement(.subscriberNotOwner(rule), of: Self.device).matches == isFound)
  }

  @Test func `an exception makes no stranger, and without an owner there is none`() throws {
    let two = Dimension.subscriberNotOwner(SubscriberNotOwner(threshold: 2))
    let paired = Self.device.with { $0.paired = [SampleDevice.imsi(3)] }
    #expect(try !Judgement(two, of: paired).matches)
    let one = Dimension.subscriberNotOwner(SubscriberNotOwner())
    #expect(try Judgement(one, of: paired).matches)
    #expect(try !Judgement(one, of: Self.device.with { $0.owners = [] }).matches)
    #expect(try !Judgement(one, of: Self.device.with { $0.owners = [7, 9] }).matches)
  }

  @Test func `a stranger outside the window does not count`() throws {
    let rule = Dimension.subscriberNotOwner(SubscriberNotOwner(window: .days(18)))
    #expect(try Judgement(rule, of: Self.device).matches)
    let later = Dimension.subscriberNotOwner(SubscriberNotOwner(window: .days(17)))
    #expect(try !Judgement(later, of: Self.device).matches)
  }
}
