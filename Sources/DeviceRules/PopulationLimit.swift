/// That a condition found more of the population than it may: the run stops and changes nothing.
///
/// A reference list that arrived empty, or a rule that is wrong, must not cut off a part of the
/// country.
package struct PopulationExcess: Error, Hashable, Sendable, CustomStringConvertible {
  package let label: String
  package let matching: Int
  package let population: Int
  package let mostMatching: Double

  /// `condition` found `matching` of the devices of the population; nil: not too many.
  package init?(_ condition: Condition, matching: Int, population: Int) {
    guard Double(matching) > condition.mostMatching * Double(population) else { return nil }
    label = condition.label
    mostMatching = condition.mostMatching
    self.matching = matching
    self.population = population
  }

  package var description: String {
    // Rounded up, so that an excess is never shown as the limit itself.
    let hundredths = population == 0 ? nil : (matching * 10_000 + population - 1) / population
    let share = hundredths.map { " (\(Self.percent($0)))" } ?? ""
    let limit = Self.percent(Int((mostMatching * 10_000).rounded()))
    return """
      condition \(label) matches \(matching) of \(population) devices\(share); it may match \
      \(limit). Nothing was changed. Is a list of types, registrations or \
      approvals empty or old? If the number is right, raise mostMatching of the condition.
      """
  }

  private static func percent(_ hundredths: Int) -> String {
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) %"
  }
}
