package import DeviceIdentity
import DeviceLists

/// What was planted, for whoever counts what was found.
package struct SampleTruth: Sendable {
  package struct Clone: Sendable {
    package let imei: IMEI
    /// The owner of the genuine device, one of the subscribers.
    package let owner: SampleSubscriber
    package let subscribers: Int
    /// Whether the corrected file clears it.
    package let isBillingError: Bool
  }

  private var identities: [SampleKind: [String]] = [:]
  package private(set) var clones: [Clone] = []

  /// IMEIs of fifteen digits; what is no IMEI, as it came.
  package func identities(_ kind: SampleKind) -> [String] { identities[kind] ?? [] }

  mutating func note(_ kind: SampleKind, _ imei: IMEI) { note(kind, imei.dialled) }

  mutating func note(_ kind: SampleKind, _ identity: String) {
    identities[kind, default: []].append(identity)
  }

  mutating func noteClone(
    _ imei: IMEI, owner: SampleSubscriber, subscribers: Int, isBillingError: Bool
  ) {
    note(.clones, imei)
    clones.append(
      Clone(
        imei: imei, owner: owner, subscribers: subscribers, isBillingError: isBillingError))
  }
}

extension SampleSightings {
  func writeTruth(
    _ truth: SampleTruth, _ dumps: [SampleDump], to path: String
  ) throws(SimulationError) {
    var file = try OutputFile(path: path)
    let files = dumps.map {
      "    { \"name\": \"\($0.name)\", \"lines\": \($0.lines), \"refused\": \($0.refused) }"
    }
    let cleared = truth.clones.filter(\.isBillingError).map(\.imei.dialled)
    let nextDay = firstDay.daysSinceEpoch + Int64(dayCount)
    file.bytes.append(
      """
      {
        "seed": \(country.seed),
        "firstDay": "\(firstDay)",
        "lastDay": "\(CivilDate(daysSinceEpoch: nextDay - 1))",
        "nextDay": "\(CivilDate(daysSinceEpoch: nextDay))",
        "files": [
      \(files.joined(separator: ",\n"))
        ],
        "planted": {
      \(Self.members(truth, SampleKind.allCases.filter { $0.condition != nil }))
        },
        "innocents": {
      \(Self.members(truth, SampleKind.allCases.filter { $0.condition == nil }))
        },
        "clearedByCorrection": \(Self.list(cleared)),
        "clones": [
      \(truth.clones.map(described).joined(separator: ",\n"))
        ]
      }

      """)
    try file.flush()
  }

  private static func members(_ truth: SampleTruth, _ kinds: [SampleKind]) -> String {
    kinds.map { kind in
      let condition = kind.condition.map { "\"condition\": \"\($0)\", " } ?? ""
      let identities = truth.identities(kind)
      return "    \"\(kind.rawValue)\": { \(condition)\"count\": \(identities.count), "
        + "\"identities\": \(list(identities)) }"
    }.joined(separator: ",\n")
  }

  /// None of the texts holds what JSON would have to escape.
  private static func list(_ texts: [String]) -> String {
    "[" + texts.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
  }

  private func described(_ clone: SampleTruth.Clone) -> String {
    """
        {
          "imei": "\(clone.imei.dialled)",
          "subscribers": \(clone.subscribers),
          "clearedByCorrection": \(clone.isBillingError),
          "owner": {
            "imsi": "\(clone.owner.imsiDigits)",
            "msisdn": "\(clone.owner.msisdnDigits)",
            "operator": "\(country.operators[clone.owner.operatorIndex].code)"
          }
        }
    """
  }
}
