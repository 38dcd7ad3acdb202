package import DeviceIdentity
package import DeviceLists

/// All that is known of one device when the rules judge it.
///
/// Made anew for every device of a run, so it owns nothing: the buffers belong to the caller and
/// are read only while ``Ruleset/matching(_:using:)`` runs. What no rule needs (``Ruleset/needs``)
/// may be left as it is.
package struct Evidence {
  /// Nil: what networks reported is no IMEI.
  package var imei: IMEI?
  /// In any order; by IMSI, then month, is the fastest.
  package var rows: UnsafeBufferPointer<SeenRow>
  /// The person behind each of `rows` by the subscriber registry, as a number of the run; 0: not
  /// known. Empty where it was not asked for.
  package var people = UnsafeBufferPointer<UInt32>(start: nil, count: 0)
  /// To whom the device belongs, by association or registration; the same numbers.
  package var owners = UnsafeBufferPointer<UInt32>(start: nil, count: 0)
  /// ``IMSI/packed`` of the subscribers for whom the device has an exception.
  package var paired = UnsafeBufferPointer<UInt64>(start: nil, count: 0)
  /// By time.
  package var events = UnsafeBufferPointer<TimedEvent>(start: nil, count: 0)
  package var type = TypeFacts()
  package var registration = Registration.absent
  /// Of the grounds in force that lists and cases gave, without those of conditions.
  package var grounds: GroundCodeSet = []
  package var lists: ListMembership = []
  /// Since when it is on the monitoring list.
  package var monitoredSince: Day?
  /// The first day on which it was seen before the period: needed only where
  /// ``Ruleset/needsSeenBefore(_:)`` says so.
  package var seenBefore: Day?
  /// The most devices that one of its subscribers used within the population window.
  package var devicesOfSubscriber: UInt32 = 0

  package init(imei: IMEI?, rows: UnsafeBufferPointer<SeenRow>) {
    self.imei = imei
    self.rows = rows
  }

  /// Whether a network has seen it before the end of the period.
  func isSeen(in scope: Scope) -> Bool {
    if seenBefore.map({ $0 < scope.period.end }) == true { return true }
    return isSeen(within: scope.allDays)
  }

  func isSeen(within days: DayWindow) -> Bool {
    for row in rows where row.days & days.mask(row.month) != 0 { return true }
    return false
  }

  /// The first day within; nil where there is none.
  func firstDay(within days: DayWindow, of period: Period) -> Day? {
    var first: Int?
    for row in rows {
      let seen = row.days & days.mask(row.month)
      guard seen != 0 else { continue }
      let day = Int(row.month) << 5 | seen.trailingZeroBitCount
      first = min(first ?? day, day)
    }
    return first.map { (period.firstMonth + $0 >> 5).firstDay + $0 & 31 }
  }
}

/// What is known of a type, prepared once for all of its devices.
package struct TypeFacts: Hashable, Sendable {
  package var isAllocated: Bool
  /// Of all types with the same manufacturer and model; nothing where the list does not say.
  package var generations: RadioGenerations
  /// Whether devices of its kind need not be registered: ``RuleSettings/isExempt(deviceType:)``.
  /// A type that is not allocated is never exempt.
  package var isExempt: Bool
  package var isApproved: Bool

  package init(
    isAllocated: Bool = false, generations: RadioGenerations = [], isExempt: Bool = false,
    isApproved: Bool = false
  ) {
    self.isAllocated = isAllocated
    self.generations = generations
    self.isExempt = isExempt && isAllocated
    self.isApproved = isApproved
  }
}

package enum Registration: UInt8, Hashable, Sendable {
  case absent
  /// With a status that is empty or `whitelist`.
  case inForce
  /// With any other status.
  case notInForce
}

/// Lists on which a device, or its type, stands.
package struct ListMembership: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let barred = ListMembership(rawValue: 1 << 0)
  package static let barredType = ListMembership(rawValue: 1 << 1)
  /// By its number, or by the MD5 of its fourteen digits.
  package static let golden = ListMembership(rawValue: 1 << 2)
}

/// What must be filled in for a set of rules; everything else may stay empty.
package struct EvidenceNeeds: OptionSet, Hashable, Sendable {
  package let rawValue: UInt16

  package init(rawValue: UInt16) { self.rawValue = rawValue }

  package static let types = EvidenceNeeds(rawValue: 1 << 0)
  package static let registration = EvidenceNeeds(rawValue: 1 << 1)
  package static let grounds = EvidenceNeeds(rawValue: 1 << 2)
  package static let lists = EvidenceNeeds(rawValue: 1 << 3)
  package static let monitoring = EvidenceNeeds(rawValue: 1 << 4)
  package static let people = EvidenceNeeds(rawValue: 1 << 5)
  package static let owners = EvidenceNeeds(rawValue: 1 << 6)
  package static let paired = EvidenceNeeds(rawValue: 1 << 7)
  package static let events = EvidenceNeeds(rawValue: 1 << 8)
  package static let devicesOfSubscriber = EvidenceNeeds(rawValue: 1 << 9)
  package static let seenBefore = EvidenceNeeds(rawValue: 1 << 10)
}
