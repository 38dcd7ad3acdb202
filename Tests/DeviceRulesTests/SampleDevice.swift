import DeviceIdentity
import DeviceLists
import DeviceRules
import Testing

/// One device and what is known of it, in words that a table can hold.
struct SampleDevice {
  struct Sighting {
    var imsi: UInt64
    var msisdn: UInt64
    var days: [Day]
    var operatorNumber: Int32
    var technologies: RadioTechnology
    var person: UInt32
  }

  var imei = IMEI(number: 35_761_300_444_848)
  var sightings: [Sighting] = []
  var type = TypeFacts(isAllocated: true)
  var registration = Registration.absent
  var grounds: GroundCodeSet = []
  var lists: ListMembership = []
  var monitoredSince: String?
  var seenBefore: String?
  var owners: [UInt32] = []
  var paired: [UInt64] = []
  var events: [TimedEvent] = []
  var devicesOfSubscriber: UInt32 = 0

  init(imei: String? = "35761300444848") {
    self.imei = imei.flatMap { try? IMEI(signalled: $0) }
  }

  /// 999-70 is a test network of TS 23.003; the subscriber is the rest of its IMSI and of its
  /// telephone number.
  static func imsi(_ subscriber: Int) -> UInt64 {
    15 * 1_000_000_000_000_000 + 999_700_000_000_000 + UInt64(subscriber)
  }

  static func msisdn(_ subscriber: Int) -> UInt64 {
    12 * 1_000_000_000_000_000 + 999_000_000_000 + UInt64(subscriber)
  }

  /// Seen with a subscriber on a day, or on all days up to another.
  func seen(
    _ subscriber: Int, _ first: String, to last: String? = nil, operatorNumber: Int32 = 1,
    technologies: RadioTechnology = [], person: UInt32 = 0
  ) -> SampleDevice {
    guard let from = Day(first), let to = Day(last ?? first) else { return self }
    var device = self
    device.sightings.append(
      Sighting(
        imsi: Self.imsi(subscriber), msisdn: Self.msisdn(subscriber),
        days: (from.number...to.number).map { Day(number: $0) }, operatorNumber: operatorNumber,
        technologies: technologies, person: person))
    return device
  }

  func with(_ change: (inout SampleDevice) -> Void) -> SampleDevice {
    var device = self
    change(&device)
    return device
  }

  /// Each sighting's days as one row for each month that the period reads.
  func rows(in period: Period) -> [(row: SeenRow, person: UInt32)] {
    sightings.flatMap { sighting in
      period.months.enumerated().compactMap { index, month in
        let days = sighting.days.filter { Month(of: $0) == month }
        guard !days.isEmpty else { return nil }
        let row = SeenRow(
          operatorNumber: sighting.operatorNumber, imsi: sighting.imsi, msisdn: sighting.msisdn,
          month: UInt8(index), days: days.reduce(0) { $0 | 1 << UInt32($1 - month.firstDay) },
          technologies: sighting.technologies)
        return (row, sighting.person)
      }
    }
  }

  /// Lends the evidence for a period.
  func evidence<Answer>(in period: Period, _ body: (Evidence) -> Answer) -> Answer {
    let rows = rows(in: period)
    return rows.map(\.row).withUnsafeBufferPointer { seen in
      rows.map(\.person).withUnsafeBufferPointer { people in
        owners.withUnsafeBufferPointer { owners in
          paired.withUnsafeBufferPointer { paired in
            events.withUnsafeBufferPointer { events in
              var evidence = Evidence(imei: imei, rows: seen)
              evidence.people = people
              evidence.owners = owners
              evidence.paired = paired
              evidence.events = events
              fill(&evidence)
              return body(evidence)
            }
          }
        }
      }
    }
  }

  private func fill(_ evidence: inout Evidence) {
    evidence.type = type
    evidence.registration = registration
    evidence.grounds = grounds
    evidence.lists = lists
    evidence.monitoredSince = monitoredSince.flatMap { Day($0) }
    evidence.seenBefore = seenBefore.flatMap { Day($0) }
    evidence.devicesOfSubscriber = devicesOfSubscriber
  }
}

/// What a single dimension says of a device.
struct Judgement: Equatable {
  var matches: Bool
  var needsSeenBefore: Bool
  var explanation: [String]

  /// `day` is the last day that counts.
  init(
    _ dimension: Dimension, inverted: Bool = false, of device: SampleDevice,
    asOf day: String = "2026-11-20", settings: RuleSettings = RuleSettings()
  ) throws {
    var parts = [Condition.Part(dimension, inverted: inverted)]
    // A condition must not be all inverted.
    if inverted { parts.append(Condition.Part(.usedBy(UsedBy(.roamer)))) }
    let condition = try Condition(label: "only", parts: parts, reason: "Only one")
    let rules = try Ruleset(
      conditions: [condition], settings: settings, networks: [], asOf: #require(Day(day)))
    var scratch = Scratch()
    (matches, needsSeenBefore, explanation) = device.evidence(in: rules.period) { evidence in
      (
        rules.matching(evidence, using: &scratch) == 1, rules.needsSeenBefore(evidence),
        rules.explanation(0, of: evidence, using: &scratch)
      )
    }
  }
}
