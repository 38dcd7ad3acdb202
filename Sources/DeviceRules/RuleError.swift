/// Why a condition or the settings of the rules are refused: where, and what is wrong.
package struct RuleError: Error, Hashable, Sendable, CustomStringConvertible {
  /// `condition`, `dimension 2 (manySubscribers)`, `settings`.
  package let place: String
  /// A sentence without its full stop.
  package let reason: String

  package init(_ place: String, _ reason: String) {
    self.place = place
    self.reason = reason
  }

  package var description: String { "\(place): \(reason)" }
}
