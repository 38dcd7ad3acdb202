package import DeviceLists
import ListIndex

/// Answers one question from the list that is there at this moment. Never waits.
package struct Judge: Sendable {
  let engine: DecisionEngine
  let keeper: ListKeeper
  let counters: CheckCounters
  let checkLog: CheckLog?

  package init(
    engine: DecisionEngine, keeper: ListKeeper, counters: CheckCounters, checkLog: CheckLog?
  ) {
    self.engine = engine
    self.keeper = keeper
    self.counters = counters
    self.checkLog = checkLog
  }

  package func answer(_ query: CheckQuery, asOf now: Instant) -> CheckAnswer {
    let verdict = engine.verdict(on: query, in: keeper.current, asOf: now)
    counters.count(verdict)
    checkLog?.note(query, verdict, asOf: now)
    return verdict.answer
  }

  /// The same question, asked by a person: neither counted nor logged.
  package func explain(_ query: CheckQuery, asOf now: Instant) -> Explanation {
    Explanation(of: query, by: engine, in: keeper.current, asOf: now)
  }
}
