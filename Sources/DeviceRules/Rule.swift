/// One question about a device, with its parameters: the dimension of a condition.
///
/// A rule is one file and one table of tests. It is a value: it asks for nothing but what it is
/// given, and the same evidence always gets the same answer.
package protocol Rule: Hashable, Sendable {
  /// The word in a document.
  static var name: String { get }

  /// How far it looks back; nil where it looks at all that is read.
  var window: Window? { get }

  /// What must be filled in for it.
  var needs: EvidenceNeeds { get }

  /// Reads and checks the parameters.
  init(from fields: inout Fields) throws(RuleError)

  /// Writes every parameter, those with their default too, so that a default that changes later
  /// changes no condition.
  func write(to fields: inout FieldWriter) throws

  func matches(_ device: Evidence, in scope: Scope, using scratch: inout Scratch) -> Bool

  /// Whether the answer depends on ``Evidence/seenBefore``, which is costly to find.
  func isUndecided(_ device: Evidence, in scope: Scope) -> Bool

  /// What it counted, for a person who looks at an example. Names no subscriber.
  func measured(_ device: Evidence, in scope: Scope, using scratch: inout Scratch) -> [Measure]
}

extension Rule {
  package var window: Window? { nil }
  package var needs: EvidenceNeeds { [] }
  package func write(to fields: inout FieldWriter) throws {}
  package func isUndecided(_ device: Evidence, in scope: Scope) -> Bool { false }
  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] { [] }
}

/// Where and when a rule looks.
package struct Scope: Sendable {
  /// The rule's own window.
  package let days: DayWindow
  /// All that is read.
  package let allDays: DayWindow
  package let period: Period
  // Not counted, so that a scope can be handed to a rule for each device of a country at no cost.
  // The ruleset that made the scope keeps the country, and no scope leaves it.
  unowned(unsafe) let country: Country
}

/// Something that a rule counted, as `subscribers=12`.
package struct Measure: Hashable, Sendable, CustomStringConvertible {
  package let name: String
  package let value: String

  init(_ name: String, _ value: some CustomStringConvertible) {
    self.name = name
    self.value = value.description
  }

  /// With two decimals.
  init(_ name: String, share value: Double) {
    let hundredths = Int((value * 100).rounded())
    let rest = hundredths % 100
    self.init(name, "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)")
  }

  package var description: String { "\(name)=\(value)" }
}
