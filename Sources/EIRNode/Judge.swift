import DeviceIdentity
package import DeviceLists
import ListIndex
package import NIOCore

/// Answers one question from the list that is there at this moment. Never waits: where the registry
/// is to be asked, the answer follows.
package struct Judge: Sendable {
  package enum Reply: Sendable {
    case now(CheckAnswer)
    case later(EventLoopFuture<CheckAnswer>)
  }

  let engine: DecisionEngine
  let keeper: ListKeeper
  let counters: CheckCounters
  let checkLog: CheckLog?
  /// Nil where nobody is told.
  let sightings: SightingNotes?
  /// Nil where a device on no list is answered by a setting.
  let asker: RegistryAsker?

  init(
    engine: DecisionEngine, keeper: ListKeeper, counters: CheckCounters, checkLog: CheckLog?,
    sightings: SightingNotes? = nil, asker: RegistryAsker? = nil
  ) {
    self.engine = engine
    self.keeper = keeper
    self.counters = counters
    self.checkLog = checkLog
    self.sightings = sightings
    self.asker = asker
  }

  package func answer(
    _ query: CheckQuery, asOf now: Instant, on eventLoop: any EventLoop
  ) -> Reply {
    let verdict = engine.verdict(on: query, in: keeper.current, asOf: now)
    // In shadow mode everything is let through, so nobody need be asked.
    guard let asker, verdict.rule == .mode, !engine.settings.isShadow,
      case .device(let device) = query.identity
    else { return .now(noted(verdict, query, asOf: now)) }
    if let answer = asker.remembered(device.imei, asOf: now) {
      return .now(noted(verdict.answered(answer), query, asOf: now))
    }
    let answer = asker.ask(device.imei, asOf: now, on: eventLoop)
    return .later(
      answer.map { answer in
        noted(answer.map(verdict.answered) ?? failed(verdict), query, asOf: now)
      })
  }

  private func noted(_ verdict: Verdict, _ query: CheckQuery, asOf now: Instant) -> CheckAnswer {
    counters.count(verdict)
    checkLog?.note(query, verdict, asOf: now)
    sightings?.note(query, verdict.answer, asOf: now)
    return verdict.answer
  }

  /// The registry has not answered in time.
  private func failed(_ verdict: Verdict) -> Verdict {
    var failed = Verdict(engine.settings.onFailure, by: .failure)
    failed.epoch = verdict.epoch
    failed.position = verdict.position
    return failed
  }

  /// The same question, asked by a person: neither counted nor logged, and nobody is asked.
  package func explain(_ query: CheckQuery, asOf now: Instant) -> Explanation {
    Explanation(of: query, by: engine, in: keeper.current, asOf: now, asks: asker != nil) {
      asker?.known($0, asOf: now)
    }
  }
}

extension Verdict {
  func answered(_ answer: RegistryAsker.Answer) -> Verdict {
    var answered = Verdict(answer.answer, by: .mode, codes: answer.codes)
    answered.epoch = epoch
    answered.position = position
    return answered
  }
}
