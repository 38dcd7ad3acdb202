import DeviceIdentity
import DeviceLists
import DeviceRules
import RegistryStore

/// Gathers the facts of one device after the other, in memory that is used again, into what the
/// rules judge.
struct DeviceEvidence {
  /// Where the device stands with one condition.
  struct Open {
    let condition: Int
    let number: Int64
    let ground: Int64
    let classification: Classification
  }

  private let reference: RuleReference
  private let firstMonth: Int32
  /// The place of a condition among those of the run, by its label.
  private let places: [String: Int]

  private(set) var imei: UInt64 = 0
  private(set) var open: [Open] = []
  /// Open classifications of conditions that are no longer applied.
  private(set) var orphans: [(number: Int64, ground: Int64, label: String)] = []
  private var rows: [SeenRow] = []
  private var people: [UInt32] = []
  private var owners: [UInt32] = []
  private var paired: [UInt64] = []
  private var grounds: GroundCodeSet = []
  private var registration = Registration.absent
  private var monitoredSince: Day?
  private var devicesOfSubscriber: UInt32 = 0

  init(reference: RuleReference, ruleset: Ruleset) {
    self.reference = reference
    firstMonth = ruleset.period.firstMonth.firstDay.number
    places = Dictionary(
      uniqueKeysWithValues: ruleset.conditions.enumerated().map { ($1.label, $0) })
  }

  mutating func begin(_ imei: UInt64) {
    self.imei = imei
    open.removeAll(keepingCapacity: true)
    orphans.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    people.removeAll(keepingCapacity: true)
    owners.removeAll(keepingCapacity: true)
    paired.removeAll(keepingCapacity: true)
    grounds = []
    registration = .absent
    monitoredSince = nil
    devicesOfSubscriber = 0
  }

  mutating func take(_ fact: DeviceFact) {
    switch fact.kind {
    case .sighting:
      rows.append(
        SeenRow(
          operatorNumber: fact.number, imsi: fact.first, msisdn: fact.second,
          month: month(fact.day), days: fact.days,
          technologies: RadioTechnology(rawValue: fact.technologies)))
      if !reference.people.isEmpty { people.append(reference.people[fact.first] ?? 0) }
      if !reference.devicesOfSubscribers.isEmpty, fact.first != 0 {
        devicesOfSubscriber = max(
          devicesOfSubscriber, reference.devicesOfSubscribers[fact.first] ?? 1)
      }
    case .classification: takeClassification(fact)
    case .ground: if let code = GroundCode(word: fact.word) { grounds.insert(GroundCodeSet(code)) }
    case .pairing: paired.append(fact.first)
    case .registration:
      let isInForce = fact.word.isEmpty || fact.word == "whitelist"
      if registration != .inForce { registration = isInForce ? .inForce : .notInForce }
    case .monitoring:
      let day = Day(number: fact.day)
      monitoredSince = monitoredSince.map { min($0, day) } ?? day
    case .association: owners.append(reference.personNumbers[fact.word] ?? RuleReference.stranger)
    }
  }

  private mutating func takeClassification(_ fact: DeviceFact) {
    let (number, ground) = (Int64(bitPattern: fact.first), Int64(bitPattern: fact.second))
    guard let place = places[fact.word] else {
      orphans.append((number, ground, fact.word))
      return
    }
    open.append(
      Open(
        condition: place, number: number, ground: ground,
        classification: Classification(
          since: Day(number: fact.day),
          blockOn: fact.number == DeviceFact.noDay ? nil : Day(number: fact.number),
          hasAmnesty: fact.days == 1)))
  }

  /// The first of the nth month lies 30.44 days times n later, and never more than three days from
  /// it.
  private func month(_ day: Int32) -> UInt8 {
    UInt8(clamping: (Int(day - firstMonth) * 100 + 1_522) / 3_044)
  }

  /// What the rules judge; only within `body`.
  func with<Value>(
    seenBefore: Day?, isUsable: Bool = true, _ body: (Evidence) throws -> Value
  ) rethrows -> Value {
    try rows.withUnsafeBufferPointer { rows in
      try people.withUnsafeBufferPointer { people in
        try owners.withUnsafeBufferPointer { owners in
          try paired.withUnsafeBufferPointer { paired in
            let imei = isUsable ? IMEI(number: imei) : nil
            var evidence = Evidence(imei: imei, rows: rows)
            evidence.people = people
            evidence.owners = owners
            evidence.paired = paired
            evidence.registration = registration
            evidence.grounds = grounds
            evidence.monitoredSince = monitoredSince
            evidence.devicesOfSubscriber = devicesOfSubscriber
            evidence.seenBefore = seenBefore
            if let imei {
              evidence.type = reference.types[imei.tac.number] ?? TypeFacts()
              evidence.lists = reference.lists(imei, grounds)
            }
            return try body(evidence)
          }
        }
      }
    }
  }
}
