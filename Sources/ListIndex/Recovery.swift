internal import DeviceLists

/// Finds the newest index file of a directory that is sound and brings it up to the last whole
/// record: of its own log, and of those of later generations, whose index file was refused.
struct Recovery {
  let directory: String
  let registry: RegistryName
  let content: IndexContent
  let keepsLog: Bool

  /// The highest that was ever begun, as far as is seen.
  private(set) var generation: UInt64 = 0
  /// Of the index file that was taken; 0 without one.
  private(set) var indexGeneration: UInt64 = 0
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

  /// At the start.
  mutating func run() throws(ListIndexError) -> ListSnapshot? {
    let names = try FileSystem.names(in: directory)
    for name in names where GenerationFiles.isUnfinished(name) {
      FileSystem.removeIfPossible(directory + "/" + name)
    }
    return try newest(among: names, below: .max, verify: false)
  }

  /// While another process cannot write here: the newest of the generations before one whose file
  /// turned out to be damaged. It is read as a whole, for the next could be no better.
  mutating func run(before generation: UInt64) throws(ListIndexError) -> ListSnapshot? {
    try newest(
      among: FileSystem.names(in: directory), below: generation, verify: true,
      refusing: [generation])
  }

  private mutating func newest(
    among names: [String], below limit: UInt64, verify: Bool, refusing: [UInt64] = []
  ) throws(ListIndexError) -> ListSnapshot? {
    let logs = GenerationFiles.generations(.log, among: names).sorted()
    let indexes = GenerationFiles.generations(.index, among: names).sorted(by: >)
    let set = GenerationFiles.generations(.refused, among: names)
    generation = (logs + indexes + set).max() ?? 0
    var refused = refusing
    var doubtful: UInt64?
    for number in indexes where number < limit {
      guard let index = try sound(number, verify: verify) else {
        refused.append(number)
        continue
      }
      let found = Found(
        index: index, number: number, laterLogs: logs.filter { $0 > number },
        previous: indexes.first { $0 < number })
      do throws(ListIndexError) {
        return try taken(found, refused: refused, isLastResort: false)
      } catch {
        guard error.code == .wrongHash else { throw error }
        notices.append(.refusedIndex(error))
        doubtful = doubtful ?? number
        refused.append(number)
      }
    }
    // Wrong in places is better than nothing, until another comes.
    guard let doubtful, refusing.isEmpty, let index = try sound(doubtful, verify: false) else {
      return nil
    }
    let found = Found(
      index: index, number: doubtful, laterLogs: logs.filter { $0 > doubtful }, previous: nil)
    return try taken(found, refused: [], isLastResort: true)
  }

  private struct Found {
    let index: MappedIndex
    let number: UInt64
    let laterLogs: [UInt64]
    let previous: UInt64?
  }

  /// Nil after a notice why it was refused.
  private mutating func sound(
    _ number: UInt64, verify: Bool
  ) throws(ListIndexError) -> MappedIndex? {
    let path = GenerationFiles(directory, number).index
    do throws(ListIndexError) {
      let index = try MappedIndex(path: path, verify: verify)
      guard index.header.head.registry == registry, index.header.head.content == content else {
        throw ListIndexError(.otherList, path: path)
      }
      return index
    } catch {
      switch error.code {
      case .system, .otherList: throw error
      default: notices.append(.refusedIndex(error))
      }
      return nil
    }
  }

  /// Throws `wrongHash`, and has changed nothing, where the log does not fit because the index file
  /// is damaged.
  private mutating func taken(
    _ found: Found, refused: [UInt64], isLastResort: Bool
  ) throws(ListIndexError) -> ListSnapshot {
    let number = found.number
    var snapshot = try ListSnapshot(index: found.index, held: HeldAnswers())
    if keepsLog {
      var chain = LogChain(directory: directory, content: content, trustsIndex: isLastResort)
      snapshot = try chain.replay(on: snapshot, of: number, later: found.laterLogs)
      notices += chain.notices
      log = chain.log
    }
    indexGeneration = number
    snapshot = try snapshot.with(held: readHeld())
    if !refused.isEmpty { notices.append(.olderIndex(position: snapshot.head.position)) }
    for number in refused {
      let files = GenerationFiles(directory, number)
      if FileSystem.exists(files.index) {
        try FileSystem.rename(files.index, to: files.refused)
      }
    }
    if refused.isEmpty, !isLastResort {
      let oldest = keepsLog ? found.previous ?? number : number
      GenerationFiles.removeSuperseded(in: directory, keepingFrom: oldest, newest: number)
    }
    return snapshot
  }

  private mutating func readHeld() -> HeldAnswers {
    do throws(ListIndexError) {
      let content = try held.read()
      if let notice = content.notice { notices.append(notice) }
      return content.answers
    } catch {
      notices.append(.damagedHeld(error))
      return HeldAnswers()
    }
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
