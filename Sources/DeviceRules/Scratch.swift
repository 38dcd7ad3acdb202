/// Memory that the rules use again for every device, so that judging one allocates nothing once the
/// largest has been seen.
package struct Scratch {
  /// The days of one month on which a device was used by one subscriber.
  struct Use: Hashable {
    let key: UInt64
    let month: UInt8
    var days: UInt32
  }

  /// In ascending order of key, then month; one for each, once ``finish()`` was called.
  private(set) var uses: [Use] = []
  private var isSorted = true
  /// By ``Use/month``.
  private var daysOfMonth: [UInt32] = []
  /// Subscribers of the last seconds: ``SubscribersWithinSeconds``.
  var recent: [(imsi: UInt64, second: Int64)] = []

  package init() {}

  /// The uses of a device within `days`, by whom `counting` names.
  mutating func gather(_ device: Evidence, by counting: Counting, within days: DayWindow) {
    begin()
    switch counting {
    case .imsi:
      for row in device.rows where row.hasSubscriber { take(row.imsi, row, within: days) }
    case .msisdn:
      for row in device.rows where row.msisdn != 0 { take(row.msisdn, row, within: days) }
    case .person:
      for (row, person) in zip(device.rows, device.people) where person != 0 {
        take(UInt64(person), row, within: days)
      }
    }
    finish()
  }

  mutating func begin() {
    uses.removeAll(keepingCapacity: true)
    isSorted = true
  }

  mutating func take(_ key: UInt64, _ row: SeenRow, within window: DayWindow) {
    let days = row.days & window.mask(row.month)
    guard days != 0 else { return }
    if let last = uses.last {
      if last.key == key, last.month == row.month {
        uses[uses.count - 1].days |= days
        return
      }
      if (last.key, last.month) > (key, row.month) { isSorted = false }
    }
    uses.append(Use(key: key, month: row.month, days: days))
  }

  mutating func finish() {
    guard !isSorted else { return }
    uses.sort { ($0.key, $0.month) < ($1.key, $1.month) }
    var end = 0
    for index in 1..<uses.count {
      if uses[index].key == uses[end].key, uses[index].month == uses[end].month {
        uses[end].days |= uses[index].days
      } else {
        end += 1
        uses[end] = uses[index]
      }
    }
    uses.removeSubrange((end + 1)...)
    isSorted = true
  }

  var distinctKeys: Int {
    var count = 0
    var last: UInt64?
    for use in uses where use.key != last {
      count += 1
      last = use.key
    }
    return count
  }

  /// For each day the subscribers of that day, added up.
  var subscriberDays: Int { uses.reduce(0) { $0 + $1.days.nonzeroBitCount } }

  /// The days with a subscriber.
  mutating func daysInUse() -> Int {
    daysOfMonth.removeAll(keepingCapacity: true)
    for use in uses {
      while daysOfMonth.count <= Int(use.month) { daysOfMonth.append(0) }
      daysOfMonth[Int(use.month)] |= use.days
    }
    return daysOfMonth.reduce(0) { $0 + $1.nonzeroBitCount }
  }

  /// How many keys differ from the next by the same step at most `largestStep`, or, where
  /// `stepsAreEqual` is false, by any such step: the most in a row.
  func longestSequence(largestStep: UInt64, stepsAreEqual: Bool) -> Int {
    var (longest, length, step) = (0, 0, UInt64(0))
    var last: UInt64?
    for use in uses where use.key != last {
      let gap = last.map { use.key - $0 } ?? 0
      last = use.key
      if gap == 0 || gap > largestStep {
        length = 1
      } else if stepsAreEqual && length > 1 && gap != step {
        length = 2
      } else {
        length += 1
      }
      step = gap
      longest = max(longest, length)
    }
    return longest
  }
}

/// Whom a rule counts.
package enum Counting: String, Hashable, Sendable, CaseIterable {
  /// IMSIs of 14 or 15 digits.
  case imsi
  case msisdn
  /// People of the subscriber registry; a subscriber who is not in it does not count.
  case person
}
