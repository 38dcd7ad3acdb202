import DeviceIdentity
import DeviceLists
import DeviceRules
import RegistryStore

/// One pass over devices: what each condition finds, and what changes by it.
struct Sweep {
  /// Kept for a person to look at, of each condition.
  static let mostExamples = 10
  /// Devices between two words on progress.
  static let progressInterval = 50_000

  private struct Change {
    let imei: Int64
    let identity: String
    let open: DeviceEvidence.Open?
    let now: Classification?
  }

  let rules: Rules
  let run: Int64
  let asOf: CivilDate
  let store: RegistryStore
  var progress: (Int) -> Void = { _ in }
  private(set) var report: ClassifyReport
  private let months: [CivilDate]
  private let needs: FactNeeds
  private var evidence: DeviceEvidence
  private var scratch = Scratch()
  /// By condition.
  private var changes: [[Change]]
  private var matchingInPopulation = [Int](repeating: 0, count: Ruleset.mostConditions)
  /// IMEIs that a condition finds anew, less those that it finds no longer.
  private var addedDevices = [Int](repeating: 0, count: Ruleset.mostConditions)
  private var orphans: [(number: Int64, ground: Int64, label: String)] = []
  /// Whose first day must be looked up before they can be judged.
  private var undecided: [UInt64] = []

  init(rules: Rules, run: Int64, asOf: CivilDate, store: RegistryStore) {
    self.rules = rules
    self.run = run
    self.asOf = asOf
    self.store = store
    months = rules.ruleset.period.months.map(\.firstDay.date)
    evidence = DeviceEvidence(reference: RuleReference(), ruleset: rules.ruleset)
    changes = rules.ruleset.conditions.map { _ in [] }
    report = ClassifyReport(asOf: asOf)
    report.conditions = rules.ruleset.conditions.map { .init($0.label) }
    needs = FactNeeds(rules.ruleset.needs)
  }

  /// - Parameter devices: nil: all.
  mutating func run(over devices: [UInt64]?) async throws {
    let started = ContinuousClock.now
    let (rules, months) = (rules, months)
    let reference = try await store.read {
      try await RuleReference(
        $0, for: rules.ruleset, settings: rules.settings, months: months)
    }
    evidence = DeviceEvidence(reference: reference, ruleset: rules.ruleset)
    if let devices {
      try await store.write { try await $0.setSubjects(devices, of: run) }
    }
    try await pass(only: devices == nil ? nil : run, firstSeen: nil)
    try await decideUndecided()
    try await judgeUnusable()
    report.seconds = started.duration(to: .now) / .seconds(1)
  }

  private mutating func decideUndecided() async throws {
    guard !undecided.isEmpty else { return }
    let devices = undecided
    undecided = []
    report.devices -= devices.count
    try await store.write { try await $0.setSubjects(devices, of: run) }
    let before = rules.ruleset.period.firstMonth.firstDay.date
    let first = try await store.read { try await $0.firstSeen(of: run, before: before) }
    try await pass(only: run, firstSeen: first)
  }

  private mutating func pass(only run: Int64?, firstSeen: [UInt64: Int32]?) async throws {
    let (months, needs, store) = (months, needs, store)
    var current: UInt64?
    try await store.read { registry in
      try await registry.readFacts(months: months, needs: needs, of: run) { facts in
        for fact in facts {
          if fact.imei != current {
            if current != nil { judge(firstSeen) }
            current = fact.imei
            evidence.begin(fact.imei)
          }
          evidence.take(fact)
        }
      }
    }
    if current != nil { judge(firstSeen) }
  }

  /// - Parameter firstSeen: nil: not looked up yet.
  private mutating func judge(_ firstSeen: [UInt64: Int32]?) {
    report.devices += 1
    if report.devices % Self.progressInterval == 0 { progress(report.devices) }
    orphans += evidence.orphans
    let imei = evidence.imei
    let seenBefore = firstSeen?[imei].map { Day(number: $0) }
    let ruleset = rules.ruleset
    let result: (matching: UInt64, isCounted: Bool)? = evidence.with(seenBefore: seenBefore) {
      if firstSeen == nil, ruleset.needsSeenBefore($0) { return nil }
      return (ruleset.matching($0, using: &scratch), ruleset.isInPopulation($0))
    }
    guard let result else { return undecided.append(imei) }
    if result.isCounted {
      report.population += 1
      var rest = result.matching
      while rest != 0 {
        matchingInPopulation[rest.trailingZeroBitCount] += 1
        rest &= rest - 1
      }
    }
    note(result.matching, imei: Int64(imei), identity: "", seenBefore: seenBefore)
  }

  private mutating func judgeUnusable() async throws {
    let months = months
    let facts = try await store.read { try await $0.unusableFacts(months: months) }
    var current: String?
    func matching(_ sweep: inout Sweep) -> UInt64 {
      sweep.evidence.with(seenBefore: nil, isUsable: false) {
        sweep.rules.ruleset.matching($0, using: &sweep.scratch)
      }
    }
    for (identity, fact) in facts {
      if identity != current {
        if let current { note(matching(&self), imei: -1, identity: current, seenBefore: nil) }
        current = identity
        report.unusable += 1
        evidence.begin(0)
      }
      evidence.take(fact)
    }
    if let current { note(matching(&self), imei: -1, identity: current, seenBefore: nil) }
  }

  private mutating func note(
    _ matching: UInt64, imei: Int64, identity: String, seenBefore: Day?
  ) {
    var rest = matching
    for open in evidence.open { rest |= 1 << UInt64(open.condition) }
    while rest != 0 {
      let place = rest.trailingZeroBitCount
      rest &= rest - 1
      let matches = matching & 1 << UInt64(place) != 0
      if matches { count(place, imei, identity, seenBefore) }
      let open = evidence.open.first { $0.condition == place }
      let condition = rules.ruleset.conditions[place]
      var change = ClassificationChange(
        open: open?.classification, matches: matches, condition: condition,
        amnesty: rules.settings.amnesty, asOf: Day(asOf))
      if imei < 0 { change = Self.withoutBlock(change, open?.classification) }
      let now: Classification? =
        switch change {
        case .nothing: open?.classification
        case .begin(let found), .change(let found): found
        case .end: nil
        }
      guard change != .nothing else { continue }
      switch change {
      case .begin:
        report.conditions[place].begun += 1
        if imei >= 0 { addedDevices[place] += 1 }
      case .change: report.conditions[place].changed += 1
      case .end:
        report.conditions[place].ended += 1
        if imei >= 0 { addedDevices[place] -= 1 }
      case .nothing: break
      }
      changes[place].append(Change(imei: imei, identity: identity, open: open, now: now))
    }
  }

  /// What is no IMEI is on no list: it is found and counted, and never blocked.
  private static func withoutBlock(
    _ change: ClassificationChange, _ open: Classification?
  ) -> ClassificationChange {
    switch change {
    case .nothing, .end: return change
    case .begin(let found), .change(let found):
      let now = Classification(since: found.since, blockOn: nil)
      return open == nil ? .begin(now) : .nothing
    }
  }

  private mutating func count(
    _ place: Int, _ imei: Int64, _ identity: String, _ seenBefore: Day?
  ) {
    report.conditions[place].matching += 1
    guard report.conditions[place].examples.count < Self.mostExamples else { return }
    let ruleset = rules.ruleset
    let because = evidence.with(seenBefore: seenBefore, isUsable: imei >= 0) {
      ruleset.explanation(place, of: $0, using: &scratch)
    }
    let device = IMEI(number: UInt64(clamping: imei)).map(\.description) ?? identity
    report.conditions[place].examples.append(
      .init(device: imei >= 0 ? device : identity, because: because))
  }

  /// What keeps the run from changing anything.
  ///
  /// - Parameter found: for how many devices each condition holds before the run, where it looks
  ///   at some only: those that it adds come on top.
  func excesses(population: Int, found: [String: Int]?) -> [String] {
    rules.ruleset.conditions.enumerated().compactMap { place, condition in
      let matching =
        found.map { ($0[condition.label] ?? 0) + addedDevices[place] }
        ?? matchingInPopulation[place]
      // Devices that were found before may be in the population no longer.
      guard found == nil || addedDevices[place] > 0 else { return nil }
      return PopulationExcess(condition, matching: matching, population: population)?.description
    }
  }

  /// All changes, in the transaction of the caller.
  func store(
    in registry: RegistryTransaction, run: Int64, by actor: String
  ) async throws -> GroundCounts {
    var counts = GroundCounts()
    for (place, condition) in rules.ruleset.conditions.enumerated()
    where !changes[place].isEmpty {
      counts.add(
        try await registry.store(
          changes[place].map(Self.write), of: condition.label, ground: Self.ground(condition),
          run: run, asOf: asOf, by: actor))
    }
    for (label, ended) in Dictionary(grouping: orphans, by: \.label).sorted(by: { $0.key < $1.key })
    {
      let writes = ended.map {
        ClassificationWrite(
          imei: 0, identity: "", ended: $0.number, endedGround: $0.ground, since: nil,
          blockOn: nil, hasAmnesty: false)
      }
      counts.add(
        try await registry.store(
          writes, of: label, ground: nil, run: run, asOf: asOf, by: actor))
    }
    return counts
  }

  private static func write(_ change: Change) -> ClassificationWrite {
    ClassificationWrite(
      imei: change.imei, identity: change.identity, ended: change.open?.number ?? 0,
      endedGround: change.open?.ground ?? 0, since: change.now?.since.number,
      blockOn: change.now?.blockOn?.number, hasAmnesty: change.now?.hasAmnesty ?? false)
  }

  private static func ground(_ condition: Condition) -> ConditionGround? {
    guard condition.isBlocking, let code = condition.groundCode else { return nil }
    return ConditionGround(
      label: condition.label, code: code, reason: condition.reason,
      isGreyBefore: condition.isGreyDuringGrace)
  }
}

extension FactNeeds {
  init(_ needs: EvidenceNeeds) {
    var facts: FactNeeds = []
    if !needs.isDisjoint(with: [.grounds, .lists]) { facts.insert(.grounds) }
    if needs.contains(.paired) { facts.insert(.pairings) }
    if needs.contains(.registration) { facts.insert(.registration) }
    if needs.contains(.monitoring) { facts.insert(.monitoring) }
    if needs.contains(.owners) { facts.insert(.associations) }
    self = facts
  }
}

extension GroundCounts {
  mutating func add(_ other: GroundCounts) {
    begun += other.begun
    ended += other.ended
  }
}
