package import DeviceLists
package import ListExchange
package import ListIndex
import Synchronization

/// The node's list: takes what the registry says, puts it on disk, then lets it be seen.
///
/// Everything that changes goes through one lock and may wait for the disk, so it is called from
/// threads that may wait. Answers read ``current`` and never wait.
package final class ListKeeper: Sendable {
  /// What became of something that the registry sent.
  package enum Progress: Hashable, Sendable {
    case applied(changes: Int, held: Int)
    case confirmed
    case installed(Position)
    /// A snapshot that would make too many devices black waits for a person.
    case heldWhole
    /// Nothing was done; this is what it calls for.
    case next(FeedFollower.Action)
  }

  struct State {
    var follower: FeedFollower
    var brake: Brake
    var heldSnapshot: Checkpoint?
  }

  /// What people and programs look at without waiting for the disk.
  private struct Shown: Sendable {
    var brake: Brake
    var heldSnapshot: Checkpoint?
  }

  let index: ListIndex
  let directory: String
  private let state: Mutex<State>
  private let shown: Mutex<Shown>
  let brakeFile: BrakeFile

  /// Opens the directory, which no other process may then use.
  package init(
    directory: String, registry: RegistryName, feed: Feed, brakeLimit: Brake.Limit
  ) throws(NodeError) {
    do throws(ListIndexError) {
      index = try ListIndex(directory: directory, registry: registry, content: .feed(feed))
    } catch {
      throw NodeError(error)
    }
    self.directory = directory
    brakeFile = BrakeFile(path: directory + "/brake")
    let brake = try brakeFile.read(limit: brakeLimit)
    state = Mutex(
      State(
        follower: FeedFollower(feed: feed, registry: registry, head: index.current?.head),
        brake: brake))
    shown = Mutex(Shown(brake: brake))
    try change { (state) throws(NodeError) in
      try releaseWhatIsNoLongerBlack()
      state.heldSnapshot = checkpointOfHeldSnapshot()
    }
  }

  package var current: ListSnapshot? { index.current }
  package var notices: [String] { index.notices.map(\.description) }
  package var heldSnapshot: Checkpoint? { shown.withLock { $0.heldSnapshot } }

  /// What the brake counts and where it would hold.
  package func brakeState(asOf now: Instant) -> (added: Int, limit: Int) {
    let brake = shown.withLock { $0.brake }
    return (brake.added(asOf: now), brake.limit.count(listEntries: entryCount))
  }

  /// Changes what is kept, one at a time, and shows what became of it.
  func change<Value>(
    _ body: (inout State) throws(NodeError) -> Value
  ) throws(NodeError) -> Value {
    try state.withLock { (state) throws(NodeError) in
      defer {
        let now = Shown(brake: state.brake, heldSnapshot: state.heldSnapshot)
        shown.withLock { $0 = now }
      }
      return try body(&state)
    }
  }

  /// What to do when nothing has come.
  package var next: FeedFollower.Action { state.withLock { $0.follower.next } }

  package func refused(_ problem: ExchangeProblem) -> FeedFollower.Action {
    state.withLock { $0.follower.refused(problem) }
  }

  package func announced(_ epoch: Epoch) {
    state.withLock { $0.follower.announced(epoch) }
  }

  /// Applies a delta whole or not at all.
  package func take(
    _ delta: ReceivedDelta, asOf now: Instant
  ) throws(NodeError) -> Progress {
    try change { (state) throws(NodeError) in
      var checkpoint = delta.checkpoint
      // A registry whose clock is fast must not make a list that never ages.
      checkpoint.issuedAt = min(checkpoint.issuedAt, now)
      switch state.follower.offered(delta.checkpoint) {
      case .confirm:
        guard let head = index.current?.head else { return .next(.takeSnapshot(.noList)) }
        if checkpoint.epoch == head.epoch, checkpoint.issuedAt <= head.issuedAt {
          return .confirmed
        }
        try apply([], upTo: checkpoint, &state)
        return .confirmed
      case .apply(let positions):
        let changes = delta.changes.filter { positions.contains($0.position) }
        return try apply(changes, braking: checkpoint, &state, asOf: now)
      case let other: return .next(other)
      }
    }
  }

  /// Writes a new index file when the changes since the last have become many.
  package func compactIfNeeded() throws(NodeError) {
    guard index.needsCompaction else { return }
    do throws(ListIndexError) {
      try index.compact()
    } catch {
      if case .compacting = error.code { return }
      if case .superseded = error.code { return }
      throw NodeError(error)
    }
  }

  var entryCount: Int { Int(clamping: index.current?.counts.total ?? 0) }

  private func apply(
    _ changes: [Change], braking checkpoint: Checkpoint, _ state: inout State, asOf now: Instant
  ) throws(NodeError) -> Progress {
    guard let current = index.current else { return .next(.takeSnapshot(.noList)) }
    let digest = try self.digest(of: current, after: changes)
    let action = state.follower.compared(digest, with: checkpoint)
    guard action == .confirm else { return .next(action) }
    let blacks = Brake.blacks(madeBy: changes) { current.listed($0) ?? ListedClass() }
    let isHeld =
      state.brake.decide(added: blacks.count, listEntries: entryCount, asOf: now) == .hold
    var brake = state.brake
    brake.applied(added: blacks.count, asOf: now)
    if brake != state.brake { try brakeFile.write(brake) }
    if isHeld { try hold(blacks.keys) }
    try apply(changes, upTo: checkpoint, &state)
    state.brake = brake
    try releaseWhatIsNoLongerBlack(among: changes.map(\.subject))
    return .applied(changes: changes.count, held: isHeld ? blacks.count : 0)
  }

  private func digest(
    of list: ListSnapshot, after changes: [Change]
  ) throws(NodeError) -> ListDigest {
    do throws(ListIndexError) {
      return try list.digests(after: changes).sum
    } catch {
      throw NodeError(error)
    }
  }

  private func hold(_ subjects: some Sequence<Subject>) throws(NodeError) {
    do throws(ListIndexError) {
      try index.hold(subjects)
    } catch {
      throw NodeError(error)
    }
  }

  private func apply(
    _ changes: [Change], upTo checkpoint: Checkpoint, _ state: inout State
  ) throws(NodeError) {
    guard let current = index.current?.head else { return }
    do throws(ListIndexError) {
      if checkpoint.epoch != current.epoch {
        try index.adopt(
          checkpoint.epoch, digest: current.digest, issuedAt: checkpoint.issuedAt)
      }
      try index.apply(
        Delta(
          epoch: checkpoint.epoch, after: current.position, upTo: checkpoint.position,
          issuedAt: max(checkpoint.issuedAt, current.issuedAt), digest: checkpoint.digest,
          changes: changes))
      state.follower.reached(checkpoint)
    } catch {
      // Whatever is on disk by now is what counts.
      state.follower = FeedFollower(
        feed: state.follower.feed, registry: state.follower.registry, head: index.current?.head)
      throw NodeError(error)
    }
  }

  /// A held subject that the registry has meanwhile taken off the black list needs no holding.
  ///
  /// - Parameter changed: nil to look at everything that is held.
  func releaseWhatIsNoLongerBlack(among changed: [Subject]? = nil) throws(NodeError) {
    guard let current = index.current else { return }
    let held = current.held
    guard !held.isEmpty else { return }
    let candidates = changed?.filter { held[$0] != nil } ?? Array(held.keys)
    let released = candidates.filter { current.listed($0)?.effective?.status != .black }
    guard !released.isEmpty else { return }
    do throws(ListIndexError) {
      try index.unhold(released)
    } catch {
      throw NodeError(error)
    }
  }
}
