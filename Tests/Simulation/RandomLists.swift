package import DeviceIdentity
package import DeviceLists

/// Devices and subscribers so few that random entries, questions and settings meet.
package struct SmallWorld: Sendable {
  package let devices: [IMEI]
  package let subscribers: [IMSI]
  package let prefixes: [IMSIPrefix]
  /// They overlap the prefixes, each other, and one of them is as wide as a prefix.
  package let ranges: [IMSIRange]
  package let ownOperator: OperatorCode

  /// Two ordinary types, two test types and the placeholder of fifteen zeros.
  package init() throws {
    let types = try ["35812345", "86000012", "00440001", "00101799", "00000000"].map { text in
      try TAC(text)
    }
    devices = types.flatMap { type in
      [0, 999_999].compactMap { IMEI(tac: type, serial: $0) }
    }
    subscribers = try ["999700000000001", "999700000000002", "99970123456", "00101000000001"].map {
      text in try IMSI(text)
    }
    prefixes = try ["9", "99970", "999700000000001", "00101"].map { text in
      try IMSIPrefix(text)
    }
    let ends = [
      ("999700000000000", "999700000000001"), ("999700000000000", "999709999999999"),
      ("999700000000002", "999700000000002"), ("99970123450", "99970123459"),
      ("00100000000000", "00199999999999"), ("900000000000000", "999999999999999"),
    ]
    ranges = try ends.compactMap { first, last in
      IMSIRange(first: try IMSI(first), last: try IMSI(last))
    }
    ownOperator = try Self.own()
  }

  private static func own() throws -> OperatorCode {
    guard let code = OperatorCode("red") else { throw IdentityError(.empty) }
    return code
  }
}

/// Lists, questions and settings drawn from a seed, dense enough that every rule decides some.
package struct RandomLists {
  package let world: SmallWorld
  package var generator: SeededGenerator

  package init(seed: UInt64, world: SmallWorld) {
    self.world = world
    generator = SeededGenerator(seed: seed)
  }

  package static let now = Instant(secondsSinceEpoch: 1_795_415_000)

  package mutating func list(entryCount: Int) -> NaiveList {
    let age =
      generator.one(in: 10) ? 8 * 86_400 : Int64.random(in: -60...600_000, using: &generator)
    var list = NaiveList(
      head: ListHead(
        epoch: Epoch(using: &generator), position: .start, digest: .zero,
        issuedAt: Self.now.adding(seconds: -age)))
    for _ in 0..<entryCount {
      list.set(subject(), scope(), to: entryClass())
      list.head.position = list.head.position.next
    }
    list.head.digest = list.digest
    return list
  }

  /// Something becomes, or in one of `removals` cases ceases to be, listed.
  package mutating func change(at position: Position, removals: Int = 8) -> Change {
    Change(
      position: position, subject: subject(),
      scope: scope(),
      entryClass: generator.one(in: removals) ? nil : entryClass())
  }

  package mutating func scope() -> Scope {
    generator.one(in: 2) ? .all : .only(world.ownOperator)
  }

  package mutating func subject() -> Subject {
    let device = device()
    switch Int.random(in: 0..<10, using: &generator) {
    case 0..<4: return .imei(device)
    case 4..<7: return .pairing(Pairing(imei: device, imsi: subscriber()))
    case 7: return .tac(device.tac)
    default:
      let other = self.device()
      let range = IMEIRange(first: min(device, other), last: max(device, other))
      return range.map { .range($0) } ?? .imei(device)
    }
  }

  package mutating func entryClass() -> EntryClass {
    let status = random(ListStatus.allCases, or: .white)
    let fitting = GroundCode.allCases.filter { $0.defaultStatus == status }
    var codes = GroundCodeSet(random(fitting, or: .registered))
    if generator.one(in: 3) { codes.formUnion(GroundCodeSet(random(fitting, or: .registered))) }
    return EntryClass(status: status, codes: codes, isOverridable: !generator.one(in: 4))
  }

  package mutating func query() -> CheckQuery {
    let version = generator.one(in: 2) ? nil : UInt8.random(in: 0...2, using: &generator)
    let identity: CheckedIdentity =
      switch Int.random(in: 0..<20, using: &generator) {
      case 0: .none
      case 1: .unusable(UnusableIdentity("*#06#"))
      default: .device(IMEISV(imei: device(), softwareVersion: version))
      }
    return CheckQuery(identity: identity, imsi: generator.one(in: 2) ? nil : subscriber())
  }

  /// Every policy drawn from `answers`.
  package mutating func settings(answers: [CheckAnswer]) -> DecisionSettings {
    var settings = DecisionSettings()
    if generator.one(in: 20) { settings.override = answer(answers) }
    settings.isShadow = generator.one(in: 10)
    settings.onFailure = answer(answers)
    settings.onUnusable = answer(answers)
    settings.onNoIMEI = answer(answers)
    settings.onNoSubscriber = answer(answers)
    settings.onSpecial = generator.one(in: 3) ? nil : answer(answers)
    settings.mode = mode(answers)
    settings.modeRules = ModeRules(
      (0..<Int.random(in: 0...3, using: &generator)).map { _ in
        ModeRule(condition(), mode: mode(answers))
      })
    if generator.one(in: 3) {
      settings.localBlack = LocalBlackList(
        entries: (0..<Int.random(in: 1...3, using: &generator)).compactMap { _ in localEntry() })
    }
    settings.subscriberRules = SubscriberRules(
      (0..<Int.random(in: 0...3, using: &generator)).map { _ in
        SubscriberRule(subscribers(), answer: answer(answers))
      })
    return settings
  }

  private mutating func localEntry() -> LocalBlackList.Entry? {
    let (one, other) = (device(), device())
    guard let range = IMEIRange(first: min(one, other), last: max(one, other)) else { return nil }
    return LocalBlackList.Entry(
      range: range,
      softwareVersions: [nil, nil, 1...1, 0...1, 1...99].randomElement(using: &generator) ?? nil,
      isOverridable: !generator.one(in: 3))
  }

  private mutating func mode(_ answers: [CheckAnswer]) -> DecisionMode {
    generator.one(in: 4) ? .ask : .answer(answer(answers))
  }

  private mutating func condition() -> ModeRule.Condition {
    let (one, other) = (device(), device())
    switch Int.random(in: 0..<3, using: &generator) {
    case 0: return .subscribers(subscribers())
    case 1: return .type(one.tac)
    default:
      return IMEIRange(first: min(one, other), last: max(one, other)).map { .devices($0) }
        ?? .type(one.tac)
    }
  }

  private mutating func subscribers() -> Subscribers {
    generator.one(in: 2)
      ? .prefix(random(world.prefixes, or: world.prefixes[0]))
      : .range(random(world.ranges, or: world.ranges[0]))
  }

  private mutating func device() -> IMEI { random(world.devices, or: IMEI(unchecked: 0)) }

  private mutating func subscriber() -> IMSI { random(world.subscribers, or: world.subscribers[0]) }

  private mutating func answer(_ answers: [CheckAnswer]) -> CheckAnswer {
    random(answers, or: .unknown)
  }

  private mutating func random<Element>(_ choice: [Element], or fallback: Element) -> Element {
    choice.randomElement(using: &generator) ?? fallback
  }
}

extension SeededGenerator {
  /// True once in `chances` times.
  package mutating func one(in chances: Int) -> Bool {
    Int.random(in: 0..<chances, using: &self) == 0
  }
}
