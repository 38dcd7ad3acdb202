package import DeviceLists

/// The registry's side of pushing to one node: knows what the node is known to hold, says what is
/// to be sent next, and is told what came of it. A node that fails is tried again ever more slowly.
package struct BroadcastSession: Hashable, Sendable {
  /// What the registry has for this node at the moment.
  package struct Offer: Hashable, Sendable {
    package var epoch: Epoch
    package var position: Position
    /// The feed's digest at the position that the node is known to hold; nil where the journal
    /// does not reach back so far, or not yet so far ahead.
    package var digestThere: ListDigest?
    package var cheaperWay: CheaperWay

    package init(
      epoch: Epoch, position: Position, digestThere: ListDigest?, cheaperWay: CheaperWay
    ) {
      self.epoch = epoch
      self.position = position
      self.digestThere = digestThere
      self.cheaperWay = cheaperWay
    }
  }

  package enum Action: Hashable, Sendable {
    /// Ask where the node stands: `GET /exchange/v1/status`.
    case ask
    /// Broadcast the changes after this position.
    case delta(after: Position)
    /// Broadcast a checkpoint alone: nothing has changed since this position.
    case confirm(Position)
    /// Broadcast a snapshot of at least this position.
    case snapshot(notBelow: Position)
    /// Nothing before this moment, unless the registry or the node has news; nil: an answer is
    /// awaited.
    case wait(until: Instant?)
    /// The node is ahead of the registry in the same epoch: say so and leave it alone until the
    /// registry has got there or has begun another epoch.
    case leave(Standing)
  }

  private enum Known: Hashable, Sendable {
    case nothing, noList
    case stands(Standing)
  }

  private enum Pending: Hashable, Sendable {
    case answer(to: Action)
    /// The node has taken a broadcast and has not yet said that it is on disk.
    case acknowledgement(of: Action, until: Instant)
  }

  package static let shortestPauseSeconds: Int64 = 1
  package static let longestPauseSeconds: Int64 = 60
  /// After so many snapshots in a row, or broadcasts that lead nowhere, there are pauses.
  package static let mostDetours = 3
  /// How long an acknowledgement may take before the node is asked.
  package static let acknowledgementSeconds: Int64 = 30
  /// Refusals in a row of what the node cannot use, after which it gets a snapshot.
  package static let mostRefusals = 2
  /// RFC 9110, 15.5.21.
  private static let cannotBeUsed = 422

  /// A quiet feed is confirmed so often.
  package var confirmSeconds: Int

  private var known = Known.nothing
  private var pending: Pending?
  private var wantsSnapshot = false
  private var confirmedAt: Instant?
  private var pausesUntil: Instant?
  private var detours = 0
  private var refusals = 0
  /// Failures in a row.
  package private(set) var failures = 0

  package init(confirmSeconds: Int) { self.confirmSeconds = confirmSeconds }

  /// What the node is known to hold.
  package var standing: Standing? {
    if case .stands(let standing) = known { standing } else { nil }
  }

  /// Whether nothing is to be done, whatever the registry has: what it has need not be looked up.
  package func isWaiting(asOf now: Instant) -> Bool { wait(asOf: now) != nil }

  private func wait(asOf now: Instant) -> Action? {
    switch pending {
    case .answer: return .wait(until: nil)
    case .acknowledgement(_, let until):
      return now.isBefore(until, by: Self.acknowledgementSeconds) ? .wait(until: until) : nil
    case nil: break
    }
    guard let pausesUntil, now.isBefore(pausesUntil, by: Self.longestPauseSeconds) else {
      return nil
    }
    return .wait(until: pausesUntil)
  }

  /// What to do next. Tell ``began(_:)`` before doing it.
  package func next(_ offer: Offer, asOf now: Instant) -> Action {
    if let wait = wait(asOf: now) { return wait }
    if case .acknowledgement? = pending { return .ask }
    switch known {
    case .nothing: return .ask
    case .noList: return .snapshot(notBelow: .start)
    case .stands(let standing): return next(offer, from: standing, asOf: now)
    }
  }

  private func next(_ offer: Offer, from standing: Standing, asOf now: Instant) -> Action {
    let isSameEpoch = standing.epoch == offer.epoch
    if isSameEpoch, standing.position > offer.position { return .leave(standing) }
    let isOnOurLine =
      standing.position <= offer.position && offer.digestThere == standing.digest
    guard isOnOurLine, !wantsSnapshot else {
      return .snapshot(notBelow: isSameEpoch ? standing.position : .start)
    }
    if standing.position < offer.position {
      return offer.cheaperWay == .snapshot
        ? .snapshot(notBelow: standing.position) : .delta(after: standing.position)
    }
    // In a new epoch the node hears of it at once.
    guard isSameEpoch, let confirmedAt else { return .confirm(standing.position) }
    let due = confirmedAt.adding(seconds: Int64(confirmSeconds))
    return now.isBefore(due, by: Int64(confirmSeconds))
      ? .wait(until: due) : .confirm(standing.position)
  }
}

// MARK: - What has happened

extension BroadcastSession {
  /// The action is being done: nothing else until its answer, or its failure, is told.
  package mutating func began(_ action: Action) {
    switch action {
    case .ask, .delta, .confirm, .snapshot: pending = .answer(to: action)
    case .wait, .leave: break
    }
  }

  /// The node has said where it stands.
  package mutating func answered(
    _ status: NodeStatus, asOf now: Instant
  ) {
    pending = nil
    known = status.standing.map { .stands($0) } ?? .noList
    // Failures are forgotten when a broadcast has gone well, not by this.
    pausesUntil = nil
  }

  /// The node has taken a broadcast.
  package mutating func answered(
    _ response: BroadcastResponse, asOf now: Instant, using chance: inout some RandomNumberGenerator
  ) {
    let sent = endAnswer()
    if response.state == .accepted {
      // The acknowledgement may have overtaken the answer.
      if let said = response.standing, let standing, standing.isBeyond(said) { return }
      if let said = response.standing { known = .stands(said) }
      pending = sent.map {
        .acknowledgement(of: $0, until: now.adding(seconds: Self.acknowledgementSeconds))
      }
    } else if let said = response.standing {
      landed(sent, at: said, asOf: now, using: &chance)
    }
  }

  /// The node has written down what it had taken. What is older than what is known says nothing.
  package mutating func acknowledged(
    _ acknowledgement: Acknowledgement, asOf now: Instant,
    using chance: inout some RandomNumberGenerator
  ) {
    if let standing, standing.isBeyond(acknowledgement.standing) { return }
    var sent: Action?
    if case .acknowledgement(let action, _) = pending {
      sent = action
      pending = nil
    }
    landed(sent, at: acknowledgement.standing, asOf: now, using: &chance)
  }

  /// The node has refused a broadcast.
  package mutating func refused(
    _ problem: ExchangeProblem, asOf now: Instant, using chance: inout some RandomNumberGenerator
  ) {
    _ = endAnswer()
    switch problem.error.code {
    case .standsElsewhere:
      let before = known
      known = problem.standing.map { .stands($0) } ?? .noList
      detour(asOf: now, using: &chance)
      wantsSnapshot = known == before && detours > Self.mostDetours
    case .digestDiffers:
      wantsSnapshot = true
      detour(asOf: now, using: &chance)
    default:
      // A node that has found its list damaged, or another machine, stands elsewhere by now.
      known = .nothing
      if problem.error.code.httpStatus == Self.cannotBeUsed {
        refusals += 1
        wantsSnapshot = refusals >= Self.mostRefusals
      }
      pause(asOf: now, using: &chance)
    }
  }

  /// There was no answer, or none that can be understood. The broadcast may have arrived all the
  /// same: what is known is not unlearned, as a broadcast may come twice.
  package mutating func failed(
    asOf now: Instant, using chance: inout some RandomNumberGenerator
  ) {
    _ = endAnswer()
    pause(asOf: now, using: &chance)
  }

  private mutating func endAnswer() -> Action? {
    defer { pending = nil }
    if case .answer(let action) = pending { return action }
    return nil
  }

  private mutating func landed(
    _ sent: Action?, at standing: Standing, asOf now: Instant,
    using chance: inout some RandomNumberGenerator
  ) {
    let before = known
    known = .stands(standing)
    confirmedAt = now
    // What nobody waits for, such as an acknowledgement that comes twice, ends no pause.
    guard let sent else { return }
    wantsSnapshot = false
    refusals = 0
    failures = 0
    pausesUntil = nil
    switch sent {
    case .snapshot: detour(asOf: now, using: &chance)
    case .delta where known == before:
      detour(asOf: now, using: &chance)
      wantsSnapshot = detours > Self.mostDetours
    case .delta, .confirm: detours = 0
    default: break
    }
  }

  /// Well in itself, but not over and over.
  private mutating func detour(
    asOf now: Instant, using chance: inout some RandomNumberGenerator
  ) {
    detours += 1
    if detours > Self.mostDetours { pause(asOf: now, using: &chance) }
  }

  /// From half to the whole of a step that doubles each time.
  private mutating func pause(
    asOf now: Instant, using chance: inout some RandomNumberGenerator
  ) {
    let doublings = min(max(failures, detours - Self.mostDetours - 1), 16)
    let step = min(Self.shortestPauseSeconds << Int64(doublings), Self.longestPauseSeconds)
    failures += 1
    pausesUntil = now.adding(seconds: .random(in: max(1, step / 2)...step, using: &chance))
  }
}

extension Instant {
  /// Not where the moment lies further ahead than it was set: then the clock has gone back.
  fileprivate func isBefore(_ moment: Instant, by most: Int64) -> Bool {
    self < moment && moment.seconds(since: self) <= most
  }
}

extension Standing {
  /// Further on in the same epoch.
  fileprivate func isBeyond(_ other: Standing) -> Bool {
    epoch == other.epoch && position > other.position
  }
}
