import DeviceIdentity
import DeviceLists
import Simulation
import Testing

struct DecisionTests {
  private static let now = RandomLists.now

  @Test(arguments: UInt64(1)...4)
  func `the engine decides as the naive decision does`(seed: UInt64) throws {
    var lists = RandomLists(seed: seed, world: try SmallWorld())
    var decided: [DecisionRule: Int] = [:]
    for _ in 0..<5_000 {
      let entryCount = Int.random(in: 0...20, using: &lists.generator)
      let list = lists.generator.one(in: 40) ? nil : lists.list(entryCount: entryCount)
      let settings = lists.settings(answers: [.white, .grey, .black, .unknown])
      let engine = DecisionEngine(settings: settings)
      for _ in 0..<10 {
        let query = lists.query()
        let naive = NaiveDecision.verdict(on: query, in: list, settings: settings, asOf: Self.now)
        var record = DecisionRecord()
        let verdict = engine.verdict(on: query, in: list, asOf: Self.now, trace: &record)
        #expect(verdict == naive, "seed \(seed)")
        #expect(record.steps.last?.rule == verdict.rule, "seed \(seed)")
        #expect(engine.verdict(on: query, in: list, asOf: Self.now) == verdict, "seed \(seed)")
        decided[naive.rule, default: 0] += 1
      }
    }
    for rule in DecisionRule.allCases {
      #expect(decided[rule, default: 0] >= 50, "seed \(seed) hardly reaches \(rule)")
    }
  }

  @Test(arguments: UInt64(11)...12)
  func `nothing becomes black because something failed`(seed: UInt64) throws {
    var lists = RandomLists(seed: seed, world: try SmallWorld())
    for _ in 0..<3_000 {
      let list = lists.generator.one(in: 10) ? nil : lists.list(entryCount: 12)
      var settings = lists.settings(answers: [.white, .grey, .unknown])
      settings.isShadow = false
      let query = lists.query()
      let verdict = DecisionEngine(settings: settings).verdict(on: query, in: list, asOf: Self.now)
      guard verdict.answer == .black else { continue }
      #expect([.final, .pairing, .localBlack, .imei, .range, .tac].contains(verdict.rule))
      #expect(!verdict.codes.isEmpty)
      let blackEntries = list?.entries.contains { $0.entryClass.status == .black } ?? false
      #expect(blackEntries || !settings.localBlack.entries.isEmpty)
      guard case .device = query.identity else {
        Issue.record("\(query.identity) is no device")
        continue
      }
      #expect(
        list.map { Self.now.seconds(since: $0.head.issuedAt) <= settings.listAgeMaxSeconds } == true
      )
    }
  }

  @Test(arguments: UInt64(21)...22)
  func `shadow mode lets everything through and says what it would have done`(seed: UInt64) throws {
    var lists = RandomLists(seed: seed, world: try SmallWorld())
    for _ in 0..<2_000 {
      let list = lists.list(entryCount: 8)
      var settings = lists.settings(answers: [.white, .grey, .black, .unknown])
      let query = lists.query()
      settings.isShadow = false
      let open = DecisionEngine(settings: settings).verdict(on: query, in: list, asOf: Self.now)
      settings.isShadow = true
      let shadow = DecisionEngine(settings: settings).verdict(on: query, in: list, asOf: Self.now)
      #expect(shadow.answer == .white)
      #expect(shadow.decided == open.answer && open.decided == open.answer)
      #expect(shadow.rule == open.rule && shadow.codes == open.codes)
      #expect(shadow.position == list.head.position && shadow.epoch == list.head.epoch)
    }
  }

  @Test(arguments: [
    // Age of the last checkpoint in seconds; whether the list is trusted. Default 7 days.
    (-3_600, true), (0, true), (604_800, true), (604_801, false), (Int64.max, false),
    (Int64.min, true),
  ])
  func `a list is trusted up to its greatest age`(age: Int64, isTrusted: Bool) throws {
    var lists = RandomLists(seed: 1, world: try SmallWorld())
    var list = lists.list(entryCount: 0)
    let seconds = Self.now.secondsSinceEpoch.subtractingReportingOverflow(age)
    list.head.issuedAt = Instant(
      secondsSinceEpoch: seconds.overflow ? (age < 0 ? .max : .min) : seconds.partialValue)
    let query = CheckQuery(identity: .device(IMEISV(imei: lists.world.devices[0])))
    let verdict = DecisionEngine(settings: DecisionSettings()).verdict(
      on: query, in: list, asOf: Self.now)
    #expect(verdict.rule == (isTrusted ? .mode : .failure))
    #expect(verdict.answer == .unknown && verdict.position == list.head.position)
  }

  @Test func `no setting is black by default`() {
    let settings = DecisionSettings()
    #expect(settings.override == nil && settings.onSpecial == nil && !settings.isShadow)
    #expect(settings.onFailure == .unknown && settings.onUnusable == .unknown)
    #expect(settings.onNoIMEI == .unknown && settings.mode == .answer(.unknown))
    #expect(settings.onNoSubscriber == .grey && settings.listAgeMaxSeconds == 604_800)
    #expect(settings.localBlack.entries.isEmpty && settings.subscriberRules.rules.isEmpty)
    #expect(settings.modeRules.rules.isEmpty && !settings.asks)
  }

  @Test func `a person who asks why is shown each list that was looked at`() throws {
    var lists = RandomLists(seed: 1, world: try SmallWorld())
    let (imei, imsi) = (lists.world.devices[0], lists.world.subscribers[0])
    let black = EntryClass(status: .black, codes: GroundCodeSet(.barredTac))
    var list = lists.list(entryCount: 0)
    list.head.issuedAt = Self.now
    list.set(.tac(imei.tac), .all, to: black)
    var record = DecisionRecord()
    let verdict = DecisionEngine(settings: DecisionSettings()).verdict(
      on: CheckQuery(identity: .device(IMEISV(imei: imei)), imsi: imsi), in: list,
      asOf: Self.now, trace: &record)
    #expect(verdict.rule == .tac && verdict.codes == black.codes && verdict.answer == .black)
    #expect(
      record.steps.map(\.rule) == [.exempt, .final, .pairing, .localBlack, .imei, .range, .tac])
    #expect(record.steps.map(\.found) == [nil, nil, nil, nil, nil, nil, black])
  }
}

struct LocalBlackListTests {
  @Test(arguments: UInt64(31)...32)
  func `a sorted list matches what a scan matches`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      let entries = (0..<Int.random(in: 0...40, using: &generator)).compactMap { _ in
        Self.entry(using: &generator)
      }
      let list = LocalBlackList(entries: entries)
      #expect(list.entries == entries)
      for number in UInt64(0)...101 {
        let device = IMEISV(
          imei: IMEI(unchecked: number),
          softwareVersion: [nil, 6, 7, 8].randomElement(using: &generator) ?? nil)
        let matching = entries.filter { entry in
          guard entry.range.contains(device.imei) else { return false }
          guard let versions = entry.softwareVersions else { return true }
          return device.softwareVersion.map { versions ~= $0 } ?? false
        }
        let found = list.match(device)
        #expect((found != nil) == !matching.isEmpty, "seed \(seed)")
        #expect(found.map(\.isFinalBlack) ?? false == matching.contains { !$0.isOverridable })
        #expect(
          found.map { $0.status == .black && $0.codes == GroundCodeSet(.operatorRequest) } ?? true)
      }
    }
  }

  private static func entry(using generator: inout SeededGenerator) -> LocalBlackList.Entry? {
    let first = UInt64.random(in: 0...100, using: &generator)
    let last = first + (generator.one(in: 5) ? 60 : UInt64.random(in: 0...3, using: &generator))
    return IMEIRange(first: IMEI(unchecked: first), last: IMEI(unchecked: last)).map {
      LocalBlackList.Entry(
        range: $0,
        softwareVersions: [nil, nil, 7...7, 6...7, 8...99].randomElement(using: &generator) ?? nil,
        isOverridable: !generator.one(in: 4))
    }
  }
}
