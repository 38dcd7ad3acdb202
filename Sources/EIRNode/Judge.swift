import DeviceIdentity
package import DeviceLists
import ListIndex
package import NIOCore

/// Answers one question from the list that is there at this moment. Never waits: where the registry
/// is to be asked, the answer follows.
package struct Judge: Sendable {
  package enum Reply<Answer: Sendable>: Sendable {
    case now(Answer)
    case later(EventLoopFuture<Answer>)
  }

  /// An answer with the rule that gave it, where the network element is told more than a word.
  package struct Ruled: Hashable, Sendable {
    package let answer: CheckAnswer
    package let rule: DecisionRule

    package init(_ answer: CheckAnswer, by rule: DecisionRule) {
      self.answer = answer
      self.rule = rule
    }
  }

  let inForce: DecisionKeeper
  let keeper: ListKeeper
  let counters: CheckCounters
  let checkLog: CheckLog
  /// Nil where nobody is told.
  let sightings: SightingNotes?
  /// Nil where nobody can be asked about a device on no list.
  let asker: RegistryAsker?
  /// Nil where nobody is told of devices that change.
  let devices: DeviceMemory?

  init(
    inForce: DecisionKeeper, keeper: ListKeeper, counters: CheckCounters, checkLog: CheckLog,
    sightings: SightingNotes? = nil, asker: RegistryAsker? = nil,
    devices: DeviceMemory? = nil
  ) {
    self.inForce = inForce
    self.keeper = keeper
    self.counters = counters
    self.checkLog = checkLog
    self.sightings = sightings
    self.asker = asker
    self.devices = devices
  }

  /// - Parameter patience: how long the asker waits, if it says so. Called only where it matters.
  package func answer(
    _ query: CheckQuery, from interface: CheckInterface, asOf now: Instant,
    on eventLoop: any EventLoop, within patience: () -> TimeAmount? = { nil }
  ) -> Reply<CheckAnswer> {
    reply(to: query, from: interface, asOf: now, on: eventLoop, within: patience) { $0.answer }
  }

  /// The same with the rule that decided.
  package func ruled(
    _ query: CheckQuery, from interface: CheckInterface, asOf now: Instant,
    on eventLoop: any EventLoop, within patience: () -> TimeAmount?
  ) -> Reply<Ruled> {
    reply(to: query, from: interface, asOf: now, on: eventLoop, within: patience) {
      Ruled($0.answer, by: $0.rule)
    }
  }

  private func reply<Answer: Sendable>(
    to query: CheckQuery, from interface: CheckInterface, asOf now: Instant,
    on eventLoop: any EventLoop, within patience: () -> TimeAmount?,
    _ form: @escaping @Sendable (Verdict) -> Answer
  ) -> Reply<Answer> {
    let asked = Asked(query: query, interface: interface, at: now)
    let verdict = inForce.current.engine.verdict(on: query, in: keeper.current, asOf: now)
    guard verdict.isToAsk, case .device(let device) = query.identity else {
      return .now(form(noted(verdict, asked)))
    }
    guard let asker else { return .now(form(noted(failed(verdict), asked))) }
    if let answer = asker.remembered(device.imei, asOf: now) {
      return .now(form(noted(verdict.answered(answer), asked)))
    }
    let answer = asker.ask(device.imei, asOf: now, on: eventLoop, within: patience())
    return .later(
      answer.map { answer in
        form(noted(answer.map(verdict.answered) ?? failed(verdict), asked))
      })
  }

  /// One question, while it is answered.
  private struct Asked: Sendable {
    let query: CheckQuery
    let interface: CheckInterface
    let at: Instant
    let since = NIODeadline.now()
  }

  private func noted(_ verdict: Verdict, _ asked: Asked) -> Verdict {
    checkLog.note(asked.query, verdict, asOf: asked.at)
    sightings?.note(asked.query, verdict.answer, asOf: asked.at)
    devices?.note(asked.query, verdict.answer, from: asked.interface, asOf: asked.at)
    counters.count(
      verdict, from: asked.interface, nanoseconds: (NIODeadline.now() - asked.since).nanoseconds)
    return verdict
  }

  /// The registry has not answered in time.
  private func failed(_ verdict: Verdict) -> Verdict {
    var failed = Verdict(verdict.answer, by: .failure)
    failed.epoch = verdict.epoch
    failed.position = verdict.position
    return failed
  }

  /// The same question, asked by a person: neither counted nor logged, and nobody is asked.
  package func explain(_ query: CheckQuery, asOf now: Instant) -> Explanation {
    Explanation(of: query, by: inForce.current.engine, in: keeper.current, asOf: now) {
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
