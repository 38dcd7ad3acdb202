import DeviceIdentity
import DeviceLists
import Simulation
import Testing

/// Rules for subscribers and rules of the mode. Subscribers of the test network 001 01 and of
/// 999 70, which no network has.
struct RuleTests {
  private static func prefix(_ digits: String) throws -> Subscribers {
    .prefix(try IMSIPrefix(digits))
  }

  private static func range(_ first: String, _ last: String) throws -> Subscribers {
    .range(try #require(IMSIRange(first: try IMSI(first), last: try IMSI(last))))
  }

  @Test(arguments: [
    // Of the rules below the narrowest counts.
    ("001010000000005", CheckAnswer.black), ("001010000000006", .grey), ("001010000001000", .grey),
    ("001010000001001", .white), ("001011999999999", .white), ("001021000000000", nil),
    // A range says nothing of IMSIs of another length, a prefix does.
    ("00101000000005", .white), ("999700000000000", nil),
  ])
  func `the narrowest rule answers for a subscriber`(digits: String, answer: CheckAnswer?) throws {
    let rules = SubscriberRules([
      SubscriberRule(try Self.prefix("00101"), answer: .white),
      SubscriberRule(try Self.range("001010000000000", "001010000001000"), answer: .grey),
      SubscriberRule(try Self.range("001010000000005", "001010000000005"), answer: .black),
      SubscriberRule(try Self.prefix("001010000000005"), answer: .unknown),
    ])
    #expect(rules.answer(for: try IMSI(digits)) == answer)
  }

  @Test func `a range has ends of one length in their order`() throws {
    let (short, long) = (try IMSI("00101000000000"), try IMSI("001010000000000"))
    #expect(IMSIRange(first: short, last: long) == nil)
    #expect(IMSIRange(first: try IMSI("001010000000001"), last: long) == nil)
    #expect(IMSIRange(first: long, last: long)?.contains(long) == true)
  }

  @Test func `no description of a rule names a subscriber`() throws {
    let rule = ModeRule(
      .subscribers(try Self.range("001010123456780", "001010123456789")), mode: .ask)
    #expect(rule.description == "imsi:001010xxxxxxxxx-001010xxxxxxxxx=ask")
    #expect(!"\(try Self.prefix("001010123456789"))".contains("23456"))
    var dumped = ""
    dump(rule, to: &dumped)
    #expect(!dumped.contains("123456780"))
  }

  @Test(arguments: UInt64(51)...53)
  func `a thousand rules answer as a scan of them does`(seed: UInt64) throws {
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let answers: [CheckAnswer] = [.white, .grey, .black, .unknown]
    var settings = DecisionSettings()
    settings.subscriberRules = SubscriberRules(
      try (0..<1_000).map { _ in
        SubscriberRule(
          try Self.randomSubscribers(using: &generator),
          answer: answers.randomElement(using: &generator) ?? .white)
      })
    settings.modeRules = ModeRules(
      try (0..<1_000).map { _ in
        ModeRule(.subscribers(try Self.randomSubscribers(using: &generator)), mode: .ask)
      })
    let list = NaiveList(
      head: ListHead(
        epoch: Epoch(high: 1, low: 1), position: .start, digest: .zero, issuedAt: RandomLists.now))
    var (decided, asked): ([DecisionRule: Int], Int) = ([:], 0)
    for _ in 0..<400 {
      let query = CheckQuery(
        identity: .device(IMEISV(imei: IMEI(unchecked: 35_209_900_000_000))),
        imsi: try IMSI("99970" + Self.digits(Int.random(in: 5...10, using: &generator), &generator))
      )
      let verdict = DecisionEngine(settings: settings).verdict(
        on: query, in: list, asOf: RandomLists.now)
      #expect(
        verdict
          == NaiveDecision.verdict(on: query, in: list, settings: settings, asOf: RandomLists.now),
        "seed \(seed)")
      decided[verdict.rule, default: 0] += 1
      if verdict.isToAsk { asked += 1 }
    }
    #expect(decided[.subscriberRule, default: 0] >= 40 && asked >= 20, "seed \(seed)")
    #expect(decided[.mode, default: 0] >= asked + 40, "seed \(seed)")
  }

  private static func digits(_ count: Int, _ generator: inout SeededGenerator) -> String {
    (0..<count).map { _ in String(Int.random(in: 0...6, using: &generator)) }.joined()
  }

  private static func randomSubscribers(
    using generator: inout SeededGenerator
  ) throws -> Subscribers {
    let digits = "99970" + Self.digits(Int.random(in: 3...10, using: &generator), &generator)
    if generator.one(in: 2) { return try prefix(digits) }
    let other = digits.dropLast(2) + Self.digits(2, &generator)
    return try range(min(digits, String(other)), max(digits, String(other)))
  }

  private static let device = IMEI(unchecked: 35_209_900_000_005)

  @Test(
    arguments: [
      // The device and its subscriber; what the rules below make of it.
      (35_209_900_000_005, nil, DecisionMode.answer(.grey), "range"),
      (35_209_900_000_010, nil, .ask, "tac"),
      (35_209_901_000_000, nil, .answer(.unknown), nil),
      (35_209_900_000_005, "001010123456789", .answer(.white), "imsi"),
      (35_209_901_000_000, "001020123456789", .ask, "imsi"),
      (35_209_901_000_000, "999700123456789", .answer(.unknown), nil),
    ] as [(UInt64, String?, DecisionMode, String?)])
  func `a mode rule holds for some devices or subscribers`(
    number: UInt64, digits: String?, mode: DecisionMode, kind: String?
  ) throws {
    let five = try #require(IMEIRange(first: Self.device, last: Self.device))
    var settings = DecisionSettings()
    settings.onFailure = .white
    settings.modeRules = ModeRules([
      ModeRule(.type(Self.device.tac), mode: .ask),
      ModeRule(.devices(five), mode: .answer(.grey)),
      ModeRule(.subscribers(try Self.prefix("0010")), mode: .ask),
      ModeRule(.subscribers(try Self.prefix("00101")), mode: .answer(.white)),
    ])
    #expect(settings.asks)
    let (imei, imsi) = (IMEI(unchecked: number), try digits.map { try IMSI($0) })
    let rule = settings.modeRules.rule(for: imei, of: imsi)
    #expect(rule.map { $0.description.hasPrefix("\(kind ?? "none"):") } ?? (kind == nil))
    let list = NaiveList(
      head: ListHead(
        epoch: Epoch(high: 1, low: 1), position: .start, digest: .zero, issuedAt: RandomLists.now))
    let query = CheckQuery(identity: .device(IMEISV(imei: imei)), imsi: imsi)
    let verdict = DecisionEngine(settings: settings).verdict(
      on: query, in: list, asOf: RandomLists.now)
    #expect(verdict.rule == .mode && verdict.isToAsk == (mode == .ask))
    let answer = if case .answer(let answer) = mode { answer } else { settings.onFailure }
    #expect(verdict.answer == answer)
    settings.isShadow = true
    let shadow = DecisionEngine(settings: settings).verdict(
      on: query, in: list, asOf: RandomLists.now)
    #expect(shadow.answer == .white && !shadow.isToAsk, "in shadow mode nobody is asked")
  }
}
