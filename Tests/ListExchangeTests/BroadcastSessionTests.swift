import DeviceLists
import Simulation
import Testing

@testable import ListExchange

/// The registry is at 20 of its epoch; the node is pushed to and confirmed every 60 s.
struct BroadcastSessionTests {
  private static let now = Samples.issuedAt
  private var session = BroadcastSession(confirmSeconds: 60)
  private var chance = SeededGenerator(seed: 1)

  @Test func `it asks first, and only once at a time`() {
    var session = session
    #expect(session.next(Self.offer(), asOf: Self.now) == .ask)
    session.began(.ask)
    #expect(session.next(Self.offer(), asOf: Self.now) == .wait(until: nil))
    session.answered(Self.status(nil), asOf: Self.now)
    #expect(session.next(Self.offer(), asOf: Self.now) == .snapshot(notBelow: .start))
  }

  @Test(
    arguments: [
      (standing(12), offer(), .delta(after: Position(12))),
      (standing(20), offer(), .confirm(Position(20))),
      (standing(12), offer(there: nil), .snapshot(notBelow: Position(12))),
      (standing(12), offer(there: 9), .snapshot(notBelow: Position(12))),
      (standing(20), offer(there: 9), .snapshot(notBelow: Position(20))),
      (standing(12), offer(way: .snapshot), .snapshot(notBelow: Position(12))),
      (standing(20), offer(way: .snapshot), .confirm(Position(20))),
      (standing(21), offer(there: nil), .leave(standing(21))),
      (standing(12, Samples.otherEpoch), offer(), .delta(after: Position(12))),
      (standing(20, Samples.otherEpoch), offer(), .confirm(Position(20))),
      (standing(12, Samples.otherEpoch), offer(there: 9), .snapshot(notBelow: .start)),
      (standing(21, Samples.otherEpoch), offer(there: nil), .snapshot(notBelow: .start)),
    ] as [(Standing, BroadcastSession.Offer, BroadcastSession.Action)])
  func `what is sent follows from where the node stands`(
    standing: Standing, offer: BroadcastSession.Offer, action: BroadcastSession.Action
  ) {
    #expect(at(standing).next(offer, asOf: Self.now) == action)
  }

  @Test func `a quiet feed is confirmed once a window`() {
    var (session, chance) = (at(Self.standing(20)), chance)
    session.began(.confirm(Position(20)))
    session.answered(Self.applied(20), asOf: Self.now, using: &chance)
    let due = Self.now.adding(seconds: 60)
    #expect(session.next(Self.offer(), asOf: Self.now) == .wait(until: due))
    #expect(session.next(Self.offer(), asOf: due) == .confirm(Position(20)))
    #expect(
      session.next(Self.offer(at: 25), asOf: Self.now) == .delta(after: Position(20)))
  }

  @Test func `a failure unlearns nothing and is tried again ever more slowly`() {
    var (session, chance) = (at(Self.standing(12)), chance)
    var now = Self.now
    var pauses: [Int64] = []
    for _ in 0..<9 {
      session.began(.delta(after: Position(12)))
      session.failed(asOf: now, using: &chance)
      guard case .wait(let until?) = session.next(Self.offer(), asOf: now) else {
        Issue.record("no pause")
        return
      }
      pauses.append(until.seconds(since: now))
      now = until
      #expect(session.next(Self.offer(), asOf: now) == .delta(after: Position(12)))
    }
    let steps: [Int64] = [1, 2, 4, 8, 16, 32, 60, 60, 60]
    #expect(zip(pauses, steps).allSatisfy { max(1, $1 / 2)...$1 ~= $0 }, "\(pauses)")
    #expect(session.failures == 9)
    session.began(.delta(after: Position(12)))
    session.answered(Self.applied(20), asOf: now, using: &chance)
    #expect(session.failures == 0)
    #expect(session.standing == Self.standing(20))
  }

  @Test func `a node that stands elsewhere is served from there`() {
    var (session, chance) = (at(Self.standing(12)), chance)
    session.began(.delta(after: Position(12)))
    session.refused(
      ExchangeProblem(standing: Self.standing(8)), asOf: Self.now, using: &chance)
    #expect(session.next(Self.offer(), asOf: Self.now) == .delta(after: Position(8)))
    session.began(.delta(after: Position(8)))
    session.refused(ExchangeProblem(standing: nil), asOf: Self.now, using: &chance)
    #expect(session.next(Self.offer(), asOf: Self.now) == .snapshot(notBelow: .start))
  }

  @Test(arguments: [
    ExchangeCode.unavailable, .signatureWrong, .signerNotTrusted, .stale, .wrongEpoch, .forbidden,
    .certificateRefused, .internalFailure,
  ])
  func `after another refusal the node is asked, but not at once`(code: ExchangeCode) {
    var (session, chance) = (at(Self.standing(12)), chance)
    session.began(.delta(after: Position(12)))
    session.refused(ExchangeProblem(ExchangeError(code)), asOf: Self.now, using: &chance)
    guard case .wait(let until?) = session.next(Self.offer(), asOf: Self.now) else {
      Issue.record("no pause")
      return
    }
    #expect(session.next(Self.offer(), asOf: until) == .ask)
  }

  @Test func `what a node cannot use twice is replaced by a snapshot, ever more slowly`() {
    var (session, chance) = (at(Self.standing(12)), chance)
    var (now, pauses) = (Self.now, [Int64]())
    var sent: [BroadcastSession.Action] = []
    while sent.count < 8 {
      let action = session.next(Self.offer(), asOf: now)
      switch action {
      case .wait(let until?):
        pauses.append(until.seconds(since: now))
        now = until
      case .ask:
        session.began(.ask)
        session.answered(Self.status(Self.standing(12)), asOf: now)
      default:
        sent.append(action)
        session.began(action)
        session.refused(ExchangeProblem(ExchangeError(.unknownWord)), asOf: now, using: &chance)
      }
    }
    let delta = BroadcastSession.Action.delta(after: Position(12))
    let snapshot = BroadcastSession.Action.snapshot(notBelow: Position(12))
    #expect(sent == [delta, delta] + Array(repeating: snapshot, count: 6))
    // That the node answers where it stands does not begin the pauses anew.
    #expect(pauses.last.map { $0 >= 30 } == true, "\(pauses)")
    session.began(snapshot)
    session.answered(Self.applied(20), asOf: now, using: &chance)
    #expect(session.next(Self.offer(at: 21), asOf: now) == .delta(after: Position(20)))
  }

  @Test func `a full disk gets no snapshot, and ever fewer deltas`() {
    var (session, chance) = (at(Self.standing(12)), chance)
    var (now, count) = (Self.now, 0)
    while now < Self.now.adding(seconds: 3_600) {
      switch session.next(Self.offer(), asOf: now) {
      case .wait(let until?): now = until
      case .ask:
        session.began(.ask)
        session.answered(Self.status(Self.standing(12)), asOf: now)
      case .delta(let after):
        count += 1
        session.began(.delta(after: after))
        session.refused(
          ExchangeProblem(ExchangeError(.unavailable)), asOf: now, using: &chance)
      case let other:
        Issue.record("\(other)")
        return
      }
    }
    #expect((60...160).contains(count), "\(count) in an hour")
  }

  @Test func `a clock that has gone back holds nothing up`() {
    var (session, chance) = (at(Self.standing(12)), chance)
    let hourAgo = Self.now.adding(seconds: -3_600)
    session.began(.delta(after: Position(12)))
    session.failed(asOf: Self.now, using: &chance)
    #expect(session.isWaiting(asOf: Self.now))
    #expect(!session.isWaiting(asOf: hourAgo))
    session.began(.delta(after: Position(12)))
    session.answered(
      BroadcastResponse(state: .accepted, standing: Self.standing(12), held: 0), asOf: Self.now,
      using: &chance)
    #expect(session.isWaiting(asOf: Self.now))
    #expect(session.next(Self.offer(), asOf: hourAgo) == .ask)
    session.acknowledged(Self.acknowledgement(20), asOf: Self.now, using: &chance)
    #expect(session.next(Self.offer(), asOf: hourAgo) == .confirm(Position(20)))
  }

  @Test func `a node that computes another digest gets a snapshot`() {
    var (session, chance) = (at(Self.standing(12)), chance)
    session.began(.delta(after: Position(12)))
    session.refused(
      ExchangeProblem(ExchangeError(.digestDiffers)), asOf: Self.now, using: &chance)
    let snapshot = BroadcastSession.Action.snapshot(notBelow: Position(12))
    #expect(session.next(Self.offer(), asOf: Self.now) == snapshot)
    session.began(snapshot)
    session.answered(Self.applied(20), asOf: Self.now, using: &chance)
    #expect(session.next(Self.offer(at: 21), asOf: Self.now) == .delta(after: Position(20)))
  }

  @Test(arguments: [BroadcastResponse.State.applied, .accepted])
  func `snapshots over and over become rare`(state: BroadcastResponse.State) {
    var (session, chance) = (at(Self.standing(20)), chance)
    var (now, count) = (Self.now, 0)
    while now < Self.now.adding(seconds: 3_600) {
      switch session.next(Self.offer(there: 9), asOf: now) {
      case .wait(let until?): now = until
      case .snapshot:
        count += 1
        session.began(.snapshot(notBelow: Position(20)))
        let response = BroadcastResponse(state: state, standing: Self.standing(20), held: 0)
        session.answered(response, asOf: now, using: &chance)
        session.acknowledged(
          Acknowledgement(standing: Self.standing(20), held: 0), asOf: now, using: &chance)
      case let other:
        Issue.record("\(other)")
        return
      }
    }
    #expect((60...160).contains(count), "\(count) in an hour")
  }

  @Test func `what is taken later is waited for, then asked about`() {
    var (session, chance) = (at(Self.standing(12)), chance)
    session.began(.delta(after: Position(12)))
    session.answered(
      BroadcastResponse(state: .accepted, standing: Self.standing(12), held: 0), asOf: Self.now,
      using: &chance)
    let until = Self.now.adding(seconds: BroadcastSession.acknowledgementSeconds)
    #expect(session.next(Self.offer(), asOf: Self.now) == .wait(until: until))
    #expect(session.next(Self.offer(), asOf: until) == .ask)
    var late = session
    late.acknowledged(Self.acknowledgement(11), asOf: Self.now, using: &chance)
    #expect(late == session)
    session.acknowledged(Self.acknowledgement(20), asOf: Self.now, using: &chance)
    #expect(session.standing == Self.standing(20))
    #expect(
      session.next(Self.offer(), asOf: Self.now) == .wait(until: Self.now.adding(seconds: 60)))
  }

  @Test func `an acknowledgement may overtake the answer`() {
    var (session, chance) = (at(Self.standing(12)), chance)
    session.began(.delta(after: Position(12)))
    session.acknowledged(Self.acknowledgement(20), asOf: Self.now, using: &chance)
    session.answered(
      BroadcastResponse(state: .accepted, standing: Self.standing(12), held: 0), asOf: Self.now,
      using: &chance)
    #expect(session.standing == Self.standing(20))
    #expect(
      session.next(Self.offer(), asOf: Self.now) == .wait(until: Self.now.adding(seconds: 60)))
  }

  @Test(
    arguments: [
      (10_000, 1, CheaperWay.delta), (10_001, 1, .snapshot), (10_001, nil, .delta),
      (1_000_000, 100_000_000, .snapshot), (900_000, 100_000_000, .delta),
    ] as [(Int, Int?, CheaperWay)])
  func `the cheaper way is the one of fewer bytes`(changes: Int, bytes: Int?, way: CheaperWay) {
    #expect(CheaperWay(changes: changes, snapshotBytes: bytes) == way)
  }

  // MARK: -

  private func at(_ standing: Standing) -> BroadcastSession {
    var session = session
    session.began(.ask)
    session.answered(Self.status(standing), asOf: Self.now)
    return session
  }

  private static func standing(_ position: UInt64, _ epoch: Epoch = Samples.epoch) -> Standing {
    Standing(epoch: epoch, position: Position(position), digest: Samples.digest(7))
  }

  private static func offer(
    at position: UInt64 = 20, there digest: UInt8? = 7, way: CheaperWay = .delta
  ) -> BroadcastSession.Offer {
    BroadcastSession.Offer(
      epoch: Samples.epoch, position: Position(position),
      digestThere: digest.map { Samples.digest($0) }, cheaperWay: way)
  }

  private static func status(_ standing: Standing?) -> NodeStatus {
    var chance = SeededGenerator(seed: 2)
    return NodeStatus(
      registry: Samples.registry, standing: standing, held: 0,
      instance: InstanceID(using: &chance))
  }

  private static func applied(_ position: UInt64) -> BroadcastResponse {
    BroadcastResponse(state: .applied, standing: standing(position), held: 0)
  }

  private static func acknowledgement(_ position: UInt64) -> Acknowledgement {
    Acknowledgement(standing: standing(position), held: 0)
  }
}
