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
    let share = population == 0 ? "" : " (\(Self.percent(Double(matching) / Double(population))))"
    return """
      condition \(label) matches \(matching) of \(population) devices\(share); it may match \
      \(Self.percent(mostMatching)). Nothing was changed. Is a list of types, registrations or \
      approvals empty or old? If the number is right, raise mostMatching of the condition.
      """
  }

  /// With two decimals, rounded up, so that an excess is never shown as the limit itself.
  private static func percent(_ share: Double) -> String {
    let hundredths = Int((share * 10_000).rounded(.up))
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) %"
  }
}
