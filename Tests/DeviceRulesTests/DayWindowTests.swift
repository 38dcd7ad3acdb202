import Testing

@testable import DeviceRules

struct DayWindowTests {
  @Test(arguments: [
    // As-of day, window, first and last day that count.
    ("2026-11-20", Window.days(1), "2026-11-20", "2026-11-20"),
    ("2026-11-20", .days(20), "2026-11-01", "2026-11-20"),
    ("2026-11-20", .days(21), "2026-10-31", "2026-11-20"),
    // DIRBS-Core 16 counts the day of an exclusive end: an end of the 21st leaves the 21st out.
    ("2026-01-20", .days(30), "2025-12-22", "2026-01-20"),
    ("2026-11-20", .months(1), "2026-10-21", "2026-11-20"),
    ("2026-11-30", .months(1), "2026-11-01", "2026-11-30"),
    // The end, 31 March, has no counterpart in February: its last day.
    ("2026-03-30", .months(1), "2026-02-28", "2026-03-30"),
    ("2024-03-30", .months(1), "2024-02-29", "2024-03-30"),
    ("2026-01-05", .months(2), "2025-11-06", "2026-01-05"),
    ("2024-02-29", .months(12), "2023-03-01", "2024-02-29"),
  ])
  func `a window is what counts and nothing beside it`(
    asOf: String, window: Window, first: String, last: String
  ) throws {
    let period = Period(asOf: try #require(Day(asOf)), windows: [window, .months(3)])
    let days = DayWindow(
      from: window.start(before: period.end), to: period.end, in: period)
    #expect(days.description == "\(first) to \(last)")
    for offset in 0..<(period.monthCount * 31 + 40) {
      let day = period.firstMonth.firstDay + offset
      let month = Month(of: day) - period.firstMonth
      let bit = UInt32(1) << UInt32(day - Month(of: day).firstDay)
      let isWithin = try #require(Day(first)) <= day && day <= #require(Day(last))
      #expect((days.mask(UInt8(month)) & bit != 0) == isWithin, "\(day)")
    }
  }

  @Test func `a period reads whole months back to its longest window`() throws {
    let day = try #require(Day("2026-11-20"))
    let period = Period(asOf: day, windows: [.days(60), .months(1)])
    #expect(period.months.map(\.description) == ["2026-09", "2026-10", "2026-11"])
    #expect(Period(asOf: day, windows: []).months.map(\.description) == ["2026-11"])
    // The end is the first of the next month: that month is not read.
    let last = Period(asOf: try #require(Day("2026-11-30")), windows: [.days(30)])
    #expect(last.months.map(\.description) == ["2026-11"])
  }

  @Test func `an empty window holds no day`() throws {
    let day = try #require(Day("2026-11-20"))
    let period = Period(asOf: day, windows: [.days(3)])
    let empty = DayWindow(from: day, to: day, in: period)
    #expect(empty.mask(0) == 0)
    #expect(DayWindow(from: day + 5, to: day, in: period).mask(0) == 0)
  }
}
