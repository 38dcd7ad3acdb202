import DeviceLists
import Foundation

/// What a run found.
package struct ClassifyReport: Sendable, Codable {
  package struct Found: Sendable, Codable {
    package let condition: String
    /// Of the devices that were looked at.
    package var matching = 0
    package var begun = 0
    package var changed = 0
    package var ended = 0
    /// Some devices with why, for a person to look at; they name no subscriber.
    package var examples: [Example] = []

    init(_ condition: String) { self.condition = condition }
  }

  package struct Example: Sendable, Codable {
    package let device: String
    package let because: [String]
  }

  package let asOf: String
  package var isFull = true
  /// Devices that were looked at, and those of them that count as the population.
  package var devices = 0
  package var population = 0
  package var unusable = 0
  package var conditions: [Found] = []
  /// Why the run stopped; empty: it did not.
  package var excesses: [String] = []
  package var state = ""
  package var seconds = 0.0
  package var groundsBegun = 0
  package var groundsEnded = 0

  init(asOf: CivilDate) { self.asOf = asOf.description }

  package var json: String { (try? RuleLoading.canonical(self)) ?? "{}" }

  init?(json: String) {
    guard let report = try? JSONDecoder().decode(ClassifyReport.self, from: Data(json.utf8)) else {
      return nil
    }
    self = report
  }
}
