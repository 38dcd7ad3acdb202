/// A device that was at two places closer in time than travel allows: two devices with one
/// identity. ITU-T Q.5052, 7.4.
package struct PlacesTooFarApart: Rule {
  package static let name = "placesTooFarApart"
  static let speeds = 100...10_000
  static let distances = 10...20_000
  static let numbers = 1...10_000
  private static let secondsPerHour = 3_600.0

  /// Faster than an airliner.
  package let kilometresPerHour: Int
  /// Nearer places say nothing: a cell may be far from its device.
  package let minimumKilometres: Int
  /// So often, or more.
  package let conflicts: Int

  package var needs: EvidenceNeeds { .events }

  package init(
    kilometresPerHour: Int = 1_200, minimumKilometres: Int = 50, conflicts: Int = 1
  ) {
    self.kilometresPerHour = kilometresPerHour
    self.minimumKilometres = minimumKilometres
    self.conflicts = conflicts
  }

  package init(from fields: inout Fields) throws(RuleError) {
    kilometresPerHour = try fields.integer(
      "kilometresPerHour", in: Self.speeds, default: 1_200)
    minimumKilometres = try fields.integer(
      "minimumKilometres", in: Self.distances, default: 50)
    conflicts = try fields.integer("conflicts", in: Self.numbers, default: 1)
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("kilometresPerHour", kilometresPerHour)
    try fields.write("minimumKilometres", minimumKilometres)
    try fields.write("conflicts", conflicts)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    found(device) >= conflicts
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    [Measure("conflicts", found(device)), Measure("threshold", conflicts)]
  }

  /// Of each place and the one before it.
  private func found(_ device: Evidence) -> Int {
    var found = 0
    var last: (second: Int64, place: Place)?
    for event in device.events {
      guard let place = event.place else { continue }
      if let last, isConflict(last.place.metres(to: place), event.second - last.second) {
        found += 1
      }
      last = (event.second, place)
    }
    return found
  }

  private func isConflict(_ metres: Double, _ seconds: Int64) -> Bool {
    guard metres >= Double(minimumKilometres) * 1_000 else { return false }
    let reachable = Double(kilometresPerHour) * 1_000 * Double(seconds) / Self.secondsPerHour
    return metres > reachable
  }
}
