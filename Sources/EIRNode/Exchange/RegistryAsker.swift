import AsyncHTTPClient
import DeviceIdentity
import DeviceLists
import ListExchange
import NIOCore
import NIOHTTP1
import Synchronization

/// Asks the registry about devices that are on no list, and remembers what it said: the mode of
/// authorisation. ITU-T Q Suppl. 73. One question for one device is under way at a time; there is
/// a limit on everything. An event loop never waits here.
final class RegistryAsker: Sendable {
  /// Devices that are asked about at the same moment.
  static let mostQuestions = 512
  /// Those who wait for an answer, over all questions.
  static let mostWaiting = 8_192
  /// Answers remembered; the older half goes when there are more.
  static let mostRemembered = 200_000
  /// However long the registry lets its answer count.
  static let longestRememberedSeconds: Int64 = 86_400
  private static let longestAnswerBytes = 16_384

  struct Answer: Hashable, Sendable {
    var answer: CheckAnswer
    var codes: GroundCodeSet
    var validUntil: Instant

    /// After a clock that was ahead has gone back, an answer counts no longer than any other.
    func counts(asOf now: Instant) -> Bool {
      let left = validUntil.seconds(since: now)
      return left > 0 && left <= RegistryAsker.longestRememberedSeconds
    }
  }

  struct Counts: Hashable, Sendable {
    var asked = 0
    var remembered = 0
    var failed = 0
    var tooLate = 0
    var tooMany = 0
  }

  fileprivate struct State {
    var young: [IMEI: Answer] = [:]
    var old: [IMEI: Answer] = [:]
    var waiting: [IMEI: [EventLoopPromise<Answer?>]] = [:]
    var waitingCount = 0
    var counts = Counts()
  }

  fileprivate enum Step {
    case known(Answer)
    case ask, wait, refused
  }

  private let client: RegistryClient
  private let timeoutMilliseconds: Atomic<Int>
  private let state = Mutex(State())

  init(client: RegistryClient, timeoutMilliseconds: Int) {
    self.client = client
    self.timeoutMilliseconds = Atomic(timeoutMilliseconds)
  }

  /// For questions that are asked from now on.
  func setTimeout(milliseconds: Int) {
    timeoutMilliseconds.store(milliseconds, ordering: .relaxed)
  }

  private var timeout: TimeAmount {
    .milliseconds(Int64(timeoutMilliseconds.load(ordering: .relaxed)))
  }

  var counts: Counts { state.withLock { $0.counts } }
  /// Checks that wait for the CEIR.
  var waitingCount: Int { state.withLock { $0.waitingCount } }

  /// What was answered lately, for a person who looks: not counted.
  func known(_ imei: IMEI, asOf now: Instant) -> Answer? {
    state.withLock { state in
      (state.young[imei] ?? state.old[imei]).flatMap { $0.counts(asOf: now) ? $0 : nil }
    }
  }

  /// What was answered lately, without asking.
  func remembered(_ imei: IMEI, asOf now: Instant) -> Answer? {
    state.withLock { state in
      guard let answer = state.young[imei] ?? state.old[imei], answer.counts(asOf: now) else {
        return nil
      }
      state.counts.remembered += 1
      return answer
    }
  }

  /// The registry's answer; nil where there is none in time.
  ///
  /// - Parameter patience: how long this asker waits, where that is shorter.
  func ask(
    _ imei: IMEI, asOf now: Instant, on eventLoop: any EventLoop, within patience: TimeAmount? = nil
  ) -> EventLoopFuture<Answer?> {
    if let answer = remembered(imei, asOf: now) { return eventLoop.makeSucceededFuture(answer) }
    let promise = eventLoop.makePromise(of: Answer?.self)
    let step = state.withLock { state -> Step in
      guard state.waitingCount < Self.mostWaiting else { return state.refuse() }
      let isNew = state.waiting[imei] == nil
      if isNew, state.waiting.count >= Self.mostQuestions { return state.refuse() }
      state.waiting[imei, default: []].append(promise)
      state.waitingCount += 1
      if isNew { state.counts.asked += 1 }
      return isNew ? .ask : .wait
    }
    switch step {
    case .refused: promise.succeed(nil)
    case .ask: Task { await question(imei, asOf: now) }
    case .wait, .known: break
    }
    return inTime(
      promise.futureResult, on: eventLoop, within: min(timeout, patience ?? timeout))
  }

  /// The asker gets its answer within the time limit, whatever becomes of the question.
  private func inTime(
    _ answer: EventLoopFuture<Answer?>, on eventLoop: any EventLoop, within time: TimeAmount
  ) -> EventLoopFuture<Answer?> {
    let promise = eventLoop.makePromise(of: Answer?.self)
    let isDone = NIOLoopBoundBox(false, eventLoop: eventLoop)
    let timer = eventLoop.scheduleTask(in: time) { [self] in
      guard !isDone.value else { return }
      isDone.value = true
      state.withLock { $0.counts.tooLate += 1 }
      promise.succeed(nil)
    }
    answer.hop(to: eventLoop).whenComplete { result in
      timer.cancel()
      guard !isDone.value else { return }
      isDone.value = true
      promise.succeed((try? result.get()) ?? nil)
    }
    return promise.futureResult
  }

  private func question(_ imei: IMEI, asOf now: Instant) async {
    let answer = await answered(imei, asOf: now)
    let waiting = state.withLock { state in
      if let answer { state.remember(answer, for: imei) } else { state.counts.failed += 1 }
      let waiting = state.waiting.removeValue(forKey: imei) ?? []
      state.waitingCount -= waiting.count
      return waiting
    }
    for promise in waiting { promise.succeed(answer) }
  }

  private func answered(_ imei: IMEI, asOf now: Instant) async -> Answer? {
    let query = LUStatusQuery(ReportedIdentity(imei.description), askedAt: now)
    do {
      let response = try await client.ask(
        .POST, ExchangePath.luStatus,
        body: (ExchangePath.json, LUStatusRequest(query).json), deadline: .now() + timeout)
      let body = try await response.body.collect(upTo: Self.longestAnswerBytes)
      guard response.status == .ok else { return nil }
      let said = try LUStatusResponse(json: Array(body.readableBytesView))
      let longest = now.adding(seconds: Self.longestRememberedSeconds)
      return Answer(
        answer: said.verdict.status, codes: said.verdict.grounds,
        validUntil: min(said.validUntil, longest))
    } catch {
      // Counted by the caller; a registry that is away is said by the feed loop.
      return nil
    }
  }
}

extension RegistryAsker.State {
  fileprivate mutating func refuse() -> RegistryAsker.Step {
    counts.tooMany += 1
    return .refused
  }

  fileprivate mutating func remember(_ answer: RegistryAsker.Answer, for imei: IMEI) {
    if young.count >= RegistryAsker.mostRemembered / 2 {
      old = young
      young = [:]
    }
    young[imei] = answer
  }
}
