package import DeviceLists
import Glibc
import ListExchange
package import Logging
package import RegistryStore

/// Keeps the snapshots of each operator that are being read or may be asked for again. Nodes of one
/// operator share a cut, so that neither memory nor disk grows with their number.
package actor SnapshotShelf {
  /// Cuts of one operator that stay readable by name, for those who resume.
  static let mostCuts = 3
  /// How long a cut can still be resumed after it was last asked for.
  static let resumableSeconds: Int64 = 900
  /// A cut this young is sent again, unless the node is ahead of it or would need another one from
  /// there: so the nodes of an operator, however many begin, do not push out what one of them is
  /// still taking.
  static let reuseSeconds = resumableSeconds / Int64(mostCuts)

  private struct KeptCut {
    let cut: SnapshotCut
    var askedAt: Instant
  }

  private let store: RegistryStore
  private let lists: RegistryLists
  private let signer: RegistrySigner
  private let directory: String
  private let logger: Logger
  /// The newest last.
  private var cuts: [Feed: [KeptCut]] = [:]
  private var cutting: [Feed: Task<SnapshotCut, any Error>] = [:]

  package init(
    store: RegistryStore, lists: RegistryLists, signer: RegistrySigner, directory: String,
    logger: Logger
  ) {
    self.store = store
    self.lists = lists
    self.signer = signer
    self.directory = directory
    self.logger = logger
  }

  /// Removes what an earlier process has left.
  package nonisolated func clear() throws {
    guard let stream = opendir(directory) else {
      throw FileError("The directory \(directory) cannot be read.")
    }
    defer { closedir(stream) }
    while let item = readdir(stream) {
      let name = withUnsafeBytes(of: item.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name.hasSuffix(".idx") || name.hasSuffix(".part") else { continue }
      guard unlink("\(directory)/\(name)") == 0 else {
        throw FileError("The old snapshot \(name) cannot be removed.")
      }
    }
  }

  /// A young cut at `position` or later; throws where the lists have not come so far.
  package func cut(
    of feed: Feed, number: ScopeNumber, notBelow position: Position, asOf now: Instant
  ) async throws -> SnapshotCut {
    guard let current = lists.feed(of: number), current.head.position >= position else {
      throw ExchangeError(.unavailable, "The registry's lists are being read: try again.")
    }
    if let newest = cuts[feed]?.last?.cut, newest.checkpoint.epoch == current.head.epoch,
      newest.checkpoint.position >= position,
      now.seconds(since: newest.checkpoint.issuedAt) < Self.reuseSeconds,
      try await lists.cheaperWay(
        of: number, after: newest.checkpoint.position, upTo: current.head.position) == .delta
    {
      return asked(newest, feed: feed, asOf: now)
    }
    if let cutting = cutting[feed] {
      let cut = try await cutting.value
      if cut.checkpoint.position >= position { return cut }
    }
    return try await fresh(current, feed: feed, asOf: now)
  }

  /// The cut that was sent under this tag, as long as it is kept.
  package func cut(of feed: Feed, tag: String, asOf now: Instant) -> SnapshotCut? {
    cuts[feed]?.last { $0.cut.tag == tag }.map { asked($0.cut, feed: feed, asOf: now) }
  }

  private func asked(_ cut: SnapshotCut, feed: Feed, asOf now: Instant) -> SnapshotCut {
    if let place = cuts[feed]?.firstIndex(where: { $0.cut === cut }) {
      cuts[feed]?[place].askedAt = now
    }
    return cut
  }

  private func fresh(
    _ current: FeedLists, feed: Feed, asOf now: Instant
  ) async throws -> SnapshotCut {
    let signer = try signer.current
    let task = Task.detached { [store, lists, directory] in
      let marks = try await store.read {
        try await $0.massMarks(youngerThan: DeltaSource.markSeconds).map(MassMark.init)
      }
      return try await lists.blocking {
        try SnapshotCut(
          of: current, feed: feed, massMarks: marks, asOf: now, signer: signer, in: directory)
      }
    }
    cutting[feed] = task
    defer { if cutting[feed] == task { cutting[feed] = nil } }
    let cut = try await task.value
    put(cut, feed: feed, asOf: now)
    return cut
  }

  /// Makes room: whatever nobody has asked for in a long time goes, then what was asked for first.
  private func put(_ cut: SnapshotCut, feed: Feed, asOf now: Instant) {
    var kept = cuts[feed, default: []]
    while let place = kept.indices.min(by: { kept[$0].askedAt < kept[$1].askedAt }),
      kept.count >= Self.mostCuts
        || now.seconds(since: kept[place].askedAt) > Self.resumableSeconds
    {
      do {
        try kept.remove(at: place).cut.unlist()
      } catch {
        logger.warning("An old snapshot stays.", metadata: ["error": "\(error)"])
      }
    }
    kept.append(KeptCut(cut: cut, askedAt: now))
    cuts[feed] = kept
  }
}
