import DeviceIdentity
import DeviceLists
import DeviceRules

/// The rules said again with sets of calendar days and dictionaries, slowly, from what a sighting
/// says: no rows, no masks, no shared memory.
struct NaiveRules {
  let device: SampleDevice
  /// The last day that counts.
  let today: Day
  /// What is read: nothing before it counts.
  let start: Day
  let settings: RuleSettings

  private func from(_ window: Window) -> Day {
    let end = today + 1
    switch window {
    case .days(let count): return end - count
    case .months(let count):
      var (year, month) = (end.date.year, end.date.month - Int64(count))
      while month < 1 { (year, month) = (year - 1, month + 12) }
      var day = end.date.day
      while CivilDate(year: year, month: month, day: day) == nil { day -= 1 }
      return CivilDate(year: year, month: month, day: day).map { Day($0) } ?? end
    }
  }

  /// Day and sighting, for every day on which the device was seen in the window.
  private func uses(_ window: Window?) -> [(day: Day, SampleDevice.Sighting)] {
    let first = max(start, window.map(from) ?? start)
    return device.sightings.flatMap { sighting in
      sighting.days.filter { first <= $0 && $0 <= today }.map { ($0, sighting) }
    }
  }

  private func key(_ sighting: SampleDevice.Sighting, _ counting: Counting) -> UInt64? {
    switch counting {
    // Length × 10^15 + digits: fourteen or fifteen of them.
    case .imsi: sighting.imsi / 1_000_000_000_000_000 >= 14 ? sighting.imsi : nil
    case .msisdn: sighting.msisdn == 0 ? nil : sighting.msisdn
    case .person: sighting.person == 0 ? nil : UInt64(sighting.person)
    }
  }

  /// Subscriber to the days on which it was seen.
  private func days(_ window: Window?, _ counting: Counting) -> [UInt64: Set<Day>] {
    var days: [UInt64: Set<Day>] = [:]
    for (day, sighting) in uses(window) {
      if let key = key(sighting, counting) { days[key, default: []].insert(day) }
    }
    return days
  }

  private var firstSeen: Day? {
    let before = device.seenBefore.flatMap { Day($0) }.flatMap { $0 <= today ? $0 : nil }
    return (uses(nil).map(\.day) + (before.map { [$0] } ?? [])).min()
  }

  private var isSeen: Bool { firstSeen != nil }

  private var delay: Int {
    guard let imei = device.imei else { return 0 }
    return settings.reportingBodyDelays[imei.tac.reportingBody] ?? 0
  }

  private func generations(_ window: Window?) -> Set<Int> {
    Set(uses(window).flatMap { Self.bits($0.1.technologies.generations) })
  }

  private static func bits(_ generations: RadioGenerations) -> [Int] {
    (0..<4).filter { generations.rawValue & 1 << UInt8($0) != 0 }
  }

  func matches(_ dimension: Dimension) -> Bool {
    let window = dimension.rule.window
    let type = device.type
    switch dimension {
    case .barred: return device.lists.contains(.barred)
    case .barredType: return device.lists.contains(.barredType)
    case .goldenDevice: return device.lists.contains(.golden)
    case .malformedIdentity: return device.imei == nil
    case .manySubscribers(let rule):
      return days(window, rule.counting).count >= rule.threshold
    case .manySubscribersDaily(let rule): return isCrowded(rule)
    case .monitored(let rule):
      guard let since = device.monitoredSince.flatMap({ Day($0) }) else { return false }
      return today - since >= rule.minimumDays
    case .notAssociated: return isSeen && device.owners.isEmpty
    case .notRegistered: return isSeen && device.registration != .inForce && !type.isExempt
    case .notTypeApproved:
      return isSeen && device.imei != nil && !type.isApproved && !type.isExempt
    case .reportedStolen(let rule):
      return !Set(device.grounds.codes).isDisjoint(with: rule.codes.codes)
    case .rotatingSubscribers(let rule):
      let all = days(window, .imsi)
      let few = all.values.filter { $0.count <= rule.mostDays }.count
      return few >= rule.threshold && Double(few) >= rule.share * Double(all.count)
    case .seenLately: return !uses(window).isEmpty
    case .subscriberOfManyDevices(let rule):
      return device.devicesOfSubscriber >= UInt32(rule.threshold)
    case .tacNotAllocated(let rule):
      guard device.imei != nil, !type.isAllocated, let firstSeen else { return false }
      return rule.ignoresDelays || today - firstSeen >= delay
    case .technologyNotSupported:
      let known = Set(Self.bits(type.generations))
      return !known.isEmpty && !generations(window).isSubset(of: known)
    default: return matchesMore(dimension, window)
    }
  }

  private func matchesMore(_ dimension: Dimension, _ window: Window?) -> Bool {
    switch dimension {
    case .technologyNewerThanModel(let rule):
      let looked = generations(window).intersection(Self.bits(rule.generations))
      guard let newest = Self.bits(device.type.generations).max() else { return false }
      return looked.contains { $0 > newest }
    case .subscriberNotOwner(let rule):
      let strangers = uses(window).filter { _, sighting in
        key(sighting, .imsi) != nil && !device.paired.contains(sighting.imsi)
          && (sighting.person == 0
            ? rule.countsUnknown : !device.owners.contains(sighting.person))
      }
      return !device.owners.isEmpty && Set(strangers.map(\.1.imsi)).count >= rule.threshold
    case .subscriberSequence(let rule):
      let numbers = days(window, rule.counting).keys.sorted()
      return isSequence(numbers, rule)
    case .transientSubscribers(let rule): return isTransient(rule)
    case .usedBy(let rule):
      return uses(window).contains { key($0.1, .imsi) != nil && isOf(rule, $0.1.imsi) }
    case .subscribersWithinSeconds(let rule):
      return device.events.contains { last in
        let near = device.events.filter {
          $0.second <= last.second && $0.second >= last.second - Int64(rule.seconds)
        }
        return Set(near.map(\.imsi)).count > rule.subscribers
      }
    default: return false
    }
  }

  private func isCrowded(_ rule: ManySubscribersDaily) -> Bool {
    let days = days(rule.window, rule.counting)
    let all = Set(days.values.joined())
    guard all.count >= rule.minimumDays, !all.isEmpty else { return false }
    let sum = all.map { day in days.values.filter { $0.contains(day) }.count }.reduce(0, +)
    return Double(sum) >= rule.average * Double(all.count)
  }

  private func isSequence(_ numbers: [UInt64], _ rule: SubscriberSequence) -> Bool {
    for start in numbers.indices {
      for end in numbers.indices where end - start + 1 >= rule.length {
        let gaps = (start..<end).map { numbers[$0 + 1] - numbers[$0] }
        let isSmall = gaps.allSatisfy { $0 <= UInt64(rule.largestStep) }
        if isSmall, !rule.stepsAreEqual || Set(gaps).count == 1 { return true }
      }
    }
    return false
  }

  private func isTransient(_ rule: TransientSubscribers) -> Bool {
    guard let window = rule.window else { return false }
    let numbers = days(window, .msisdn)
    let sorted = numbers.keys.sorted()
    guard sorted.count >= 3 else { return false }
    let gaps = Set(zip(sorted, sorted.dropFirst()).map { $1 - $0 })
    let operators = Set(uses(window).filter { $0.1.msisdn != 0 }.map(\.1.operatorNumber))
    let length = today + 1 - from(window)
    let sum = numbers.values.map(\.count).reduce(0, +)
    return gaps.count == 1 && operators.count == 1
      && Double(sum) >= rule.average * Double(length)
  }

  /// The network of every sample subscriber is 999-70.
  private func isOf(_ rule: UsedBy, _ imsi: UInt64) -> Bool {
    let kind: SubscriberKind =
      settings.mobileCountryCodes.map(\.digits).contains("999") ? .otherLocal : .roamer
    return rule.subscribers == kind
  }
}
