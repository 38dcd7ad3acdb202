/// A device one of whose subscribers used many devices within the population window: a card that a
/// SIM box moves from one identity to the next.
package struct SubscriberOfManyDevices: Rule {
  package static let name = "subscriberOfManyDevices"
  static let thresholds = 2...1_000_000

  /// So many devices, or more.
  package let threshold: Int

  package var needs: EvidenceNeeds { .devicesOfSubscriber }

  package init(threshold: Int = 20) { self.threshold = threshold }

  package init(from fields: inout Fields) throws(RuleError) {
    threshold = try fields.integer("threshold", in: Self.thresholds, default: 20)
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("threshold", threshold)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    Int(device.devicesOfSubscriber) >= threshold
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    [Measure("devices", device.devicesOfSubscriber), Measure("threshold", threshold)]
  }
}
