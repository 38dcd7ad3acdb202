package import DeviceLists
import Synchronization

/// How often each answer was given and each rule decided, since the start.
package final class CheckCounters: Sendable {
  /// A place per rule and answer; added to without a lock.
  private final class Place: Sendable {
    let count = Atomic<Int>(0)
  }

  private static let answers: [CheckAnswer] = [.white, .grey, .black, .unknown]
  private let places: [Place]
  private let shadowed = Atomic<Int>(0)

  package init() {
    places = (0..<DecisionRule.allCases.count * Self.answers.count).map { _ in Place() }
  }

  package func count(_ verdict: Verdict) {
    let place = Int(verdict.rule.rawValue) * Self.answers.count + Self.number(of: verdict.decided)
    places[place].count.add(1, ordering: .relaxed)
    if verdict.answer != verdict.decided { shadowed.add(1, ordering: .relaxed) }
  }

  /// Every rule and answer that has occurred.
  package var counts: [(rule: DecisionRule, decided: CheckAnswer, count: Int)] {
    DecisionRule.allCases.flatMap { rule in
      Self.answers.compactMap { answer in
        let place = Int(rule.rawValue) * Self.answers.count + Self.number(of: answer)
        let count = places[place].count.load(ordering: .relaxed)
        return count > 0 ? (rule, answer, count) : nil
      }
    }
  }

  /// Answered white in shadow mode where something else was decided.
  package var shadowedCount: Int { shadowed.load(ordering: .relaxed) }

  private static func number(of answer: CheckAnswer) -> Int {
    switch answer {
    case .white: 0
    case .grey: 1
    case .black: 2
    case .unknown: 3
    }
  }
}
