internal import Synchronization

/// The present list written anew.
extension ListIndex {
  /// Writes the list as one new file and drops the part of the log that it holds. From any thread,
  /// while answers and changes go on; changes wait only while the last of them are carried over.
  ///
  /// Throws `superseded` where another list was installed meanwhile, and `wrongHash` where the file
  /// that the list was read from turned out to be damaged: nothing is lost then.
  ///
  /// - Parameter yielding: whether the work is done with the lowest priority.
  package func compact(yielding: Bool = false) throws(ListIndexError) {
    let start = try writer.withLock { (writer) throws(ListIndexError) in
      guard !writer.isCompacting else { throw ListIndexError(.compacting) }
      let snapshot = try snapshot()
      let check = try FileCheck(of: snapshot.index, path: indexPath(writer))
      writer.isCompacting = true
      return (snapshot: snapshot, check: check, tail: writer.log?.tailStart ?? 0)
    }
    let path = directory + "/compacted.new"
    do throws(ListIndexError) {
      try BackgroundThread.run(yielding: yielding) { () throws(ListIndexError) in
        let written = Result { () throws(ListIndexError) in
          try FeedFile.write(start.snapshot, to: path)
        }
        if case .failure(let error) = written, case .system = error.code { throw error }
        // Damage must not be sealed anew, and is the reason where entries are not in order.
        try start.check.run()
        _ = try written.get()
      }
      let index = try MappedIndex(path: path, verify: false)
      try writer.withLock { (writer) throws(ListIndexError) in
        guard current?.index === start.snapshot.index else { throw ListIndexError(.superseded) }
        try finishCompaction(&writer, index, tailStart: start.tail)
      }
    } catch {
      FileSystem.removeIfPossible(path)
      endCompaction()
      throw error
    }
    endCompaction()
  }

  private func finishCompaction(
    _ writer: inout Writer, _ index: MappedIndex, tailStart: Int
  ) throws(ListIndexError) {
    let before = try snapshot()
    var replay = Replay(try ListSnapshot(index: index, held: before.heldAnswers))
    for record in writer.sinceCompaction { try replay.apply(record) }
    let after = try replay.finish()
    guard after.indexHead == before.indexHead, after.counts == before.counts else {
      throw ListIndexError(.damaged("the list written anew differs"), path: index.path)
    }
    let tail = try writer.log?.bytes(from: tailStart) ?? []
    try begin(&writer, with: index.path, tail: tail)
    publish(after)
  }

  private func endCompaction() {
    writer.withLock { writer in
      writer.isCompacting = false
      writer.sinceCompaction = []
    }
  }
}
