package import DeviceLists
import ListExchange
import ListIndex

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension ListKeeper {
  /// Where a snapshot is written while it arrives.
  package var partPath: String { directory + "/snapshot.part" }
  private var heldPath: String { directory + "/snapshot.held" }

  /// What is left of a snapshot that did not come whole or is not wanted.
  package func discardPart() { unlink(partPath) }

  /// Replaces the list by the file at ``partPath``, if that may be believed, leads forward, and
  /// does not make too many devices black.
  package func installPart(asOf now: Instant) throws(NodeError) -> Progress {
    try change { (state) throws(NodeError) in
      let checkpoint = try Self.checkpoint(ofFile: partPath)
      let action = state.follower.snapshotOffered(checkpoint)
      guard action == .install else { return .next(action) }
      var brake = state.brake
      if let current = index.current {
        let limit = brake.limit.count(listEntries: entryCount)
        let added = try Self.blacks(ofFile: partPath, newTo: current, upTo: limit + 1)
        if brake.decide(added: added, listEntries: entryCount, asOf: now) == .hold {
          guard rename(partPath, heldPath) == 0 else { throw .system("rename", path: partPath) }
          state.heldSnapshot = checkpoint
          return .heldWhole
        }
        brake.applied(added: added, asOf: now)
        if brake != state.brake { try brakeFile.write(brake) }
      }
      try install(partPath, checkpoint, &state)
      state.brake = brake
      return .installed(checkpoint.position)
    }
  }

  /// A person has looked: what was held takes effect, and counting starts anew.
  package func accept() throws(NodeError) -> Acceptance {
    try change { (state) throws(NodeError) in
      guard index.current != nil else { return Acceptance(subjects: 0) }
      let heldCount = index.current?.held.count ?? 0
      state.brake.accepted()
      try brakeFile.write(state.brake)
      do throws(ListIndexError) {
        try index.acceptHeld()
      } catch {
        throw NodeError(error)
      }
      guard let checkpoint = state.heldSnapshot else { return Acceptance(subjects: heldCount) }
      guard state.follower.snapshotOffered(checkpoint) == .install else {
        state.heldSnapshot = nil
        unlink(heldPath)
        return Acceptance(subjects: heldCount)
      }
      try install(heldPath, checkpoint, &state)
      return Acceptance(subjects: heldCount, snapshot: checkpoint.position)
    }
  }

  /// What an acceptance has set free.
  package struct Acceptance: Hashable, Sendable {
    package var subjects: Int
    package var snapshot: Position?
  }

  private func install(
    _ path: String, _ checkpoint: Checkpoint, _ state: inout State
  ) throws(NodeError) {
    do throws(ListIndexError) {
      try index.install(snapshotFile: path)
    } catch {
      throw NodeError(error)
    }
    state.follower.reached(checkpoint)
    state.heldSnapshot = nil
    unlink(heldPath)
    try releaseWhatIsNoLongerBlack()
  }

  func checkpointOfHeldSnapshot() -> Checkpoint? {
    guard access(heldPath, F_OK) == 0 else { return nil }
    do throws(NodeError) {
      return try Self.checkpoint(ofFile: heldPath)
    } catch {
      // A file that cannot be believed is no use: the next snapshot takes its place.
      unlink(heldPath)
      return nil
    }
  }

  /// The checkpoint in the file's trailer, which must say what the file says.
  private static func checkpoint(ofFile path: String) throws(NodeError) -> Checkpoint {
    let summary: IndexFileSummary
    do throws(ListIndexError) {
      summary = try IndexFileSummary(path: path, verify: true)
    } catch {
      throw NodeError(error)
    }
    do throws(ExchangeError) {
      let checkpoint = try Checkpoint(json: summary.trailer)
      let head = summary.head
      guard
        head.registry == checkpoint.registry, head.content == .feed(checkpoint.feed),
        head.epoch == checkpoint.epoch, head.position == checkpoint.position,
        head.digests.sum == checkpoint.digest,
        ContentHash(bytes: summary.sha256) == checkpoint.contentHash
      else { throw ExchangeError(.contentDiffers, "the snapshot is not what its checkpoint says") }
      return checkpoint
    } catch {
      throw NodeError(error)
    }
  }

  /// How many subjects the file has black that are not black now; counts no further than `limit`.
  private static func blacks(
    ofFile path: String, newTo current: ListSnapshot, upTo limit: Int
  ) throws(NodeError) -> Int {
    let snapshot: ListSnapshot
    do throws(ListIndexError) {
      snapshot = try ListSnapshot(file: path, verify: false)
    } catch {
      throw NodeError(error)
    }
    var count = 0
    var entries = snapshot.entries()
    while count < limit, let entry = entries.next() {
      guard entry.listed.effective?.status == .black else { continue }
      if current.listed(entry.subject)?.effective?.status != .black { count += 1 }
    }
    return count
  }
}
