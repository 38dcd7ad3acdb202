import DeviceIdentity

/// A device that used a generation of radio which no type of its model has. ITU-T Q.5052, 9.1.
/// DIRBS: `inconsistent_rat`.
///
/// A model of which nothing is known is never held against a device.
package struct TechnologyNotSupported: Rule {
  package static let name = "technologyNotSupported"

  private let within: Window

  package var window: Window? { within }
  package var needs: EvidenceNeeds { .types }

  package init(window: Window = .days(60)) { within = window }

  package init(from fields: inout Fields) throws(RuleError) {
    within = try fields.window(default: .days(60))
  }

  package func write(to fields: inout FieldWriter) throws { try fields.write(within) }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    guard !device.type.generations.isEmpty else { return false }
    return !device.generationsUsed(within: scope.days).isSubset(of: device.type.generations)
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    let used = device.generationsUsed(within: scope.days)
    return [
      Measure("used", used), Measure("supported", device.type.generations),
      Measure("days", scope.days),
    ]
  }
}

extension Evidence {
  func generationsUsed(within days: DayWindow) -> RadioGenerations {
    var technologies: RadioTechnology = []
    for row in rows where row.days & days.mask(row.month) != 0 {
      technologies.formUnion(row.technologies)
    }
    return technologies.generations
  }
}
