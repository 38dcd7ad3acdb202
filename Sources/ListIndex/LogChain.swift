internal import DeviceLists

/// The logs from that of an index file on. A later one is there where the index file that it
/// belongs to was refused: it goes on where the log before it ends, once what it has of that log's
/// end is left out.
struct LogChain {
  private struct Link {
    var log: ChangeLog
    var records: [ChangeLog.PlacedRecord]
    let byteCount: Int
    /// What a file without the records ends at.
    let start: Int

    var end: Int { records.last?.end ?? start }
  }

  let directory: String
  let content: IndexContent
  private(set) var notices: [ListIndex.Notice] = []
  private var links: [Link] = []
  /// Whether a record that does not fit is the log's fault for certain.
  private var trustsIndex: Bool

  init(directory: String, content: IndexContent, trustsIndex: Bool) {
    self.directory = directory
    self.content = content
    self.trustsIndex = trustsIndex
  }

  /// The log that what comes next is added to.
  var log: ChangeLog? { links.last?.log }

  /// A log that adds nothing is removed: it was begun and its index file never came, or it does not
  /// fit what is there.
  mutating func replay(
    on snapshot: ListSnapshot, of generation: UInt64, later: [UInt64]
  ) throws(ListIndexError) -> ListSnapshot {
    links = [try first(generation)]
    for generation in later { try addLink(generation) }
    let after: ListSnapshot
    do throws(ListIndexError) {
      after = try replay(on: snapshot)
    } catch {
      for link in links { link.log.close() }
      throw error
    }
    while links.count > 1, links.last?.records.isEmpty == true { dropLast() }
    for link in links.dropLast() { link.log.close() }
    try endLast()
    return after
  }

  private mutating func first(_ generation: UInt64) throws(ListIndexError) -> Link {
    let path = GenerationFiles(directory, generation).log
    do throws(ListIndexError) {
      if FileSystem.exists(path) { return try opened(path, generation, isLater: false) }
      notices.append(.logMissing)
    } catch {
      guard Self.isDamage(error) else { throw error }
      notices.append(.damagedLog(error))
    }
    let log = try ChangeLog(creating: path, generation: generation)
    return Link(log: log, records: [], byteCount: log.end, start: log.end)
  }

  private mutating func addLink(_ generation: UInt64) throws(ListIndexError) {
    let path = GenerationFiles(directory, generation).log
    do throws(ListIndexError) {
      links.append(try opened(path, generation, isLater: true))
    } catch {
      // What a crash left of a log that was never used is no damage worth telling of.
      guard Self.isDamage(error) else { throw error }
      FileSystem.removeIfPossible(path)
    }
  }

  /// An empty file is no log either.
  private static func isDamage(_ error: ListIndexError) -> Bool {
    switch error.code {
    case .damaged, .notAnIndex: true
    default: false
    }
  }

  private func opened(
    _ path: String, _ generation: UInt64, isLater: Bool
  ) throws(ListIndexError) -> Link {
    var records: [ChangeLog.PlacedRecord] = []
    var byteCount = 0
    let log = try ChangeLog(
      opening: path, generation: generation, content: content, records: &records,
      byteCount: &byteCount)
    var start = ChangeLog.headerByteCount
    if isLater {
      start += log.carriedByteCount
      records.removeAll { $0.end <= start }
    }
    return Link(log: log, records: records, byteCount: byteCount, start: start)
  }

  private mutating func dropLast() {
    guard let link = links.popLast() else { return }
    link.log.close()
    FileSystem.removeIfPossible(link.log.path)
  }

  /// Shortens the records to those that fit.
  private mutating func replay(
    on snapshot: ListSnapshot
  ) throws(ListIndexError) -> ListSnapshot {
    var replay = Replay(snapshot)
    for (number, link) in links.enumerated() {
      for (place, item) in link.records.enumerated() {
        do throws(ListIndexError) {
          try replay.apply(item.record)
        } catch {
          try blame(snapshot.index, for: error)
          notices.append(.damagedLog(error))
          while links.count > number + 1 { dropLast() }
          links[number].records.removeSubrange(place...)
          return try self.replay(on: snapshot)
        }
      }
    }
    return try replay.finish()
  }

  /// A whole record whose digest does not come out: the entries that it changes may not be what
  /// they were. Throws `wrongHash` then, before anything of the log is given up.
  private mutating func blame(
    _ index: MappedIndex, for error: ListIndexError
  ) throws(ListIndexError) {
    guard case .otherDigest = error.code, !trustsIndex else { return }
    try FileCheck(of: index, path: index.path).run()
    trustsIndex = true
  }

  private mutating func endLast() throws(ListIndexError) {
    guard let last = links.indices.last else { return }
    let (end, byteCount) = (links[last].end, links[last].byteCount)
    if byteCount > end { notices.append(.tornTail(byteCount: byteCount - end)) }
    if byteCount > end || links[last].log.end != end {
      try links[last].log.truncate(to: end)
    }
  }
}
