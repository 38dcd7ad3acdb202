import DeviceRules
import Testing

struct ManySubscribersTests {
  private static let three = SampleDevice()
    .seen(1, "2026-10-25", to: "2026-11-05").seen(2, "2026-11-01").seen(3, "2026-11-20")

  @Test(arguments: [
    // ITU-T Q.5052, 7.1.1; DIRBS duplicate_threshold: at least the threshold.
    (3, Window.days(30), true), (4, .days(30), false), (2, .days(30), true),
    (3, .days(20), true),  // from 2026-11-01
    (3, .days(19), false),  // from 2026-11-02: without subscriber 2
    (2, .days(16), true),  // from 2026-11-05: the last day of subscriber 1
    (2, .days(15), false),
  ])
  func `subscribers are counted within the window`(
    threshold: Int, window: Window, isFound: Bool
  ) throws {
    let rule = ManySubscribers(threshold: threshold, window: window)
    #expect(try Judgement(.manySubscribers(rule), of: Self.three).matches == isFound)
  }

  @Test func `a subscriber of several months and operators counts once`() throws {
    // Merged partitions bring rows in any order.
    var device = SampleDevice()
    for subscriber in [5, 4, 5, 4] {
      device = device.seen(subscriber, "2026-10-20", to: "2026-11-10", operatorNumber: 2)
        .seen(subscriber, "2026-11-03", operatorNumber: 1)
    }
    let two = ManySubscribers(threshold: 2, window: .days(60))
    let three = ManySubscribers(threshold: 3, window: .days(60))
    #expect(try Judgement(.manySubscribers(two), of: device).matches)
    #expect(try !Judgement(.manySubscribers(three), of: device).matches)
  }

  @Test func `an IMSI of fewer than 14 digits is no subscriber`() throws {
    // DIRBS: valid IMSIs are 14 or 15 digits long. 13 × 10^15 is ``IMSI/packed`` of thirteen zeros.
    var device = Self.three
    device.sightings[0].imsi = 13_000_000_000_000_000
    device.sightings[1].imsi = 14_000_000_000_000_000
    let three = ManySubscribers(threshold: 3, window: .days(30))
    let two = ManySubscribers(threshold: 2, window: .days(30))
    #expect(try !Judgement(.manySubscribers(three), of: device).matches)
    #expect(try Judgement(.manySubscribers(two), of: device).matches)
    // Their telephone numbers still are three.
    let numbers = ManySubscribers(threshold: 3, window: .days(30), counting: .msisdn)
    #expect(try Judgement(.manySubscribers(numbers), of: device).matches)
  }

  @Test func `people are counted once, and only those who are known`() throws {
    let device = SampleDevice().seen(1, "2026-11-01", person: 7).seen(2, "2026-11-02", person: 7)
      .seen(3, "2026-11-03", person: 8).seen(4, "2026-11-04", person: 0)
    let two = ManySubscribers(threshold: 2, counting: .person)
    let three = ManySubscribers(threshold: 3, counting: .person)
    #expect(try Judgement(.manySubscribers(two), of: device).matches)
    #expect(try !Judgement(.manySubscribers(three), of: device).matches)
  }

  @Test func `the last day counts and the day after it does not`() throws {
    // DIRBS-Core 16 counts it. Window end (exclusive) the 21st, seen on the 21st: not counted.
    let device = SampleDevice().seen(1, "2026-11-20").seen(2, "2026-11-21")
    let rule = Dimension.manySubscribers(ManySubscribers(threshold: 2, window: .days(10)))
    #expect(try !Judgement(rule, of: device, asOf: "2026-11-20").matches)
    #expect(try Judgement(rule, of: device, asOf: "2026-11-21").matches)
    #expect(try Judgement(rule, of: device, asOf: "2026-11-29").matches)
    #expect(try !Judgement(rule, of: device, asOf: "2026-11-30").matches)
  }

  @Test func `an example shows what was counted`() throws {
    let rule = ManySubscribers(threshold: 2, window: .days(30))
    let text = "manySubscribers subscribers=3 threshold=2 days=2026-10-22 to 2026-11-20"
    #expect(try Judgement(.manySubscribers(rule), of: Self.three).explanation == [text])
  }
}
