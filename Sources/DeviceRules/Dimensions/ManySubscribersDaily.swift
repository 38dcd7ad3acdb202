/// A device with too many subscribers on an average day. ITU-T Q.5052, 7.1.2; 7.2.1 where people
/// are counted. DIRBS: `duplicate_daily_avg`, `daily_avg_uid`.
package struct ManySubscribersDaily: Rule {
  package static let name = "manySubscribersDaily"
  static let averages = 1.0...1_000_000.0

  /// Subscribers of each day, added up and divided by the days with any: so many, or more.
  package let average: Double
  /// Fewer days with a subscriber say nothing.
  package let minimumDays: Int
  package let counting: Counting
  private let within: Window

  package var window: Window? { within }
  package var needs: EvidenceNeeds { counting == .person ? .people : [] }

  package init(
    average: Double, minimumDays: Int = 5, window: Window = .days(30), counting: Counting = .imsi
  ) {
    self.average = average
    self.minimumDays = minimumDays
    self.counting = counting
    within = window
  }

  package init(from fields: inout Fields) throws(RuleError) {
    average = try fields.number("average", in: Self.averages)
    minimumDays = try fields.integer("minimumDays", in: Window.days, default: 5)
    counting = try fields.word("counting", default: .imsi)
    within = try fields.window(default: .days(30))
    if case .days(let days) = within, days < minimumDays {
      throw RuleError(fields.place, "minimumDays is \(minimumDays) of a window of \(within)")
    }
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("average", average)
    try fields.write("minimumDays", minimumDays)
    try fields.write("counting", counting.rawValue)
    try fields.write(within)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    // No day has more subscribers than there are rows.
    guard Double(device.rows.count) >= average else { return false }
    scratch.gather(device, by: counting, within: scope.days)
    let days = scratch.daysInUse()
    guard days >= minimumDays else { return false }
    return Double(scratch.subscriberDays) >= average * Double(days)
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    scratch.gather(device, by: counting, within: scope.days)
    let days = scratch.daysInUse()
    return [
      Measure("average", share: Double(scratch.subscriberDays) / Double(max(days, 1))),
      Measure("threshold", share: average), Measure("daysInUse", days),
      Measure("days", scope.days),
    ]
  }
}
