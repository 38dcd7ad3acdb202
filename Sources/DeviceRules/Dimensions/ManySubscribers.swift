/// A device with too many subscribers: several devices share its identity. ITU-T Q.5052, 7.1.1.
/// DIRBS: `duplicate_threshold`.
package struct ManySubscribers: Rule {
  package static let name = "manySubscribers"
  static let thresholds = 2...1_000_000

  /// So many, or more.
  package let threshold: Int
  package let counting: Counting
  private let within: Window

  package var window: Window? { within }
  package var needs: EvidenceNeeds { counting == .person ? .people : [] }

  package init(threshold: Int, window: Window = .days(60), counting: Counting = .imsi) {
    self.threshold = threshold
    self.counting = counting
    within = window
  }

  package init(from fields: inout Fields) throws(RuleError) {
    threshold = try fields.integer("threshold", in: Self.thresholds)
    counting = try fields.word("counting", default: .imsi)
    within = try fields.window(default: .days(60))
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("threshold", threshold)
    try fields.write("counting", counting.rawValue)
    try fields.write(within)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    guard device.rows.count >= threshold else { return false }
    scratch.gather(device, by: counting, within: scope.days)
    return scratch.distinctKeys >= threshold
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    scratch.gather(device, by: counting, within: scope.days)
    return [
      Measure("subscribers", scratch.distinctKeys), Measure("threshold", threshold),
      Measure("days", scope.days),
    ]
  }
}
