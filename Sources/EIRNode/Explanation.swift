import DeviceIdentity
import DeviceLists
package import Foundation
import ListIndex

/// A verdict with every level that was looked at, for a person who asks why.
package struct Explanation: Hashable, Codable, Sendable {
  package struct Finding: Hashable, Codable, Sendable {
    package var status: String
    package var grounds: [String]
    package var overridable: Bool

    init(_ found: EntryClass) {
      status = found.status.description
      grounds = found.codes.codes.map(\.description)
      overridable = found.isOverridable
    }
  }

  package struct Step: Hashable, Codable, Sendable {
    package var rule: String
    package var found: Finding?
  }

  /// Whether a node answers; false when the files were read without one.
  package var running = false
  /// Fifteen digits, as printed on the device.
  package var imei: String?
  /// `ask` where the CEIR is asked and has not been lately.
  package var answer: String
  /// With `ask`: what is answered where the CEIR does not answer in time.
  package var withoutAnswer: String?
  package var decided: String
  package var rule: String
  package var grounds: [String]
  package var registry: String?
  package var epoch: String?
  package var position: UInt64?
  package var listAgeSeconds: Int64?
  /// The rule of the hybrid mode, where one has decided.
  package var modeRule: String?
  /// The operator's own entries that are about the device.
  package var local: [LocalEntry]?
  /// Where the brake holds the device: what the list says of it.
  package var heldBack: Finding?
  package var steps: [Step]

  /// - Parameter known: what the CEIR has answered lately.
  init(
    of query: CheckQuery, by engine: DecisionEngine, in list: ListSnapshot?, asOf now: Instant,
    known: (IMEI) -> RegistryAsker.Answer? = { _ in nil }
  ) {
    var record = DecisionRecord()
    var verdict = engine.verdict(on: query, in: list, asOf: now, trace: &record)
    if case .device(let device) = query.identity {
      if verdict.isToAsk, let said = known(device.imei) { verdict = verdict.answered(said) }
      if verdict.rule == .mode {
        modeRule = engine.settings.modeRules.rule(for: device.imei, of: query.imsi)?.description
      }
      imei = device.imei.dialled
      heldBack = Self.heldBack(device.imei, query.imsi, in: list)
    }
    answer = verdict.isToAsk ? Self.ask : verdict.answer.description
    withoutAnswer = verdict.isToAsk ? verdict.answer.description : nil
    decided = verdict.isToAsk ? Self.ask : verdict.decided.description
    rule = verdict.rule.description
    grounds = verdict.codes.codes.map(\.description)
    registry = list?.indexHead.registry.description
    epoch = list?.head.epoch.description
    position = list?.head.position.number
    listAgeSeconds = list.map { now.seconds(since: $0.head.issuedAt) }
    steps = record.steps.map { step in
      // What the list says of the device is shown where it decides; here only whether it exempts.
      let found = step.rule == .exempt && step.found?.isExempt != true ? nil : step.found
      return Step(rule: step.rule.description, found: found.map(Finding.init))
    }
  }

  private static let ask = "ask"

  private static func heldBack(
    _ imei: IMEI, _ imsi: IMSI?, in list: ListSnapshot?
  ) -> Finding? {
    guard let list, !list.held.isEmpty else { return nil }
    var subjects: [Subject] = [.imei(imei), .tac(imei.tac)]
    if let imsi { subjects.append(.pairing(Pairing(imei: imei, imsi: imsi))) }
    for range in list.held.heldRanges where range.contains(imei) {
      subjects.append(.range(range))
    }
    let held = subjects.first { list.held[$0] != nil }
    return held.flatMap { list.listed($0)?.effective }.map(Finding.init)
  }
}

extension Explanation {
  /// For a terminal.
  package var text: String {
    var lines = ["\(imei ?? "no IMEI"): \(answer)"]
    if let withoutAnswer {
      lines.append("  the CEIR is asked; without its answer in time: \(withoutAnswer)")
    }
    if answer != decided { lines.append("  in shadow mode: decided \(decided)") }
    lines.append("  decided by  \(rule)\(Self.list(grounds))")
    for step in steps {
      let found =
        step.found.map {
          "\($0.status)\(Self.list($0.grounds))\($0.overridable ? "" : ", not overridable")"
        } ?? "nothing"
      lines.append("  looked at   \(step.rule): \(found)")
    }
    if let modeRule { lines.append("  mode rule   \(modeRule)") }
    for entry in local ?? [] { lines.append("  local       \(entry.line)") }
    if let heldBack {
      lines.append("  held back   by the brake: \(heldBack.status)\(Self.list(heldBack.grounds))")
    }
    if let registry, let epoch, let position {
      lines.append("  list        registry \(registry), epoch \(epoch), position \(position)")
    } else {
      lines.append("  list        there is none yet")
    }
    if let listAgeSeconds { lines.append("  list age    \(listAgeSeconds) s") }
    return lines.joined(separator: "\n")
  }

  private static func list(_ grounds: [String]) -> String {
    grounds.isEmpty ? "" : " (\(grounds.joined(separator: ", ")))"
  }
}

/// One form for all the JSON that the node gives to people and programs.
package enum NodeJSON {
  package static func encode(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
  }

  package static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value
  {
    try JSONDecoder().decode(type, from: data)
  }
}
