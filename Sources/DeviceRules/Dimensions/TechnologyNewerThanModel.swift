package import DeviceIdentity

/// A device that used a generation of radio newer than any that its model has: a clone of an older
/// identity in a newer device. The narrower sister of ``TechnologyNotSupported``, with 5G. ITU-T
/// Q.5052, 9.1.
///
/// Lists of types name 5G bands late: until they do in a country, `generations` leaves 5G out.
package struct TechnologyNewerThanModel: Rule {
  package static let name = "technologyNewerThanModel"
  static let usual: RadioGenerations = [.third, .fourth, .fifth]

  /// Those that are looked at.
  package let generations: RadioGenerations
  private let within: Window

  package var window: Window? { within }
  package var needs: EvidenceNeeds { .types }

  package init(generations: RadioGenerations = Self.usual, window: Window = .days(60)) {
    self.generations = generations
    within = window
  }

  package init(from fields: inout Fields) throws(RuleError) {
    var generations: RadioGenerations = []
    for word in try fields.texts("generations", default: Self.usual.words) {
      guard let generation = RadioGenerations(word: word) else {
        throw RuleError(fields.place, "generations has \(word), which is not 2G, 3G, 4G or 5G")
      }
      generations.insert(generation)
    }
    guard !generations.isEmpty else { throw RuleError(fields.place, "generations is empty") }
    self.generations = generations
    within = try fields.window(default: .days(60))
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("generations", generations.words)
    try fields.write(within)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    guard !device.type.generations.isEmpty else { return false }
    return !newer(device, scope).isEmpty
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    [
      Measure("newer", newer(device, scope)), Measure("supported", device.type.generations),
      Measure("days", scope.days),
    ]
  }

  private func newer(_ device: Evidence, _ scope: Scope) -> RadioGenerations {
    device.generationsUsed(within: scope.days).intersection(generations)
      .newer(than: device.type.generations)
  }
}
