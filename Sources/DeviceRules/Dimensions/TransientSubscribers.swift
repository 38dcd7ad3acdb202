/// A device of one operator whose telephone numbers are in arithmetic progression, so many of them
/// on an average day of the window: a SIM box. DIRBS: `transient_imei`.
///
/// DIRBS takes the differences in no defined order, and two numbers always pass: here the numbers
/// are in ascending order, and there must be three.
package struct TransientSubscribers: Rule {
  package static let name = "transientSubscribers"
  static let averages = 0.1...1_000_000.0
  static let fewestNumbers = 3

  /// Numbers of each day, added up and divided by all days of the window: so many, or more.
  package let average: Double
  private let within: Window

  package var window: Window? { within }

  package init(average: Double, window: Window = .days(30)) {
    self.average = average
    within = window
  }

  package init(from fields: inout Fields) throws(RuleError) {
    average = try fields.number("average", in: Self.averages)
    within = try fields.window(default: .days(30))
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("average", average)
    try fields.write(within)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    guard device.rows.count >= Self.fewestNumbers else { return false }
    guard device.hasOneOperator(within: scope.days) else { return false }
    scratch.gather(device, by: .msisdn, within: scope.days)
    let numbers = scratch.distinctKeys
    guard numbers >= Self.fewestNumbers else { return false }
    let days = Double(scope.days.to - scope.days.from)
    guard Double(scratch.subscriberDays) >= average * days else { return false }
    return scratch.longestSequence(largestStep: .max, stepsAreEqual: true) == numbers
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    scratch.gather(device, by: .msisdn, within: scope.days)
    let days = max(scope.days.to - scope.days.from, 1)
    return [
      Measure("numbers", scratch.distinctKeys),
      Measure("average", share: Double(scratch.subscriberDays) / Double(days)),
      Measure("threshold", share: average), Measure("days", scope.days),
    ]
  }
}

extension Evidence {
  func hasOneOperator(within days: DayWindow) -> Bool {
    var only: Int32?
    for row in rows where row.msisdn != 0 && row.days & days.mask(row.month) != 0 {
      guard only == nil || only == row.operatorNumber else { return false }
      only = row.operatorNumber
    }
    return only != nil
  }
}
