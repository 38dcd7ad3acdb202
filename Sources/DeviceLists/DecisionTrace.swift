/// Hears of each list as it is looked at, in order, and last of the rule that decided.
package protocol DecisionTrace {
  mutating func looked(at rule: DecisionRule, found: EntryClass?)
}

struct NoTrace: DecisionTrace {
  mutating func looked(at rule: DecisionRule, found: EntryClass?) {}
}

/// Keeps what a trace hears, for a person who asks why.
package struct DecisionRecord: DecisionTrace {
  package struct Step: Hashable, Sendable {
    package let rule: DecisionRule
    /// What was found there; nil also where a setting and no list decided.
    package let found: EntryClass?
  }

  package private(set) var steps: [Step] = []

  package init() {}

  package mutating func looked(at rule: DecisionRule, found: EntryClass?) {
    steps.append(Step(rule: rule, found: found))
  }
}
