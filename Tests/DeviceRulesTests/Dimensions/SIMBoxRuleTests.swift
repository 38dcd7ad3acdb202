import DeviceRules
import Testing

/// Subscribers, each seen on the days from one to another.
private func device(
  _ subscribers: [Int], from first: String = "2026-11-01", to last: String? = nil,
  operatorNumber: Int32 = 1
) -> SampleDevice {
  subscribers.reduce(SampleDevice()) {
    $0.seen($1, first, to: last, operatorNumber: operatorNumber)
  }
}

struct TransientSubscribersTests {
  private static let cases: [([Int], Double, Bool)] = [
    // DIRBS transient_imei: numbers of each day ÷ days of the window. Seen on all of 10 days.
    ([1, 2, 3], 3.0, true), ([1, 2, 3], 3.1, false), ([10, 20, 30, 40], 4.0, true),
    ([10, 20, 31], 1.0, false), ([3, 1, 2], 3.0, true),
    // Two numbers always have one difference.
    ([1, 2], 0.1, false), ([1], 0.1, false),
  ]

  @Test(arguments: Self.cases)
  func `numbers in progression are a SIM box`(
    subscribers: [Int], average: Double, isFound: Bool
  ) throws {
    let box = device(subscribers, from: "2026-11-11", to: "2026-11-20")
    let rule = TransientSubscribers(average: average, window: .days(10))
    #expect(try Judgement(.transientSubscribers(rule), of: box).matches == isFound)
  }

  @Test func `days without a number lower the average, two operators end it`() throws {
    let rule = Dimension.transientSubscribers(TransientSubscribers(average: 1.5, window: .days(10)))
    let half = device([1, 2, 3], from: "2026-11-11", to: "2026-11-15")
    #expect(try Judgement(rule, of: half).matches)
    let less = device([1, 2, 3], from: "2026-11-11", to: "2026-11-14")
    #expect(try !Judgement(rule, of: less).matches)
    #expect(try !Judgement(rule, of: half.seen(4, "2026-11-12", operatorNumber: 2)).matches)
  }
}

struct SubscriberSequenceTests {
  private static let cases: [([Int], SubscriberSequence, Bool)] = [
    ([1, 2, 3, 4, 5], SubscriberSequence(), true), ([1, 2, 3, 4], SubscriberSequence(), false),
    ([5, 3, 1, 4, 2], SubscriberSequence(), true),
    ([100, 1, 2, 3, 4, 5, 900], SubscriberSequence(), true),
    ([10, 20, 30, 40, 50], SubscriberSequence(), true),
    ([11, 22, 33, 44, 55], SubscriberSequence(), false),  // a step of 11
    ([11, 22, 33, 44, 55], SubscriberSequence(largestStep: 11), true),
    // 1 2 3 5 7 9: the progression of threes and the one of twos share a number.
    ([1, 2, 3, 5, 7, 9], SubscriberSequence(length: 4), true),
    ([1, 2, 3, 5, 7, 9], SubscriberSequence(length: 5), false),
    ([1, 2, 3, 5, 7, 9], SubscriberSequence(length: 6, stepsAreEqual: false), true),
    ([1, 2, 3, 50, 51, 52], SubscriberSequence(length: 4, stepsAreEqual: false), false),
    ([1, 1, 1, 1, 1], SubscriberSequence(length: 3), false),
    ([1, 2, 3, 4, 5], SubscriberSequence(counting: .msisdn), true),
  ]

  @Test(arguments: cases.indices)
  func `consecutive cards are a SIM box`(index: Int) throws {
    let (subscribers, rule, isFound) = Self.cases[index]
    let box = device(subscribers)
    #expect(try Judgement(.subscriberSequence(rule), of: box).matches == isFound)
  }

  @Test func `an example says how many`() throws {
    let box = device([1, 2, 3, 4, 5, 90])
    #expect(
      try Judgement(.subscriberSequence(SubscriberSequence()), of: box).explanation == [
        "subscriberSequence inSequence=5 subscribers=6 days=2026-10-22 to 2026-11-20"
      ])
  }
}

struct RotatingSubscribersTests {
  @Test(arguments: [
    // A card a day: a household's phone has few cards for many days each.
    (3, 1, 0.75, true), (3, 1, 0.8, false), (4, 1, 0.0, false), (3, 7, 0.75, true),
    (4, 7, 0.0, false), (4, 8, 1.0, true),
  ])
  func `cards that stay for a day are counted`(
    threshold: Int, mostDays: Int, share: Double, isFound: Bool
  ) throws {
    // Three of four for one day, one for eight. 3 ÷ 4 = 0.75.
    let box = SampleDevice().seen(1, "2026-11-01").seen(2, "2026-11-02").seen(3, "2026-11-03")
      .seen(4, "2026-11-04", to: "2026-11-11")
    let rule = RotatingSubscribers(threshold: threshold, mostDays: mostDays, share: share)
    #expect(try Judgement(.rotatingSubscribers(rule), of: box).matches == isFound)
  }

  @Test func `days of several months are added up`() throws {
    let box = (1...3).reduce(SampleDevice()) { $0.seen($1, "2026-10-31", to: "2026-11-01") }
    let two = RotatingSubscribers(threshold: 3, mostDays: 2)
    let one = RotatingSubscribers(threshold: 3, mostDays: 1)
    #expect(try Judgement(.rotatingSubscribers(two), of: box).matches)
    #expect(try !Judgement(.rotatingSubscribers(one), of: box).matches)
  }
}

struct SubscriberOfManyDevicesTests {
  @Test(arguments: [(20, true), (21, true), (19, false), (0, false)])
  func `a card of many devices is counted`(devices: UInt32, isFound: Bool) throws {
    let device = SampleDevice().with { $0.devicesOfSubscriber = devices }
    let rule = Dimension.subscriberOfManyDevices(SubscriberOfManyDevices(threshold: 20))
    #expect(try Judgement(rule, of: device).matches == isFound)
  }
}
