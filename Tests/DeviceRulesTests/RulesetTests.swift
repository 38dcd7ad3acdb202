import DeviceIdentity
import DeviceLists
import DeviceRules
import Simulation
import Testing

/// Devices out of a small world, so that everything happens often.
private struct RandomDevices {
  var chance: SeededGenerator
  let today: Day

  mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &chance) }
  mutating func one<Value>(of values: [Value]) -> Value { values[number(0...values.count - 1)] }

  mutating func device() -> SampleDevice {
    let identities = ["35761300444848", "01161200000001", "99000112000001", "86000012345678", nil]
    var device = SampleDevice(imei: one(of: identities))
    for _ in 0..<number(0...one(of: [1, 4, 12])) { device.sightings.append(sighting()) }
    device.type = TypeFacts(
      isAllocated: .random(using: &chance),
      generations: RadioGenerations(rawValue: UInt8(number(0...15))),
      isExempt: .random(using: &chance), isApproved: .random(using: &chance))
    device.registration = one(of: [.absent, .inForce, .notInForce])
    device.grounds = one(of: [[], GroundCodeSet(.stolen), GroundCodeSet(.barredTac)])
    device.lists = ListMembership(rawValue: UInt8(number(0...7)))
    device.monitoredSince = one(of: [nil, (today - number(-2...12)).description])
    device.seenBefore = one(of: [nil, nil, (today - number(0...300)).description])
    device.owners = one(of: [[], [1], [1, 2]])
    device.paired = one(of: [[], [SampleDevice.imsi(number(1...8))]])
    device.devicesOfSubscriber = UInt32(number(0...4))
    var second: Int64 = 0
    for _ in 0..<number(0...8) {
      second += Int64(number(0...6))
      device.events.append(TimedEvent(second: second, imsi: SampleDevice.imsi(number(1...4))))
    }
    return device
  }

  private mutating func sighting() -> SampleDevice.Sighting {
    let subscriber = number(1...8)
    var days: Set<Day> = []
    for _ in 0..<number(1...4) { days.insert(today - number(-2...70)) }
    let isShort = number(1...20) == 1
    return SampleDevice.Sighting(
      imsi: isShort ? 13_000_000_000_000_001 : SampleDevice.imsi(subscriber),
      msisdn: number(1...8) == 1 ? 0 : SampleDevice.msisdn(subscriber), days: days.sorted(),
      operatorNumber: number(1...8) == 1 ? 2 : 1,
      technologies: RadioTechnology(rawValue: Int32(1 << number(0...11))),
      person: UInt32(number(0...3)))
  }

  mutating func window() -> Window {
    one(of: [.days(number(1...75)), .months(number(1...2))])
  }

  mutating func dimension() -> Dimension {
    let counting = one(of: Counting.allCases)
    let threshold = number(2...5)
    let average = Double(number(4...12)) / 4
    return one(of: [
      .barred(Barred()), .barredType(BarredType()), .goldenDevice(GoldenDevice()),
      .malformedIdentity(MalformedIdentity()), .monitored(Monitored(minimumDays: number(0...10))),
      .manySubscribers(
        ManySubscribers(threshold: threshold, window: window(), counting: counting)),
      .manySubscribersDaily(
        ManySubscribersDaily(
          average: average, minimumDays: number(1...4), window: window(), counting: counting)),
      .notAssociated(NotAssociated()), .notRegistered(NotRegistered()),
      .notTypeApproved(NotTypeApproved()), .reportedStolen(ReportedStolen()),
      .rotatingSubscribers(
        RotatingSubscribers(
          threshold: 3, mostDays: number(1...3), share: Double(number(0...4)) / 4,
          window: window())),
      .seenLately(SeenLately(window: window())),
      .subscriberNotOwner(
        SubscriberNotOwner(
          threshold: number(1...3), countsUnknown: .random(using: &chance), window: window())),
      .subscriberOfManyDevices(SubscriberOfManyDevices(threshold: threshold)),
      .subscriberSequence(
        SubscriberSequence(
          length: 3, largestStep: number(1...3), stepsAreEqual: .random(using: &chance),
          window: window(), counting: one(of: [.imsi, .msisdn]))),
      .subscribersWithinSeconds(
        SubscribersWithinSeconds(subscribers: number(1...3), seconds: number(1...12))),
      .tacNotAllocated(TACNotAllocated(ignoresDelays: number(1...3) == 1)),
      .technologyNewerThanModel(
        TechnologyNewerThanModel(
          generations: one(of: [.fifth, [.third, .fourth]]), window: window())),
      .technologyNotSupported(TechnologyNotSupported(window: window())),
      .transientSubscribers(TransientSubscribers(average: 0.1, window: .days(number(1...40)))),
      .usedBy(UsedBy(one(of: SubscriberKind.allCases), window: window())),
    ])
  }
}

struct RulesetTests {
  @Test(arguments: [
    (UInt64(1), "2026-11-20"), (2, "2026-03-31"), (3, "2024-02-29"), (4, "2026-01-01"),
    (5, "2026-12-31"), (.random(in: .min ... .max), "2026-05-30"),
  ])
  func `the rules find what naive rules find`(seed: UInt64, asOf: String) throws {
    let today = try #require(Day(asOf))
    var world = RandomDevices(chance: SeededGenerator(seed: seed), today: today)
    var scratch = Scratch()
    var found: [String: (Int, Int)] = [:]
    for _ in 0..<300 {
      let settings = RuleSettings(
        mobileCountryCodes: world.number(0...1) == 0 ? [] : [try IMSIPrefix("999")])
      let dimensions = (0..<12).map { _ in world.dimension() }
      let conditions = try dimensions.enumerated().map { index, dimension in
        try Condition(label: "c\(index)", parts: [.init(dimension)], reason: "Random")
      }
      let rules = try Ruleset(
        conditions: conditions, settings: settings, networks: [], asOf: today)
      for _ in 0..<4 {
        let device = world.device()
        let matching = device.evidence(in: rules.period) { rules.matching($0, using: &scratch) }
        let naive = NaiveRules(
          device: device, today: today, start: rules.period.firstMonth.firstDay,
          settings: settings)
        for (index, dimension) in dimensions.enumerated() {
          let isFound = matching & 1 << UInt64(index) != 0
          let isExpected = naive.matches(dimension)
          #expect(isFound == isExpected, "seed \(seed): \(dimension)")
          let counts = found[dimension.name, default: (0, 0)]
          found[dimension.name] = (counts.0 + (isExpected ? 1 : 0), counts.1 + 1)
        }
      }
    }
    for (name, counts) in found {
      #expect(counts.0 >= 3 && counts.0 < counts.1, "seed \(seed) hardly decides \(name)")
    }
  }

  @Test(arguments: [UInt64(11), .random(in: .min ... .max)])
  func `the order of rows and old memory change nothing`(seed: UInt64) throws {
    let today = try #require(Day("2026-11-20"))
    var world = RandomDevices(chance: SeededGenerator(seed: seed), today: today)
    var scratch = Scratch()
    for _ in 0..<200 {
      let conditions = try (0..<12).map {
        try Condition(label: "c\($0)", parts: [.init(world.dimension())], reason: "Random")
      }
      let rules = try Ruleset(
        conditions: conditions, settings: RuleSettings(), networks: [], asOf: today)
      var device = world.device()
      let first = device.evidence(in: rules.period) { rules.matching($0, using: &scratch) }
      device.sightings.shuffle(using: &world.chance)
      let second = device.evidence(in: rules.period) { evidence in
        var fresh = Scratch()
        return rules.matching(evidence, using: &fresh)
      }
      #expect(first == second, "seed \(seed)")
    }
  }

  @Test(arguments: [UInt64(21), .random(in: .min ... .max)])
  func `where the first day is not asked for it changes nothing`(seed: UInt64) throws {
    let today = try #require(Day("2026-11-20"))
    var world = RandomDevices(chance: SeededGenerator(seed: seed), today: today)
    var scratch = Scratch()
    var spared = 0
    for _ in 0..<500 {
      let parts = [
        Condition.Part(.tacNotAllocated(TACNotAllocated())),
        Condition.Part(.reportedStolen(ReportedStolen()), inverted: true),
      ]
      let condition = try Condition(label: "c", parts: parts, reason: "Random")
      let rules = try Ruleset(
        conditions: [condition], settings: RuleSettings(), networks: [], asOf: today)
      var device = world.device()
      let withDay = device.evidence(in: rules.period) { rules.matching($0, using: &scratch) }
      device.seenBefore = nil
      let (isNeeded, without) = device.evidence(in: rules.period) {
        (rules.needsSeenBefore($0), rules.matching($0, using: &scratch))
      }
      guard !isNeeded else { continue }
      spared += 1
      #expect(withDay == without, "seed \(seed)")
    }
    #expect(spared > 100, "seed \(seed)")
  }

  @Test(arguments: [UInt64(31), .random(in: .min ... .max)])
  func `an explanation names its dimension and no subscriber`(seed: UInt64) throws {
    let today = try #require(Day("2026-11-20"))
    var world = RandomDevices(chance: SeededGenerator(seed: seed), today: today)
    var scratch = Scratch()
    for _ in 0..<500 {
      let dimension = world.dimension()
      let condition = try Condition(label: "c", parts: [.init(dimension)], reason: "Random")
      let rules = try Ruleset(
        conditions: [condition], settings: RuleSettings(), networks: [], asOf: today)
      let texts = world.device().evidence(in: rules.period) {
        rules.explanation(0, of: $0, using: &scratch)
      }
      #expect(texts.count == 1 && texts[0].hasPrefix(dimension.name), "seed \(seed)")
      // The digits of every sample IMSI and telephone number.
      #expect(!texts[0].contains("99970") && !texts[0].contains("99900"), "seed \(seed)")
    }
  }

  @Test func `all dimensions must agree, and inverted ones must not`() throws {
    let stolen = Condition.Part(.reportedStolen(ReportedStolen()))
    let barred = Condition.Part(.barred(Barred()))
    let notBarred = Condition.Part(.barred(Barred()), inverted: true)
    let rules = try Ruleset(
      conditions: [
        Condition(label: "both", parts: [stolen, barred], reason: "A"),
        Condition(label: "one", parts: [stolen, notBarred], reason: "A"),
        Condition(label: "stolen", parts: [stolen], reason: "A"),
      ], settings: RuleSettings(), networks: [], asOf: #require(Day("2026-11-20")))
    var scratch = Scratch()
    let device = SampleDevice().with { $0.grounds = GroundCodeSet(.stolen) }
    func matching(_ device: SampleDevice) -> UInt64 {
      device.evidence(in: rules.period) { rules.matching($0, using: &scratch) }
    }
    #expect(matching(device.with { $0.lists = .barred }) == 0b101)
    // DIRBS: `invert` is all network IMEIs without those found: an unseen device is not among them.
    #expect(matching(device) == 0b100)
    #expect(matching(device.seen(1, "2026-11-20")) == 0b110)
    #expect(matching(device.with { $0.seenBefore = "2026-01-01" }) == 0b110)
    #expect(matching(SampleDevice().seen(1, "2026-11-20")) == 0)
    #expect(rules.needs == [.grounds, .lists, .seenBefore])
    let explanation = device.seen(1, "2026-11-20").evidence(in: rules.period) {
      rules.explanation(1, of: $0, using: &scratch)
    }
    #expect(explanation == ["reportedStolen ground=stolen", "not barred"])
  }

  @Test func `the population is what was seen lately`() throws {
    let rules = try Ruleset(
      conditions: [], settings: RuleSettings(populationMonths: 1), networks: [],
      asOf: #require(Day("2026-11-20")))
    func counts(_ day: String) -> Bool {
      SampleDevice().seen(1, day).evidence(in: rules.period) { rules.isInPopulation($0) }
    }
    #expect(counts("2026-10-21") && counts("2026-11-20"))
    #expect(!counts("2026-10-20") && !counts("2026-11-21"))
    #expect(rules.period.months.map(\.description) == ["2026-10", "2026-11"])
  }

  @Test func `a set of conditions is refused as a whole`() throws {
    let today = try #require(Day("2026-11-20"))
    func refusal(_ conditions: [Condition]) -> String? {
      let error = #expect(throws: RuleError.self) {
        try Ruleset(
          conditions: conditions, settings: RuleSettings(), networks: [], asOf: today)
      }
      return error?.description
    }
    let barred = try Condition(label: "a", parts: [.init(.barred(Barred()))], reason: "A")
    #expect(refusal([barred, barred]) == "conditions: two have the same label")
    let many = try (0...64).map {
      try Condition(label: "c\($0)", parts: [.init(.barred(Barred()))], reason: "A")
    }
    #expect(refusal(many) == "conditions: there are more than 64")
    let long = SeenLately(window: .months(12))
    let far = try Condition(label: "far", parts: [.init(.seenLately(long))], reason: "A")
    #expect(
      refusal([far])
        == "condition far: looks back 12 months, but sightings are kept for 6 months")
  }
}
