package import DeviceLists
package import ListExchange
package import ListIndex
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The node's list: takes what the registry says, puts it on disk, then lets it be seen.
///
/// Everything that changes goes through one lock and may wait for the disk, so it is called from
/// threads that may wait; what a broadcast brings and what the node asked for thus follow one
/// another. Answers read ``current`` and never wait. Who has signed is proved before:
/// ``SignatureProof``.
package final class ListKeeper: Sendable {
  /// What became of something that the registry sent.
  package enum Progress: Hashable, Sendable {
    case applied(changes: Int, held: Int)
    case confirmed
    case installed(Position, held: Int)
    /// Nothing was done; this is what it calls for.
    case next(FeedFollower.Action)
  }

  struct State {
    var follower: FeedFollower
    var brake: Brake
    /// Marks that have released what they explain; looked at again after a restart.
    var seenMarks: Set<MassMark> = []
    /// Whether the file that is answered from is known to be damaged, and there is no other.
    var isDamaged = false
  }

  let index: ListIndex
  let directory: String
  private let state: Mutex<State>
  /// What people and programs look at without waiting for the disk.
  private let shownBrake: Mutex<Brake>
  let brakeFile: BrakeFile
  /// Subjects that the brake may hold.
  let mostHeld: Int
  let broadcastCount = Atomic<Int>(0)
  let fileReport: Mutex<ListFileReport>

  /// Opens the directory, which no other process may then use.
  package init(
    directory: String, registry: RegistryName, feed: Feed, brakeLimit: Brake.Limit,
    mostHeld: Int = HeldAnswers.most
  ) throws(NodeError) {
    self.mostHeld = mostHeld
    index = try Self.kept { () throws(ListIndexError) in
      try ListIndex(directory: directory, registry: registry, content: .feed(feed))
    }
    self.directory = directory
    brakeFile = BrakeFile(path: directory + "/brake")
    let brake = try brakeFile.read(limit: brakeLimit)
    state = Mutex(
      State(
        follower: FeedFollower(feed: feed, registry: registry, head: index.current?.head),
        brake: brake))
    shownBrake = Mutex(brake)
    fileReport = Mutex(ListFileReport(index.notices))
    // Former programs held whole snapshots; what was in this one comes again.
    unlink(directory + "/snapshot.held")
    // Of what an older list does not have yet, nothing can be said.
    if !index.notices.contains(where: \.isOfOlderIndex) { try releaseWhatIsNoLongerBlack() }
  }

  package var current: ListSnapshot? { index.current }
  package var notices: [String] { index.notices.map(\.description) }
  package var heldCount: Int { index.current?.held.count ?? 0 }
  /// Where the list stands; nil where there is none.
  package var standing: Standing? { index.current.map { Standing($0.head) } }

  /// What the brake counts and where it would hold.
  package func brakeState(asOf now: Instant) -> (added: Int, limit: Int) {
    let brake = shownBrake.withLock { $0 }
    return (brake.added(asOf: now), brake.limit.count(listEntries: entryCount))
  }

  /// Holds by another limit from now on; what is held already stays so.
  func limitBrake(to limit: Brake.Limit) throws(NodeError) {
    try change { (state) throws(NodeError) in state.brake.limit = limit }
  }

  /// Changes what is kept, one at a time, and shows what became of it.
  func change<Value>(
    _ body: (inout State) throws(NodeError) -> Value
  ) throws(NodeError) -> Value {
    try state.withLock { (state) throws(NodeError) in
      defer {
        let brake = state.brake
        shownBrake.withLock { $0 = brake }
      }
      return try body(&state)
    }
  }

  /// What to do when nothing has come.
  package var next: FeedFollower.Action {
    state.withLock { $0.isDamaged ? .takeSnapshot(.damaged) : $0.follower.next }
  }

  package func refused(_ problem: ExchangeProblem) -> FeedFollower.Action {
    state.withLock { $0.follower.refused(problem) }
  }

  package func announced(_ epoch: Epoch) {
    state.withLock { $0.follower.announced(epoch) }
  }

  /// Whether a broadcast may begin where the list stands, as far as its checkpoint says.
  func mayApply(_ checkpoint: Checkpoint) -> Bool {
    switch state.withLock({ $0.follower.offered(checkpoint) }) {
    case .apply, .confirm, .ignore, .changeEpoch: true
    default: false
    }
  }

  var entryCount: Int { Int(clamping: index.current?.counts.total ?? 0) }

  /// What the index does, with its errors as the node's.
  static func kept<Value>(
    _ body: () throws(ListIndexError) -> Value
  ) throws(NodeError) -> Value {
    do throws(ListIndexError) {
      return try body()
    } catch {
      throw NodeError(error)
    }
  }
}

// MARK: - Deltas

extension ListKeeper {
  /// Applies a delta whole or not at all.
  package func take(
    _ delta: ReceivedDelta, asOf now: Instant
  ) throws(NodeError) -> Progress {
    try change { (state) throws(NodeError) in
      try take(delta, &state, asOf: now)
    }
  }

  /// As ``take(_:asOf:)``, for what the registry sends on its own. A newer epoch is one to go on
  /// in, if the list is the same there.
  package func takeBroadcast(
    _ delta: ReceivedDelta, asOf now: Instant
  ) throws(NodeError) -> Progress {
    try change { (state) throws(NodeError) in
      let progress = try take(delta, &state, asOf: now)
      guard case .next(.changeEpoch(let epoch)) = progress else { return progress }
      // An old message must not lead back to an epoch that is over.
      guard let head = index.current?.head, delta.checkpoint.issuedAt >= head.issuedAt else {
        return .next(.goOn(ExchangeError(.stale, "issued before the list that is here")))
      }
      state.follower.announced(epoch)
      return try take(delta, &state, asOf: now)
    }
  }

  private func take(
    _ delta: ReceivedDelta, _ state: inout State, asOf now: Instant
  ) throws(NodeError) -> Progress {
    let action = state.follower.offered(delta.checkpoint)
    guard let head = index.current?.head else { return .next(action) }
    switch action {
    case .confirm:
      let checkpoint = Self.cautious(delta.checkpoint, asOf: now)
      if checkpoint.epoch != head.epoch || checkpoint.issuedAt > head.issuedAt {
        try commit([], upTo: checkpoint, after: head, &state)
      }
      try release(by: checkpoint.massMarks, &state)
      return .confirmed
    case .apply(let positions):
      let isWhole = delta.checkpoint.after == head.position
      let changes =
        isWhole ? delta.changes : delta.changes.filter { positions.contains($0.position) }
      let checkpoint = Self.cautious(delta.checkpoint, asOf: now)
      return try apply(changes, braking: checkpoint, after: head, &state, asOf: now)
    default: return .next(action)
    }
  }

  /// A registry whose clock is fast must not make a list that never ages.
  static func cautious(_ checkpoint: Checkpoint, asOf now: Instant) -> Checkpoint {
    var checkpoint = checkpoint
    checkpoint.issuedAt = min(checkpoint.issuedAt, now)
    return checkpoint
  }

  private func apply(
    _ changes: [Change], braking checkpoint: Checkpoint, after head: ListHead,
    _ state: inout State, asOf now: Instant
  ) throws(NodeError) -> Progress {
    let prepared: PreparedDelta
    do throws(ListIndexError) {
      // In the epoch that the list still has: what it adds up to does not depend on it.
      prepared = try index.prepare(
        Self.delta(changes, upTo: checkpoint, after: head, epoch: head.epoch))
    } catch {
      guard case .otherDigest(let computed) = error.code else { throw NodeError(error) }
      return .next(state.follower.compared(computed, with: checkpoint))
    }
    let blacks = Brake.unexplained(prepared.newBlacks, by: checkpoint.massMarks)
    let isHeld =
      state.brake.decide(added: blacks.count, listEntries: entryCount, asOf: now) == .hold
    if isHeld, !canHold(blacks.count) {
      // The registry may have taken it back meanwhile: its newest list says so.
      return .next(.takeSnapshot(.tooManyToHold))
    }
    var brake = state.brake
    brake.applied(added: blacks.count, asOf: now)
    if brake != state.brake { try brakeFile.write(brake) }
    if isHeld {
      try Self.kept { () throws(ListIndexError) in
        try index.hold(blacks.lazy.map { ($0.key, HeldSpan(at: $0.value)) })
      }
    }
    if checkpoint.epoch == head.epoch {
      try Self.kept { () throws(ListIndexError) in _ = try index.commit(prepared) }
      state.follower.reached(checkpoint)
    } else {
      try commit(changes, upTo: checkpoint, after: head, &state)
    }
    state.brake = brake
    try releaseWhatIsNoLongerBlack(among: changes)
    try release(by: checkpoint.massMarks, &state)
    return .applied(changes: changes.count, held: isHeld ? blacks.count : 0)
  }

  private func commit(
    _ changes: [Change], upTo checkpoint: Checkpoint, after head: ListHead, _ state: inout State
  ) throws(NodeError) {
    try Self.kept { () throws(ListIndexError) in
      if checkpoint.epoch != head.epoch {
        try index.adopt(checkpoint.epoch, digest: head.digest, issuedAt: checkpoint.issuedAt)
      }
      try index.apply(
        Self.delta(changes, upTo: checkpoint, after: head, epoch: checkpoint.epoch))
    }
    state.follower.reached(checkpoint)
  }

  private static func delta(
    _ changes: [Change], upTo checkpoint: Checkpoint, after head: ListHead, epoch: Epoch
  ) -> Delta {
    Delta(
      epoch: epoch, after: head.position, upTo: checkpoint.position,
      issuedAt: max(checkpoint.issuedAt, head.issuedAt), digest: checkpoint.digest,
      changes: changes)
  }
}
