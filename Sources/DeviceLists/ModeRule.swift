package import DeviceIdentity

/// What becomes of a device on no list. ITU-T Q Suppl. 73: white is permissive, grey or black
/// restrictive, to ask is authorisation; by rule it is hybrid.
package enum DecisionMode: Hashable, Sendable, CustomStringConvertible {
  case answer(CheckAnswer)
  /// The registry is asked; where it does not answer, the failure policy holds.
  case ask

  package init?(word: some StringProtocol) {
    if word == "ask" {
      self = .ask
    } else if let answer = CheckAnswer(word: word) {
      self = .answer(answer)
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .answer(let answer): answer.description
    case .ask: "ask"
    }
  }
}

/// A mode of its own for some subscribers or some devices.
package struct ModeRule: Hashable, Sendable, CustomStringConvertible {
  package enum Condition: Hashable, Sendable, CustomStringConvertible {
    case subscribers(Subscribers)
    case type(TAC)
    case devices(IMEIRange)

    package var description: String {
      switch self {
      case .subscribers(let subscribers): "imsi:\(subscribers)"
      case .type(let type): "tac:\(type)"
      case .devices(let range): "range:\(range)"
      }
    }

    var devices: ClosedRange<UInt64>? {
      switch self {
      case .subscribers: nil
      case .type(let type): type.imeis.lowerBound.number...type.imeis.upperBound.number
      case .devices(let range): range.first.number...range.last.number
      }
    }
  }

  package let condition: Condition
  package let mode: DecisionMode

  package init(_ condition: Condition, mode: DecisionMode) {
    self.condition = condition
    self.mode = mode
  }

  /// As it is set, but no more of an IMSI than the digits of a network.
  package var description: String { "\(condition)=\(mode)" }
}

/// The rules of the hybrid mode. One about the subscriber goes before one about the device; of
/// each kind the narrowest holds, of equally narrow ones the first.
package struct ModeRules: Sendable {
  package static let mostRules = 10_000

  /// As they were given.
  package let rules: [ModeRule]
  private let bySubscriber: NarrowestRange
  private let byDevice: NarrowestRange

  package init(_ rules: [ModeRule] = []) {
    self.rules = rules
    let numbered = rules.enumerated().map { (index: Int32($0.offset), rule: $0.element) }
    bySubscriber = NarrowestRange(
      numbered.flatMap { index, rule in
        guard case .subscribers(let subscribers) = rule.condition else {
          return [] as [(ClosedRange<UInt64>, Int32)]
        }
        return subscribers.packedRanges.map { ($0, index) }
      })
    byDevice = NarrowestRange(
      numbered.compactMap { index, rule in rule.condition.devices.map { ($0, index) } })
  }

  /// The rule that holds for a device, perhaps of this subscriber; nil where none does.
  package func rule(for imei: IMEI, of imsi: IMSI?) -> ModeRule? {
    guard !rules.isEmpty else { return nil }
    let index = imsi.flatMap { bySubscriber[$0.packed] } ?? byDevice[imei.number]
    return index.map { rules[$0] }
  }
}
