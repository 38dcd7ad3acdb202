package import DeviceLists
package import ListExchange
import ListIndex
import Synchronization

extension ListKeeper {
  /// Where a snapshot that was asked for is written while it arrives. It outlives a restart, so
  /// that it can be gone on with.
  package var partPath: String { directory + "/snapshot.partial" }

  /// Where a snapshot that is handed over is written. One that a crash leaves behind is removed
  /// when the directory is opened again: nobody goes on with it.
  func broadcastPath() -> String {
    let number = broadcastCount.add(1, ordering: .relaxed).newValue
    return "\(directory)/broadcast-\(number).part"
  }

  /// The checkpoint in the trailer of a snapshot, of which nothing is believed yet.
  package static func signedCheckpoint(
    ofFile path: String
  ) throws(NodeError) -> SignedCheckpoint {
    let summary = try kept { () throws(ListIndexError) in
      try IndexFileSummary(path: path, verify: false)
    }
    do throws(ExchangeError) {
      return try SignedCheckpoint(json: summary.trailer)
    } catch {
      // A snapshot has no lines: one whose checkpoint cannot be read is damaged as a whole.
      guard error.code == .malformed else { throw NodeError(error) }
      throw NodeError(
        ExchangeError(.contentDiffers, "the checkpoint in the snapshot cannot be read"))
    }
  }

  /// Replaces the list by a snapshot, which is moved away from `path`, if it leads forward.
  ///
  /// - Parameter checkpoint: of its trailer, with a signature that was proved.
  package func install(
    snapshot path: String, provenBy checkpoint: Checkpoint, asOf now: Instant
  ) throws(NodeError) -> Progress {
    let summary = try Self.kept { () throws(ListIndexError) in
      try IndexFileSummary(path: path, verify: true)
    }
    guard ContentHash(bytes: summary.sha256) == checkpoint.contentHash else {
      throw NodeError(ExchangeError(.contentDiffers))
    }
    return try install(summary, path, checkpoint, asOf: now)
  }

  /// The same for a list that was made here from something else that `checkpoint` vouches for.
  package func install(
    indexFile path: String, provenBy checkpoint: Checkpoint, asOf now: Instant
  ) throws(NodeError) -> Progress {
    let summary = try Self.kept { () throws(ListIndexError) in
      try IndexFileSummary(path: path, verify: true)
    }
    return try install(summary, path, checkpoint, asOf: now)
  }

  private func install(
    _ summary: IndexFileSummary, _ path: String, _ checkpoint: Checkpoint, asOf now: Instant
  ) throws(NodeError) -> Progress {
    let head = summary.head
    guard
      head.registry == checkpoint.registry, head.content == .feed(checkpoint.feed),
      head.epoch == checkpoint.epoch, head.position == checkpoint.position,
      head.digests.sum == checkpoint.digest
    else {
      throw NodeError(
        ExchangeError(.contentDiffers, "the snapshot is not what its checkpoint says"))
    }
    return try change { (state) throws(NodeError) in
      let action = state.follower.snapshotOffered(checkpoint)
      guard action == .install else { return .next(action) }
      return try install(path, Self.cautious(checkpoint, asOf: now), &state, asOf: now)
    }
  }

  private func install(
    _ path: String, _ checkpoint: Checkpoint, _ state: inout State, asOf now: Instant
  ) throws(NodeError) -> Progress {
    var brake = state.brake
    var heldCount = 0
    // A node's first list is not counted.
    if let current = index.current {
      if checkpoint.epoch == current.head.epoch {
        try release(by: checkpoint.massMarks, &state)
        brake = state.brake
      }
      // Counted first: they are gathered only where they are to be held, for they can be as many
      // as the list.
      var newBlacks = 0
      try Self.visitBlacks(ofFile: path, newTo: current) { _ in newBlacks += 1 }
      let count = Brake.unexplained(
        newBlacks, by: checkpoint.massMarks, after: current.head.position,
        upTo: checkpoint.position)
      if brake.decide(added: count, listEntries: entryCount, asOf: now) == .hold {
        guard canHold(newBlacks) else { throw tooManyToHold(newBlacks) }
        var blacks: [Subject] = []
        blacks.reserveCapacity(newBlacks)
        try Self.visitBlacks(ofFile: path, newTo: current) { blacks.append($0) }
        try hold(blacks, since: current.head, upTo: checkpoint)
        heldCount = blacks.count
      }
      brake.applied(added: count, asOf: now)
      if brake != state.brake { try brakeFile.write(brake) }
      if checkpoint.epoch != current.head.epoch {
        try Self.kept { () throws(ListIndexError) in try index.forgetHeldSpans() }
      }
    }
    try Self.kept { () throws(ListIndexError) in _ = try index.install(snapshotFile: path) }
    state.brake = brake
    state.follower.reached(checkpoint)
    state.isDamaged = false
    fileReport.withLock { $0.written(asOf: now) }
    try releaseWhatIsNoLongerBlack()
    // Those that count for this snapshot have been seen with it.
    state.seenMarks = Set(checkpoint.massMarks)
    return .installed(checkpoint.position, held: heldCount)
  }

  private func hold(
    _ blacks: [Subject], since head: ListHead, upTo checkpoint: Checkpoint
  ) throws(NodeError) {
    let isForward = head.epoch == checkpoint.epoch && head.position < checkpoint.position
    let span =
      isForward
      ? HeldSpan(after: head.position, upTo: checkpoint.position) : HeldSpan.unknown
    try Self.kept { () throws(ListIndexError) in
      try index.hold(blacks.lazy.map { ($0, span) })
    }
  }

  /// The subjects that the file has black and that are not black now.
  private static func visitBlacks(
    ofFile path: String, newTo current: ListSnapshot, _ body: (Subject) -> Void
  ) throws(NodeError) {
    let snapshot = try kept { () throws(ListIndexError) in
      try ListSnapshot(file: path, verify: false)
    }
    var entries = snapshot.entries()
    while let entry = entries.next() {
      guard entry.listed.effective?.status == .black else { continue }
      if current.listed(entry.subject)?.effective?.status != .black { body(entry.subject) }
    }
  }
}
