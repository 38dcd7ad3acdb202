/// A device with an owner, used by subscribers who are somebody else. ITU-T Q.5052, 7.2.2.
///
/// Subscribers for whom the device has an exception are no strangers.
package struct SubscriberNotOwner: Rule {
  package static let name = "subscriberNotOwner"
  static let thresholds = 1...1_000_000

  /// So many strangers, or more.
  package let threshold: Int
  /// Whether a subscriber of whom no person is known, such as a roamer, is a stranger.
  package let countsUnknown: Bool
  private let within: Window

  package var window: Window? { within }
  package var needs: EvidenceNeeds { [.people, .owners, .paired] }

  package init(threshold: Int = 1, countsUnknown: Bool = false, window: Window = .days(30)) {
    self.threshold = threshold
    self.countsUnknown = countsUnknown
    within = window
  }

  package init(from fields: inout Fields) throws(RuleError) {
    threshold = try fields.integer("threshold", in: Self.thresholds, default: 1)
    countsUnknown = try fields.flag("countsUnknown", default: false)
    within = try fields.window(default: .days(30))
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("threshold", threshold)
    try fields.write("countsUnknown", countsUnknown)
    try fields.write(within)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    guard !device.owners.isEmpty, device.rows.count >= threshold else { return false }
    return strangers(device, scope, &scratch) >= threshold
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    [
      Measure("strangers", strangers(device, scope, &scratch)),
      Measure("threshold", threshold), Measure("days", scope.days),
    ]
  }

  private func strangers(_ device: Evidence, _ scope: Scope, _ scratch: inout Scratch) -> Int {
    scratch.begin()
    for (row, person) in zip(device.rows, device.people) where row.hasSubscriber {
      guard person == 0 ? countsUnknown : !device.owners.contains(person) else { continue }
      guard !device.paired.contains(row.imsi) else { continue }
      scratch.take(row.imsi, row, within: scope.days)
    }
    scratch.finish()
    return scratch.distinctKeys
  }
}
