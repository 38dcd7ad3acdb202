#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The `date` line, which every answer carries (RFC 9110, 6.6.1), made once a second.
struct DateLine {
  private(set) var value = ""
  private var secondsSinceEpoch = -1

  /// Returns whether the line has changed.
  mutating func update(secondsSinceEpoch now: Int = time(nil)) -> Bool {
    guard now != secondsSinceEpoch else { return false }
    secondsSinceEpoch = now
    value = Self.text(secondsSinceEpoch: now)
    return true
  }

  /// IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`. RFC 9110, 5.6.7.
  static func text(secondsSinceEpoch seconds: Int) -> String {
    let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    var moment = time_t(seconds)
    var parts = tm()
    gmtime_r(&moment, &parts)
    return weekdays[Int(parts.tm_wday)] + ", " + two(parts.tm_mday) + " "
      + months[Int(parts.tm_mon)] + " \(parts.tm_year + 1900) "
      + two(parts.tm_hour) + ":" + two(parts.tm_min) + ":" + two(parts.tm_sec) + " GMT"
  }
}
