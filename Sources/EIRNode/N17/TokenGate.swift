import CheckServer
import DeviceLists
import EquipmentCheck
import ExchangeTrust
import Logging
import NIOCore
import Synchronization

/// Lets nobody ask without an access token that the NRF has signed. TS 33.501, 13.4.1.
///
/// A signature is verified once, away from the event loop, and remembered as long as the token
/// counts: after that it costs a look into a dictionary. There is a limit on everything that
/// strangers can cause.
final class TokenGate: Sendable {
  /// Tokens that were verified: one for each consumer, in practice.
  static let mostAccepted = 8_192
  /// Tokens that were refused, so that one that comes again and again costs nothing.
  static let mostRefused = 1_024
  static let refusedSeconds: Int64 = 10
  /// Requests that wait for a verification.
  static let mostWaiting = 4_096
  /// Signatures looked at in a second: about a tenth of a processor.
  static let verificationsPerSecond = 1_000
  /// Of them, for one address: what forgers send from there leaves room for all others.
  static let verificationsOfOneAddress = 250
  /// In the log within a minute, of requests that were refused; all of them are counted.
  static let mostRefusalLines = 20

  enum Admission: Sendable {
    case granted
    case refused(N17Refusal)
    /// Nil where it is granted.
    case later(EventLoopFuture<N17Refusal?>)
  }

  struct Counts: Hashable, Sendable {
    /// Tokens whose signature was verified, and which count.
    var verified = 0
    /// Requests without a token, or with one that does not count.
    var refused: [AccessToken.Fault: Int] = [:]
    /// Requests beyond a limit.
    var turnedAway = 0
  }

  struct State {
    var keys: TokenKeys
    /// Rises with every change of the keys.
    var generation = 0
    /// By the whole header line, until when.
    var accepted: [String: Instant] = [:]
    var refused: [String: (fault: AccessToken.Fault, until: Instant)] = [:]
    var waiting: [String: [EventLoopPromise<N17Refusal?>]] = [:]
    var waitingCount = 0
    var second = Instant(secondsSinceEpoch: 0)
    var verificationsInSecond = 0
    var verificationsByOrigin: [PeerOrigin: Int] = [:]
    var counts = Counts()
  }

  enum Step {
    case known(N17Refusal?)
    case verify(TokenKeys, generation: Int)
    case wait
  }

  private let audience: AccessToken.Audience
  private let state: Mutex<State>
  private let refusalLines = LineLimit(most: mostRefusalLines)
  private let logger: Logger

  init(keys: TokenKeys, audience: AccessToken.Audience, logger: Logger) {
    self.audience = audience
    self.logger = logger
    state = Mutex(State(keys: keys))
  }

  var counts: Counts { state.withLock { $0.counts } }
  /// Requests that wait for a verification.
  var waitingCount: Int { state.withLock { $0.waitingCount } }

  /// From now on these keys count, and what others have signed counts no more.
  func replace(keys: TokenKeys) {
    state.withLock { state in
      state.keys = keys
      state.generation += 1
      state.accepted = [:]
      state.refused = [:]
    }
  }

  /// - Parameter authorization: the header line of that name.
  func admission(
    _ authorization: String?, from origin: PeerOrigin, asOf now: Instant,
    on eventLoop: any EventLoop
  ) -> Admission {
    guard let authorization, AccessToken.bearer(authorization) != nil else {
      state.withLock { $0.counts.refused[.missing, default: 0] += 1 }
      report(.missing, from: origin)
      return .refused(AccessToken.Fault.missing.refusal)
    }
    if let known = state.withLock({ $0.known(authorization, asOf: now) }) {
      return known.map { .refused($0) } ?? .granted
    }
    let promise = eventLoop.makePromise(of: N17Refusal?.self)
    switch state.withLock({ $0.step(authorization, from: origin, promise, asOf: now) }) {
    case .known(let refusal):
      promise.succeed(refusal)
      return refusal.map { .refused($0) } ?? .granted
    case .verify(let keys, let generation):
      Task { verify(authorization, from: origin, by: keys, generation, asOf: now) }
    case .wait: break
    }
    return .later(promise.futureResult)
  }

  private func verify(
    _ authorization: String, from origin: PeerOrigin, by keys: TokenKeys, _ generation: Int,
    asOf now: Instant
  ) {
    var fault: AccessToken.Fault?
    var until: Instant?
    do throws(AccessToken.Fault) {
      guard let token = AccessToken.bearer(authorization) else { throw .malformed }
      until = try AccessToken.verify(token, by: keys, for: audience, asOf: now)
    } catch {
      fault = error
    }
    let waiting = state.withLock { state in
      state.note(authorization, fault, until: until, generation, asOf: now)
      let waiting = state.waiting.removeValue(forKey: authorization) ?? []
      state.waitingCount -= waiting.count
      if let fault { state.counts.refused[fault, default: 0] += waiting.count }
      return waiting
    }
    if let fault { report(fault, from: origin) }
    for promise in waiting { promise.succeed(fault?.refusal) }
  }

  /// Says why, and never what the token was.
  private func report(_ fault: AccessToken.Fault, from origin: PeerOrigin) {
    guard refusalLines.takesOne(asOf: .now()) else { return }
    logger.info(
      "a request was refused: no access token that counts",
      metadata: ["listener": "n17", "peer": "\(origin)", "reason": "\(fault.rawValue)"])
  }
}

extension AccessToken.Fault {
  /// RFC 6750, 3.1.
  fileprivate var refusal: N17Refusal {
    switch self {
    case .missing: .noToken
    case .otherScope: .insufficientScope
    case .malformed, .unknownKey, .untrusted, .otherAudience, .expired, .notYetValid: .invalidToken
    }
  }
}

extension TokenGate.State {
  /// What is remembered of a token: nil for nothing, `.some(nil)` where it is granted.
  mutating func known(_ line: String, asOf now: Instant) -> N17Refusal?? {
    if let until = accepted[line] {
      if now < until { return .some(nil) }
      accepted[line] = nil
    }
    // After a clock that was ahead has gone back, a refusal counts no longer than any other.
    guard let (fault, until) = refused[line], now < until,
      until.seconds(since: now) <= TokenGate.refusedSeconds
    else { return nil }
    counts.refused[fault, default: 0] += 1
    return .some(fault.refusal)
  }

  mutating func step(
    _ line: String, from origin: PeerOrigin, _ promise: EventLoopPromise<N17Refusal?>,
    asOf now: Instant
  ) -> TokenGate.Step {
    // Another thread may have remembered it meanwhile.
    if let known = known(line, asOf: now) { return .known(known) }
    guard waitingCount < TokenGate.mostWaiting else {
      counts.turnedAway += 1
      return .known(.congested)
    }
    let isNew = waiting[line] == nil
    if isNew, !mayVerify(for: origin, asOf: now) {
      counts.turnedAway += 1
      return .known(.tooManyTokens)
    }
    waiting[line, default: []].append(promise)
    waitingCount += 1
    return isNew ? .verify(keys, generation: generation) : .wait
  }

  private mutating func mayVerify(for origin: PeerOrigin, asOf now: Instant) -> Bool {
    if now != second {
      second = now
      verificationsInSecond = 0
      verificationsByOrigin.removeAll(keepingCapacity: true)
    }
    let count = verificationsByOrigin[origin, default: 0]
    guard verificationsInSecond < TokenGate.verificationsPerSecond,
      count < TokenGate.verificationsOfOneAddress
    else { return false }
    verificationsInSecond += 1
    verificationsByOrigin[origin] = count + 1
    return true
  }

  mutating func note(
    _ line: String, _ fault: AccessToken.Fault?, until: Instant?, _ generation: Int,
    asOf now: Instant
  ) {
    if fault == nil { counts.verified += 1 }
    guard generation == self.generation else { return }
    if let fault {
      if refused.count >= TokenGate.mostRefused { refused = [:] }
      refused[line] = (fault, now.adding(seconds: TokenGate.refusedSeconds))
    } else if let until {
      if accepted.count >= TokenGate.mostAccepted { accepted = accepted.filter { now < $0.value } }
      if accepted.count >= TokenGate.mostAccepted { accepted = [:] }
      accepted[line] = until
    }
  }
}
