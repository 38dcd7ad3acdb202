package import DeviceLists

/// A day of the registry's calendar, by its number: cheap to compare for millions of devices.
package struct Day: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Days since 1970-01-01.
  package let number: Int32

  package init(number: Int32) { self.number = number }

  package init(_ date: CivilDate) { number = Int32(date.daysSinceEpoch) }

  /// `2026-11-23`; nil for anything else, and for a day that does not exist.
  package init?(_ text: some StringProtocol) {
    guard let date = CivilDate(text) else { return nil }
    self.init(date)
  }

  package var date: CivilDate { CivilDate(daysSinceEpoch: Int64(number)) }

  package static func + (day: Day, days: Int) -> Day { Day(number: day.number + Int32(days)) }

  package static func - (day: Day, days: Int) -> Day { Day(number: day.number - Int32(days)) }

  package static func - (later: Day, earlier: Day) -> Int { Int(later.number - earlier.number) }

  /// The same day of an earlier month, or the last of that month where it is shorter.
  func monthsBefore(_ months: Int) -> Day {
    let date = self.date
    let month = Month(of: self) - months
    return Swift.min(month.firstDay + Int(date.day - 1), (month + 1).firstDay - 1)
  }

  package static func < (left: Day, right: Day) -> Bool { left.number < right.number }

  package var description: String { date.description }
}

/// A month of the calendar.
package struct Month: Hashable, Comparable, Sendable, CustomStringConvertible {
  static let perYear = 12

  /// Year × 12 + month − 1.
  let number: Int32

  init(number: Int32) { self.number = number }

  package init(of day: Day) {
    let date = day.date
    number = Int32(date.year) * Int32(Self.perYear) + Int32(date.month) - 1
  }

  package var firstDay: Day {
    let (year, month) = number.quotientAndRemainder(dividingBy: Int32(Self.perYear))
    guard let date = CivilDate(year: Int64(year), month: Int64(month) + 1, day: 1) else {
      preconditionFailure("A month has a first day.")
    }
    return Day(date)
  }

  package static func + (month: Month, months: Int) -> Month {
    Month(number: month.number + Int32(months))
  }

  package static func - (month: Month, months: Int) -> Month { month + -months }

  package static func - (later: Month, earlier: Month) -> Int {
    Int(later.number - earlier.number)
  }

  package static func < (left: Month, right: Month) -> Bool { left.number < right.number }

  /// `2026-11`.
  package var description: String { String(firstDay.description.prefix(7)) }
}
