internal import DeviceLists

/// Finds the newest generation of a directory and brings it up to its last whole record.
struct Recovery {
  let directory: String
  let registry: RegistryName
  let content: IndexContent
  let keepsLog: Bool

  private(set) var generation: UInt64 = 0
  private(set) var log: ChangeLog?
  private(set) var held: HeldFile
  private(set) var notices: [ListIndex.Notice] = []

  init(directory: String, registry: RegistryName, content: IndexContent, keepsLog: Bool) {
    self.directory = directory
    self.registry = registry
    self.content = content
    self.keepsLog = keepsLog
    held = HeldFile(path: ListIndex.heldPath(directory))
  }

  mutating func run() throws(ListIndexError) -> ListSnapshot? {
    let names = try FileSystem.names(in: directory)
    generation = names.compactMap(GenerationFiles.generation).max() ?? 0
    let files = GenerationFiles(directory, generation)
    for name in names where GenerationFiles.isLeftOver(name, generation) {
      FileSystem.removeIfPossible(directory + "/" + name)
    }
    guard generation > 0 else { return nil }
    do throws(ListIndexError) {
      let index = try MappedIndex(path: files.index, verify: false)
      guard index.header.head.registry == registry, index.header.head.content == content else {
        throw ListIndexError(.otherList, path: files.index)
      }
      let snapshot = try ListSnapshot(index: index, held: readHeld())
      return keepsLog ? try replayed(snapshot, files) : snapshot
    } catch {
      switch error.code {
      case .system, .otherList, .unknownWord: throw error
      default: notices.append(.damagedIndex(error))
      }
      return nil
    }
  }

  private mutating func readHeld() -> HeldAnswers {
    do throws(ListIndexError) {
      let content = try held.read()
      if content.tornByteCount > 0 {
        notices.append(.tornHeld(byteCount: content.tornByteCount))
      }
      return content.answers
    } catch {
      notices.append(.damagedHeld(error))
      return HeldAnswers()
    }
  }

  private mutating func replayed(
    _ snapshot: ListSnapshot, _ files: GenerationFiles
  ) throws(ListIndexError) -> ListSnapshot {
    guard FileSystem.exists(files.log) else {
      notices.append(.logMissing)
      log = try ChangeLog(creating: files.log, generation: generation)
      return snapshot
    }
    var records: [ChangeLog.PlacedRecord] = []
    var byteCount = 0
    do throws(ListIndexError) {
      log = try ChangeLog(
        opening: files.log, generation: generation, content: content, records: &records,
        byteCount: &byteCount)
    } catch {
      guard case .damaged = error.code else { throw error }
      notices.append(.damagedLog(error))
      log = try ChangeLog(creating: files.log, generation: generation)
      return snapshot
    }
    let result = try replay(&records, on: snapshot)
    let end = records.last?.end ?? ChangeLog.headerByteCount
    if byteCount > end { notices.append(.tornTail(byteCount: byteCount - end)) }
    if byteCount > end || log?.end != end { try log?.truncate(to: end) }
    return result
  }

  /// Shortens `records` to those that fit.
  private mutating func replay(
    _ records: inout [ChangeLog.PlacedRecord], on snapshot: ListSnapshot
  ) throws(ListIndexError) -> ListSnapshot {
    var replay = Replay(snapshot)
    for (place, item) in records.enumerated() {
      do throws(ListIndexError) {
        try replay.apply(item.record)
      } catch {
        notices.append(.damagedLog(error))
        records.removeSubrange(place...)
        return try self.replay(&records, on: snapshot)
      }
    }
    return try replay.finish()
  }
}

/// Brings a snapshot forward by records, at the cost of one snapshot.
struct Replay {
  private var head: IndexHead
  private var editor: SnapshotEditor

  init(_ snapshot: ListSnapshot) {
    head = snapshot.indexHead
    editor = SnapshotEditor(snapshot)
  }

  mutating func apply(_ record: LogRecord) throws(ListIndexError) {
    guard record.kind == .epoch || record.epoch == head.epoch else {
      throw ListIndexError(.otherEpoch(current: head.epoch))
    }
    guard record.after == head.position, record.upTo >= record.after else {
      throw ListIndexError(.notNext(current: head.position))
    }
    for change in record.changes { try editor.apply(change) }
    guard editor.digests == record.digests else {
      throw ListIndexError(.otherDigest(computed: editor.digests.sum))
    }
    head.epoch = record.epoch
    head.position = record.upTo
    head.issuedAt = max(head.issuedAt, record.issuedAt)
    head.digests = record.digests
  }

  consuming func finish() throws(ListIndexError) -> ListSnapshot {
    try editor.finish(head: head)
  }
}

/// The names of the files of one generation.
struct GenerationFiles {
  let index: String
  let log: String

  init(_ directory: String, _ generation: UInt64) {
    index = "\(directory)/\(generation).index"
    log = "\(directory)/\(generation).log"
  }

  static func generation(_ name: String) -> UInt64? {
    name.hasSuffix(".index") ? UInt64(name.dropLast(6)) : nil
  }

  /// Of another generation, or unfinished.
  static func isLeftOver(_ name: String, _ generation: UInt64) -> Bool {
    if name.hasSuffix(".part") || name.hasSuffix(".new") { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1] == "index" || parts[1] == "log" else { return false }
    // Somebody may keep another log beside the list.
    guard let number = UInt64(parts[0]) else { return false }
    return number != generation
  }
}
