import DeviceIdentity
package import DeviceLists
package import DeviceRules
package import Foundation
package import RegistryStore

/// The conditions and settings that are in force.
package struct Rules: Sendable {
  package let ruleset: Ruleset
  package let settings: RuleSettings
  fileprivate let versions: String

  /// Two runs with the same state find the same, but for devices that have changed since.
  func state(asOf day: CivilDate) -> String { "\(day) \(versions)" }
}

package struct RuleLoading: Sendable {
  private let store: RegistryStore

  package init(store: RegistryStore) { self.store = store }

  package func rules(
    asOf day: CivilDate, instead candidate: Condition? = nil
  ) async throws -> Rules {
    let (documents, settingsDocument, networks) = try await store.read { registry in
      (
        try await registry.conditions(), try await registry.ruleSettings(),
        try await registry.operatorRecords().flatMap(\.networks)
      )
    }
    var conditions: [Condition] = []
    for document in documents where document.label != candidate?.label {
      conditions.append(try Self.condition(Data((document.document ?? "").utf8)))
    }
    if let candidate { conditions.append(candidate) }
    let settings = try settingsDocument.map {
      try Self.settings(Data(($0.document ?? "").utf8))
    }
    let plmns = networks.compactMap { try? PLMN($0) }
    let versions =
      documents.map { "\($0.label)@\($0.version)" }
      + ["settings@\(settingsDocument?.version ?? 0)", "networks \(networks.sorted())"]
    for condition in conditions where condition.needs.contains(.events) {
      throw ImportRefusal(
        "The condition \(condition.label) needs operators' timed events, which are not taken in "
          + "yet: it would never find anything.")
    }
    let effective = settings ?? Self.usual(networks: networks)
    return Rules(
      ruleset: try Ruleset(
        conditions: conditions.sorted { $0.label < $1.label }, settings: effective,
        networks: plmns, asOf: Day(day)),
      settings: effective, versions: versions.joined(separator: " "))
  }

  /// Where nobody has set any: the country is that of the operators' networks.
  private static func usual(networks: [String]) -> RuleSettings {
    let countries = Set(networks.map { String($0.prefix(3)) }).sorted()
    return RuleSettings(mobileCountryCodes: countries.compactMap { try? IMSIPrefix($0) })
  }

  package static func condition(_ document: Data) throws -> Condition {
    try decoded(Condition.self, document)
  }

  package static func settings(_ document: Data) throws -> RuleSettings {
    try decoded(RuleSettings.self, document)
  }

  private static func decoded<Value: Decodable>(
    _ type: Value.Type, _ document: Data
  ) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: document)
    } catch let error as RuleError {
      throw error
    } catch let error as DecodingError {
      throw ImportRefusal("The document is not the JSON that is expected: \(error)")
    }
  }

  /// As it is stored: every field written, in the order of their names.
  package static func canonical(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
