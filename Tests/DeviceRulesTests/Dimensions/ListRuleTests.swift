import DeviceRules
import Testing

struct ListRuleTests {
  private static let table: [(Dimension, ListMembership)] = [
    // DIRBS: exists_in_barred_list, is_barred_tac; the golden list.
    (.barred(Barred()), .barred), (.barredType(BarredType()), .barredType),
    (.goldenDevice(GoldenDevice()), .golden),
  ]

  @Test(arguments: Self.table)
  func `a device on the list is found, seen or not`(
    rule: Dimension, list: ListMembership
  ) throws {
    let all: ListMembership = [.barred, .barredType, .golden]
    #expect(try Judgement(rule, of: SampleDevice().with { $0.lists = list }).matches)
    #expect(try Judgement(rule, of: SampleDevice().with { $0.lists = all }).matches)
    let others = SampleDevice().with { $0.lists = all.subtracting(list) }
    #expect(try !Judgement(rule, of: others).matches)
    #expect(try !Judgement(rule, of: SampleDevice()).matches)
  }
}

struct MonitoredTests {
  @Test(arguments: [
    // DIRBS exists_in_monitoring_list, monitored_days: on the list at least that many days.
    ("2026-11-20", 0, true), ("2026-11-21", 0, false), ("2026-11-10", 10, true),
    ("2026-11-11", 10, false), ("2026-01-01", 30, true),
  ])
  func `so many days on the list`(since: String, minimumDays: Int, isFound: Bool) throws {
    let device = SampleDevice().with { $0.monitoredSince = since }
    let rule = Dimension.monitored(Monitored(minimumDays: minimumDays))
    #expect(try Judgement(rule, of: device).matches == isFound)
    #expect(try !Judgement(rule, of: SampleDevice()).matches)
  }
}

struct RegistrationRuleTests {
  @Test(arguments: [
    // DIRBS not_on_registration_list: status NULL or whitelist is registered.
    (Registration.absent, true, false, true), (.inForce, true, false, false),
    (.notInForce, true, false, true),
    // Exempt kinds of device are left out.
    (.absent, true, true, false),
    // In DIRBS-Core 16 a type that is not allocated escapes by an exemption.
    (.absent, false, true, true), (.absent, false, false, true),
  ])
  func `a seen device must be registered`(
    registration: Registration, isAllocated: Bool, isExempt: Bool, isFound: Bool
  ) throws {
    let device = SampleDevice().with {
      $0.registration = registration
      $0.type = TypeFacts(isAllocated: isAllocated, isExempt: isExempt)
    }
    let rule = Dimension.notRegistered(NotRegistered())
    #expect(try Judgement(rule, of: device.seen(1, "2026-11-20")).matches == isFound)
    #expect(try !Judgement(rule, of: device).matches, "not seen")
    #expect(try !Judgement(rule, of: device.seen(1, "2026-11-21")).matches, "seen after the end")
    let older = device.with { $0.seenBefore = "2025-01-01" }
    #expect(try Judgement(rule, of: older).matches == isFound, "seen before the period")
  }

  @Test(arguments: [
    (true, false, false), (false, false, true), (false, true, false), (true, true, false),
  ])
  func `a seen type must be approved`(isApproved: Bool, isExempt: Bool, isFound: Bool) throws {
    let device = SampleDevice().with {
      $0.type = TypeFacts(isAllocated: true, isExempt: isExempt, isApproved: isApproved)
    }
    let rule = Dimension.notTypeApproved(NotTypeApproved())
    #expect(try Judgement(rule, of: device.seen(1, "2026-11-20")).matches == isFound)
    #expect(try !Judgement(rule, of: device).matches)
  }

  @Test func `a seen device must belong to somebody`() throws {
    // ITU-T Q.5052, 7.3; DIRBS not_on_association_list.
    let rule = Dimension.notAssociated(NotAssociated())
    let device = SampleDevice().seen(1, "2026-11-20")
    #expect(try Judgement(rule, of: device).matches)
    #expect(try !Judgement(rule, of: device.with { $0.owners = [3] }).matches)
    #expect(try !Judgement(rule, of: SampleDevice()).matches)
  }
}
