import DeviceLists

/// How far back a rule looks from the end of its period.
package enum Window: Hashable, Sendable, CustomStringConvertible {
  package static let days = 1...1_800
  package static let months = 1...60

  case days(Int)
  /// Back to the same day of an earlier month, or to its last day where it is shorter.
  case months(Int)

  /// The first day that counts, where the days count up to `end`, which does not.
  package func start(before end: Day) -> Day {
    switch self {
    case .days(let count): end - count
    case .months(let count): end.monthsBefore(count)
    }
  }

  /// However long the months are.
  var mostDays: Int {
    switch self {
    case .days(let count): count
    case .months(let count): count * 31
    }
  }

  package var description: String {
    switch self {
    case .days(let count): count == 1 ? "1 day" : "\(count) days"
    case .months(let count): count == 1 ? "1 month" : "\(count) months"
    }
  }
}

/// The months of sightings that a run reads, and the day at which it stops.
package struct Period: Hashable, Sendable {
  /// ``SeenRow/month`` 0.
  package let firstMonth: Month
  /// The day after the last one that counts: that day itself is never counted.
  package let end: Day

  /// From the first of the month in which the longest of `windows` starts.
  package init(asOf day: Day, windows: [Window]) {
    end = day + 1
    let start = windows.map { [end] in $0.start(before: end) }.min() ?? day
    firstMonth = Month(of: Swift.min(start, day))
  }

  package var monthCount: Int { Month(of: end - 1) - firstMonth + 1 }

  /// The partitions to be read, oldest first.
  package var months: [Month] { (0..<monthCount).map { firstMonth + $0 } }

  /// Everything that is read and counts.
  var allDays: DayWindow { DayWindow(from: firstMonth.firstDay, to: end, in: self) }
}

/// The days from one, included, to another, not included, as masks of the days of months.
package struct DayWindow: Hashable, Sendable, CustomStringConvertible {
  package let from: Day
  package let to: Day
  private let firstMonth: UInt8
  private let lastMonth: UInt8
  private let firstMask: UInt32
  private let lastMask: UInt32

  /// Days before the period's first month are not read and do not count.
  package init(from start: Day, to end: Day, in period: Period) {
    let from = Swift.max(start, period.firstMonth.firstDay)
    self.from = from
    to = Swift.max(from, end)
    guard from < end else {
      (firstMonth, lastMonth, firstMask, lastMask) = (0, 0, 0, 0)
      return
    }
    firstMonth = UInt8(Month(of: from) - period.firstMonth)
    lastMonth = UInt8(Month(of: end - 1) - period.firstMonth)
    firstMask = ~0 << UInt32(from.date.day - 1)
    lastMask = ~0 >> UInt32(32 - (end - 1).date.day)
  }

  /// The days of a month that lie within, bit 0 the first of the month.
  func mask(_ month: UInt8) -> UInt32 {
    guard month > firstMonth else { return month < firstMonth ? 0 : firstMonthMask }
    guard month < lastMonth else { return month > lastMonth ? 0 : lastMask }
    return ~0
  }

  private var firstMonthMask: UInt32 {
    firstMonth == lastMonth ? firstMask & lastMask : firstMask
  }

  package var description: String { "\(from) to \(to - 1)" }
}
