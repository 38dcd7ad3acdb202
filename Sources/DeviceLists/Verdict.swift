/// The rule that decided, in the order in which they are asked. `Schema/decision.md`.
package enum DecisionRule: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case override, failure, unusable, noIMEI, exempt, final, pairing, noSubscriber, localBlack,
    imei, subscriberRule, range, tac, special, mode

  package var description: String {
    switch self {
    case .override: "override"
    case .failure: "failure"
    case .unusable: "unusable"
    case .noIMEI: "noIMEI"
    case .exempt: "exempt"
    case .final: "final"
    case .pairing: "pairing"
    case .noSubscriber: "noSubscriber"
    case .localBlack: "localBlack"
    case .imei: "imei"
    case .subscriberRule: "subscriberRule"
    case .range: "range"
    case .tac: "tac"
    case .special: "special"
    case .mode: "mode"
    }
  }
}

/// The answer and all that is needed to explain it later.
package struct Verdict: Hashable, Sendable {
  /// What the network element is told.
  package var answer: CheckAnswer
  /// What the lists say: differs from ``answer`` in shadow mode only.
  package var decided: CheckAnswer
  package var rule: DecisionRule
  package var codes: GroundCodeSet
  /// The registry is to be asked; ``answer`` is what holds where it does not answer in time.
  package var isToAsk = false
  /// The list that was looked at; nil where there is none.
  package var epoch: Epoch?
  package var position: Position?

  package init(_ answer: CheckAnswer, by rule: DecisionRule, codes: GroundCodeSet = []) {
    self.answer = answer
    decided = answer
    self.rule = rule
    self.codes = codes
  }

  init(_ found: EntryClass, by rule: DecisionRule) {
    self.init(CheckAnswer(found.status), by: rule, codes: found.codes)
  }
}
