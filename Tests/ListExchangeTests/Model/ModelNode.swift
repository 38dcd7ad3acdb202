import DeviceLists

@testable import ListExchange

/// A node: what is on its disk, what is in its memory, and how it treats what comes. The values
/// decide; the model only does as they say.
struct ModelNode {
  struct Held: Hashable {
    let after: Position
    let upTo: Position
  }

  /// What outlives a kill.
  struct Disk {
    var list: ModelList?
    var head: ListHead?
    var brake = Brake(limit: Brake.Limit(least: 15, listShare: 0))
    var held: [Subject: Held] = [:]
    var parameters = ParametersState(inForce: ExchangeParameters(version: 1))
  }

  /// What became of an offer.
  enum Outcome {
    case applied, ignored
    case next(FeedFollower.Action)
    case failed
    case killed
  }

  let feed: Feed
  private(set) var disk = Disk()
  private(set) var follower: FeedFollower
  private(set) var isUp = true
  /// Counts restarts: what was begun before one is forgotten.
  private(set) var life = 0
  var announcedVersion = 0
  var heardAt: Instant
  var pausesUntil: Instant
  var question: Int?
  var errand: Int?

  init(feed: Feed, asOf now: Instant) {
    self.feed = feed
    follower = FeedFollower(feed: feed)
    heardAt = now
    pausesUntil = now
  }

  var standing: Standing? { disk.head.map { Standing($0) } }

  mutating func kill() {
    isUp = false
    question = nil
    errand = nil
  }

  mutating func start(asOf now: Instant) {
    isUp = true
    life += 1
    announcedVersion = 0
    heardAt = now
    pausesUntil = now
    follower = FeedFollower(feed: feed, registry: ModelRegistry.name, head: disk.head)
    releaseWhatIsNotBlack()
  }

  /// One write: it is done, or meets a fault and then counts only as far as it is on disk.
  private mutating func write(_ fault: WriteFault?, _ change: (inout Disk) -> Void) -> Outcome? {
    if fault?.isStored ?? true { change(&disk) }
    guard let fault else { return nil }
    if fault.isKill {
      kill()
      return .killed
    }
    follower = FeedFollower(feed: feed, registry: ModelRegistry.name, head: disk.head)
    return .failed
  }
}

// MARK: - Lists

extension ModelNode {
  mutating func announced(_ epoch: Epoch) { follower.announced(epoch) }

  /// A delta has come, asked for or not.
  mutating func take(
    _ delta: ReceivedDelta, asOf now: Instant, _ digests: EntryDigests, fault: () -> WriteFault?
  ) -> Outcome {
    switch follower.offered(delta.checkpoint) {
    case .apply(let positions):
      let changes = delta.changes.filter { positions.contains($0.position) }
      return apply(changes, delta.checkpoint, asOf: now, digests, fault)
    case .confirm: return apply([], delta.checkpoint, asOf: now, digests, fault)
    case .ignore: return .ignored
    case .changeEpoch(let epoch):
      announced(epoch)
      return take(delta, asOf: now, digests, fault: fault)
    case let other: return .next(other)
    }
  }

  private mutating func apply(
    _ changes: [Change], _ checkpoint: Checkpoint, asOf now: Instant, _ digests: EntryDigests,
    _ fault: () -> WriteFault?
  ) -> Outcome {
    guard let list = disk.list else { return .next(.takeSnapshot(.noList)) }
    var changed = list
    for change in changes { changed.apply(change, digests) }
    let action = follower.compared(changed.digest, with: checkpoint)
    guard action == .confirm else { return .next(action) }
    let marks = checkpoint.massMarks
    let blacks = Brake.blacks(madeBy: changes) { list.listed($0, feed) }
    let counted = Brake.unexplained(blacks, by: marks)
    if let failure = brake(counted.mapValues { Held(at: $0) }, counted.count, asOf: now, fault) {
      return failure
    }
    if let failure = reach(changed, checkpoint, asOf: now, fault) { return failure }
    release(marks)
    return .applied
  }

  /// Counts, and holds where it must: on disk before the list moves on.
  private mutating func brake(
    _ blacks: [Subject: Held], _ count: Int, asOf now: Instant, _ fault: () -> WriteFault?
  ) -> Outcome? {
    guard count > 0 else { return nil }
    let isHeld = disk.brake.decide(added: count, listEntries: 0, asOf: now) == .hold
    return write(fault()) { disk in
      disk.brake.applied(added: count, asOf: now)
      if isHeld { disk.held.merge(blacks) { former, _ in former } }
    }
  }

  private mutating func reach(
    _ list: ModelList, _ checkpoint: Checkpoint, asOf now: Instant, _ fault: () -> WriteFault?
  ) -> Outcome? {
    var checkpoint = checkpoint
    checkpoint.issuedAt = min(checkpoint.issuedAt, now)
    var reached = follower
    reached.reached(checkpoint)
    let failure = write(fault()) { disk in
      if disk.head?.epoch != checkpoint.epoch {
        disk.held = disk.held.mapValues { _ in .unknown }
      }
      disk.list = list
      disk.head = reached.head
    }
    if failure == nil { follower = reached }
    return failure
  }

  /// A snapshot has come, asked for or not.
  mutating func take(
    _ snapshot: ModelSnapshot, asOf now: Instant, _ digests: EntryDigests,
    fault: () -> WriteFault?
  ) -> Outcome {
    let checkpoint = snapshot.checkpoint
    guard snapshot.list.digest == checkpoint.digest else { return .failed }
    let action = follower.snapshotOffered(checkpoint)
    guard action == .install else { return .next(action) }
    let marks = checkpoint.massMarks
    if let list = disk.list, let head = disk.head {
      let span = Held(after: head.position, upTo: checkpoint.position)
      let subjects = Set(snapshot.list.entries.keys.map(\.subject)).filter {
        snapshot.list.isBlack($0, feed) && !list.isBlack($0, feed)
      }
      let counted = Brake.unexplained(
        subjects.count, by: marks, after: head.position, upTo: checkpoint.position)
      let blacks = Dictionary(uniqueKeysWithValues: subjects.map { ($0, span) })
      if let failure = brake(blacks, counted, asOf: now, fault) { return failure }
    }
    if let failure = reach(snapshot.list, checkpoint, asOf: now, fault) { return failure }
    release(marks)
    return .applied
  }

  private mutating func release(_ marks: [MassMark]) {
    let explained = disk.held.filter { _, span in
      Brake.explains(marks, after: span.after, upTo: span.upTo)
    }
    disk.brake.excused(explained.count)
    for subject in explained.keys { disk.held[subject] = nil }
    releaseWhatIsNotBlack()
  }

  private mutating func releaseWhatIsNotBlack() {
    guard let list = disk.list else { return }
    disk.held = disk.held.filter { subject, _ in list.isBlack(subject, feed) }
  }
}

// MARK: - Broadcasts, parameters

extension ModelNode {
  /// The answer to a broadcast that was dealt with.
  func answer(to outcome: Outcome, state: BroadcastResponse.State) -> ModelNodeReply? {
    switch outcome {
    case .applied, .ignored:
      return .response(BroadcastResponse(state: state, standing: standing, held: disk.held.count))
    case .next(.goOn(let error)): return .problem(ExchangeProblem(error))
    case .next: return .problem(ExchangeProblem(standing: standing))
    case .failed: return .problem(ExchangeProblem(ExchangeError(.unavailable)))
    case .killed: return nil
    }
  }

  mutating func refused(_ problem: ExchangeProblem) -> FeedFollower.Action {
    follower.refused(problem)
  }

  /// Returns what is to be asked of the registry.
  mutating func stepParameters(fault: () -> WriteFault?) -> ParametersState.Step {
    let step = disk.parameters.next(
      announced: announcedVersion, at: disk.head?.position ?? .start)
    if case .adopt(let parameters) = step {
      _ = write(fault()) { $0.parameters.adopted(parameters) }
    }
    return step
  }

  mutating func told(_ answer: ParametersAnswer, fault: () -> WriteFault?) {
    _ = write(fault()) { $0.parameters.told(answer) }
  }

  mutating func confirmed(_ version: Int, fault: () -> WriteFault?) {
    _ = write(fault()) { $0.parameters.confirmed(version) }
  }
}

extension ModelNode.Held {
  static let unknown = ModelNode.Held(after: .start, upTo: .last)

  init(at position: Position) {
    self.init(after: Position(position.number - 1), upTo: position)
  }
}
