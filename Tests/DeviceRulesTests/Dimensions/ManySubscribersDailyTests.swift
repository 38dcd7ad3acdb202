import DeviceRules
import Testing

struct ManySubscribersDailyTests {
  /// Two subscribers on each of three days, a third on one of them: 7 ÷ 3 = 2.33 a day.
  private static let device = SampleDevice()
    .seen(1, "2026-10-30", to: "2026-11-01", person: 1).seen(
      2, "2026-10-30", to: "2026-11-01", person: 1
    )
    .seen(3, "2026-10-31", person: 2)

  @Test(arguments: [
    // ITU-T Q.5052, 7.1.2: subscribers of each day ÷ days seen, and a least number of days.
    (2.33, 3, true), (2.34, 3, false), (7.0 / 3, 3, true), (2.0, 3, true), (2.0, 4, false),
    (1.0, 1, true),
  ])
  func `an average day is judged`(average: Double, minimumDays: Int, isFound: Bool) throws {
    let rule = ManySubscribersDaily(average: average, minimumDays: minimumDays)
    #expect(try Judgement(.manySubscribersDaily(rule), of: Self.device).matches == isFound)
  }

  @Test func `a day outside the window does not count`() throws {
    // From 2026-10-31 on: 3 + 2 subscribers on two days.
    let rule = ManySubscribersDaily(average: 2.5, minimumDays: 2, window: .days(21))
    let judgement = try Judgement(.manySubscribersDaily(rule), of: Self.device)
    #expect(judgement.matches)
    #expect(
      judgement.explanation == [
        "manySubscribersDaily average=2.50 threshold=2.50 daysInUse=2 days=2026-10-31 to 2026-11-20"
      ])
  }

  @Test func `one subscriber seen by two operators on a day is one`() throws {
    let device = SampleDevice().seen(1, "2026-11-01", operatorNumber: 1)
      .seen(1, "2026-11-01", operatorNumber: 2).seen(2, "2026-11-02")
    let rule = ManySubscribersDaily(average: 1.01, minimumDays: 1)
    #expect(try !Judgement(.manySubscribersDaily(rule), of: device).matches)
  }

  @Test func `a person with two cards is one`() throws {
    // ITU-T Q.5052, 7.2.1; DIRBS daily_avg_uid. Days 1, 1 + 2, 1: four people on three days.
    let just = ManySubscribersDaily(average: 1.33, minimumDays: 3, counting: .person)
    let more = ManySubscribersDaily(average: 1.34, minimumDays: 3, counting: .person)
    #expect(try Judgement(.manySubscribersDaily(just), of: Self.device).matches)
    #expect(try !Judgement(.manySubscribersDaily(more), of: Self.device).matches)
  }
}
