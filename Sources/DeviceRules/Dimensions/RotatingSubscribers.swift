/// A device whose subscribers stay for a day or two and are followed by others: a SIM box that
/// changes its cards, which an average does not show.
package struct RotatingSubscribers: Rule {
  package static let name = "rotatingSubscribers"
  static let thresholds = 3...1_000_000

  /// So many short-lived subscribers, or more.
  package let threshold: Int
  /// Seen on at most so many days of the window: short-lived.
  package let mostDays: Int
  /// Of all its subscribers at least this share is short-lived.
  package let share: Double
  private let within: Window

  package var window: Window? { within }

  package init(
    threshold: Int = 10, mostDays: Int = 2, share: Double = 0.8, window: Window = .days(30)
  ) {
    self.threshold = threshold
    self.mostDays = mostDays
    self.share = share
    within = window
  }

  package init(from fields: inout Fields) throws(RuleError) {
    threshold = try fields.integer("threshold", in: Self.thresholds, default: 10)
    mostDays = try fields.integer("mostDays", in: Window.days, default: 2)
    share = try fields.number("share", in: 0...1, default: 0.8)
    within = try fields.window(default: .days(30))
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("threshold", threshold)
    try fields.write("mostDays", mostDays)
    try fields.write("share", share)
    try fields.write(within)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    guard device.rows.count >= threshold else { return false }
    scratch.gather(device, by: .imsi, within: scope.days)
    let (short, all) = scratch.keysUsed(onAtMost: mostDays)
    return short >= threshold && Double(short) >= share * Double(all)
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    scratch.gather(device, by: .imsi, within: scope.days)
    let (short, all) = scratch.keysUsed(onAtMost: mostDays)
    return [
      Measure("shortLived", short), Measure("subscribers", all), Measure("days", scope.days),
    ]
  }
}

extension Scratch {
  func keysUsed(onAtMost mostDays: Int) -> (few: Int, all: Int) {
    var (few, all, index) = (0, 0, 0)
    while index < uses.count {
      let key = uses[index].key
      var days = 0
      while index < uses.count, uses[index].key == key {
        days += uses[index].days.nonzeroBitCount
        index += 1
      }
      all += 1
      if days <= mostDays { few += 1 }
    }
    return (few, all)
  }
}
