package import DeviceLists
internal import Glibc
internal import Synchronization

/// New generations: a list from outside, or the present one written anew.
extension ListIndex {
  /// Replaces the list by a file, which is moved into the directory. The file must be of this
  /// registry and feed or scope and undamaged; whether it may replace the list, older or newer, is
  /// the caller's to judge. Held subjects stay held.
  @discardableResult
  package func install(snapshotFile path: String) throws(ListIndexError) -> ListSnapshot {
    let file = try stage(path)
    let index = try MappedIndex(path: file, verify: true)
    guard index.header.head.registry == registry, index.header.head.content == content else {
      throw ListIndexError(.otherList, path: path)
    }
    let descriptor = try FileSystem.openForReading(file)
    defer { close(descriptor) }
    try FileSystem.synchronize(descriptor, file)
    let snapshot = try writer.withLock { (writer) throws(ListIndexError) in
      let snapshot = try ListSnapshot(index: index, held: current?.heldAnswers)
      try begin(&writer, with: file, tail: [])
      publish(snapshot)
      return snapshot
    }
    if file != path { FileSystem.removeIfPossible(path) }
    return snapshot
  }

  /// A list without entries: where a new registry starts.
  @discardableResult
  package func startEmpty(
    epoch: Epoch, position: Position, issuedAt: Instant
  ) throws(ListIndexError) -> ListSnapshot {
    let head = IndexHead(
      registry: registry, content: content, epoch: epoch, position: position,
      digests: ScopeDigests(), issuedAt: issuedAt)
    let path = directory + "/empty.new"
    _ = try IndexFileWriter(path: path).finish(head: head)
    return try install(snapshotFile: path)
  }

  /// A file of another file system cannot be renamed into the directory: it is copied beside.
  private func stage(_ path: String) throws(ListIndexError) -> String {
    var source = stat()
    var target = stat()
    guard stat(path, &source) == 0 else { throw FileSystem.failure("look at a file", path) }
    guard stat(directory, &target) == 0 else {
      throw FileSystem.failure("look at a directory", directory)
    }
    if source.st_dev == target.st_dev { return path }
    let copy = directory + "/installed.new.part"
    var file = try OutputFile(path: copy, startingAt: 0)
    try MappedFile(path: path).withBytes { (bytes) throws(ListIndexError) in
      try file.append(bytes)
    }
    try file.flush()
    return copy
  }

  /// Begins a generation. A crash before the index file is renamed leaves the old one as it was;
  /// after it, the new one is complete.
  func begin(
    _ writer: inout Writer, with file: String, tail: [UInt8]
  ) throws(ListIndexError) {
    let new = GenerationFiles(directory, writer.generation + 1)
    var log: ChangeLog?
    if keepsLog {
      log = try ChangeLog(creating: new.log, generation: writer.generation + 1, tail: tail)
    }
    do throws(ListIndexError) {
      try FileSystem.synchronize(directory: directory)
      try FileSystem.rename(file, to: new.index)
      try FileSystem.synchronize(directory: directory)
    } catch {
      log?.close()
      FileSystem.removeIfPossible(new.index)
      FileSystem.removeIfPossible(new.log)
      throw error
    }
    writer.log?.close()
    writer.log = log
    writer.generation += 1
    // The one before stays, until this has lasted as long as a generation does.
    let oldest = keepsLog && writer.indexGeneration > 0 ? writer.indexGeneration : writer.generation
    writer.indexGeneration = writer.generation
    GenerationFiles.removeSuperseded(
      in: directory, keepingFrom: oldest, newest: writer.generation)
  }
}
