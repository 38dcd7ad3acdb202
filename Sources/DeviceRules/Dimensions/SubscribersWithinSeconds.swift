/// A device with more subscribers within seconds than one can serve: two devices with one identity.
/// The detector of Cambodia (DMC-CODE-2024/Duplicate): a window that slides over the events.
package struct SubscribersWithinSeconds: Rule {
  package static let name = "subscribersWithinSeconds"
  static let numbers = 1...100
  static let windows = 1...86_400

  /// More than so many.
  package let subscribers: Int
  /// Between the first and the last of them, at most.
  package let seconds: Int

  package var needs: EvidenceNeeds { .events }

  package init(subscribers: Int = 2, seconds: Int = 300) {
    self.subscribers = subscribers
    self.seconds = seconds
  }

  package init(from fields: inout Fields) throws(RuleError) {
    subscribers = try fields.integer("subscribers", in: Self.numbers, default: 2)
    seconds = try fields.integer("seconds", in: Self.windows, default: 300)
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("subscribers", subscribers)
    try fields.write("seconds", seconds)
  }

  /// Each subscriber's last moment is kept in one of `subscribers + 1` places; a place whose moment
  /// is too old is free again. When every place is taken, there are too many.
  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    guard device.events.count > subscribers else { return false }
    scratch.recent.removeAll(keepingCapacity: true)
    for event in device.events where event.imsi >= SeenRow.smallestIMSI {
      let oldest = event.second - Int64(seconds)
      scratch.recent.removeAll { $0.second < oldest || $0.imsi == event.imsi }
      scratch.recent.append((event.imsi, event.second))
      if scratch.recent.count > subscribers { return true }
    }
    return false
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    [
      Measure("subscribersMoreThan", subscribers), Measure("seconds", seconds),
      Measure("events", device.events.count),
    ]
  }
}
