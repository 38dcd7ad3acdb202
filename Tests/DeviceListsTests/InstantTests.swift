import DeviceLists
import Simulation
import Testing

struct InstantTests {
  @Test(arguments: [
    // From the proleptic Gregorian calendar; the seconds by GNU date (`date -u -d … +%s`).
    ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59Z", -1),
    ("2000-02-29T12:00:00Z", 951_825_600),
    ("2000-03-01T00:00:00Z", 951_868_800), ("1900-02-28T23:59:59Z", -2_203_891_201),
    ("1900-03-01T00:00:00Z", -2_203_891_200), ("2100-02-28T23:59:59Z", 4_107_542_399),
    ("2100-03-01T00:00:00Z", 4_107_542_400), ("2038-01-19T03:14:08Z", 2_147_483_648),
    ("2026-11-23T06:23:17Z", 1_795_414_997), ("0000-01-01T00:00:00Z", -62_167_219_200),
    ("9999-12-31T23:59:59Z", 253_402_300_799), ("2001-09-09T01:46:40Z", 1_000_000_000),
  ])
  func `a moment is written and read as RFC 3339 in UTC`(text: String, seconds: Int64) {
    let instant = Instant(secondsSinceEpoch: seconds)
    #expect(instant.description == text)
    #expect(Instant(text) == instant)
  }

  @Test(arguments: [
    // RFC 3339 forms that are never written here, and days and times that do not exist.
    "", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01t00:00:00Z", "1970-01-01T00:00:00z",
    "1970-01-01 00:00:00Z", "1970-01-01T00:00:00+00:00", "1970-01-01T00:00:00.0Z",
    "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:60Z", "1970-13-01T00:00:00Z",
    "1970-00-01T00:00:00Z", "1970-01-00T00:00:00Z", "1970-01-32T00:00:00Z", "1970-04-31T00:00:00Z",
    "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "-970-01-01T00:00:00Z",
    "1970-01-01T0x:00:00Z", "1970/01/01T00:00:00Z", "１970-01-01T00:00:0Z",
  ])
  func `any other text is no moment`(text: String) {
    #expect(Instant(text) == nil)
    #expect(
      CivilDate(text.prefix(10)) == nil || text.utf8.count != 20
        || text.dropFirst(10) != "T00:00:00Z")
  }

  @Test func `numbers beyond the years 0000 to 9999 stop at the ends`() {
    let (first, last) = (Instant(secondsSinceEpoch: .min), Instant(secondsSinceEpoch: .max))
    #expect(first.description == "0000-01-01T00:00:00Z")
    #expect(last.description == "9999-12-31T23:59:59Z")
    #expect(last.seconds(since: first) == 315_569_519_999)
    #expect(first.adding(seconds: .min) == first && first.adding(seconds: .max) == last)
    #expect(last.adding(seconds: .max) == last && last.adding(seconds: .min) == first)
    #expect(last.adding(seconds: -1) < last)
    #expect(CivilDate(daysSinceEpoch: .min).description == "0000-01-01")
    #expect(CivilDate(daysSinceEpoch: .max).description == "9999-12-31")
    #expect(CivilDate(year: .max, month: 1, day: 1) == nil)
    #expect(CivilDate(year: .min, month: 12, day: 31) == nil)
    #expect(CivilDate(year: 2026, month: .max, day: .min) == nil)
  }

  @Test func `every day of the years 1996 to 2104 follows the one before`() throws {
    var previous = try #require(CivilDate(year: 1995, month: 12, day: 31))
    var february29 = 0
    for days in previous.daysSinceEpoch + 1...previous.daysSinceEpoch + 39_812 {
      let date = CivilDate(daysSinceEpoch: days)
      #expect(date.daysSinceEpoch == days)
      #expect(previous < date)
      let isNextDay = date.day == previous.day + 1 && date.month == previous.month
      let isNewMonth = date.day == 1 && date.month == previous.month % 12 + 1
      #expect(isNextDay || isNewMonth)
      #expect(date.day > 1 || (28...31).contains(previous.day))
      if date.month == 2, date.day == 29 { february29 += 1 }
      previous = date
    }
    #expect(previous.description == "2104-12-31")
    #expect(february29 == 27)  // 28 years divisible by 4, but for 2100
  }

  @Test(arguments: [UInt64(20_261_123)])
  func `moments and days survive being written and read`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<20_000 {
      let instant = Instant(
        secondsSinceEpoch: .random(in: -62_167_219_200...253_402_300_799, using: &generator))
      #expect(Instant(instant.description) == instant)
      let date = CivilDate(daysSinceEpoch: .random(in: -719_528...2_932_896, using: &generator))
      #expect(CivilDate(date.description) == date)
      #expect(CivilDate(daysSinceEpoch: date.daysSinceEpoch) == date)
    }
  }
}
