internal import Synchronization

/// Damage that opening does not see: a start reads the header and the directory of a file only.
extension ListIndex {
  /// The file of a list that turned out to be damaged, while it is answered from.
  package struct DamagedFile: Sendable {
    package let error: ListIndexError
    fileprivate let index: MappedIndex
  }

  /// Reads the file that answers are given from and compares its SHA-256. From any thread, while
  /// answers and changes go on. Nil where it is sound, or there is none.
  ///
  /// - Parameter yielding: whether it is read with the lowest priority.
  package func check(yielding: Bool = false) throws(ListIndexError) -> DamagedFile? {
    let found = try writer.withLock { (writer) throws(ListIndexError) in
      guard let index = current?.index else { return (MappedIndex, FileCheck)?.none }
      return (index, try FileCheck(of: index, path: indexPath(writer)))
    }
    guard let (index, check) = found else { return nil }
    do throws(ListIndexError) {
      try BackgroundThread.run(yielding: yielding) { () throws(ListIndexError) in try check.run() }
      return nil
    } catch {
      guard check.isDamage(error) else { throw error }
      return DamagedFile(error: error, index: index)
    }
  }

  /// Puts the list of the generation before, brought up by its log and those that came after, in
  /// the place of a damaged one. Nil where there is none that is sound: the damaged one, which is
  /// wrong in places only, is then answered from until another is installed.
  package func replace(_ damaged: DamagedFile) throws(ListIndexError) -> [Notice]? {
    try writer.withLock { (writer) throws(ListIndexError) in
      // Something newer has taken its place already.
      guard current?.index === damaged.index else { return [] }
      var recovery = Recovery(
        directory: directory, registry: registry, content: content, keepsLog: keepsLog)
      guard let snapshot = try recovery.run(before: writer.indexGeneration) else { return nil }
      writer.log?.close()
      writer.log = recovery.log
      writer.held = recovery.held
      writer.generation = recovery.generation
      writer.indexGeneration = recovery.indexGeneration
      publish(snapshot)
      return [.refusedIndex(damaged.error)] + recovery.notices
    }
  }

  func indexPath(_ writer: Writer) -> String {
    GenerationFiles(directory, writer.indexGeneration).index
  }
}
