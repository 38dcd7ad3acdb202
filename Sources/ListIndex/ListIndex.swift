package import DeviceLists
internal import Glibc
internal import Synchronization

/// A list that is kept on disk: one directory, one writing process, readers on any thread.
///
/// A directory holds pairs of files, `<generation>.index` and `<generation>.log`, of which the
/// newest counts. A new generation begins when its index file is renamed into place, which is the
/// last step of making it: the log beside it is complete by then. The generation before is kept
/// until the next begins: where the newest index file is refused, it and its log give the list as
/// it was when the newest began, and the newest log what came after.
package final class ListIndex: Sendable {
  /// What opening had to leave out.
  package enum Notice: Hashable, Sendable {
    /// The last record was cut off by a crash: it had not been acknowledged.
    case tornTail(byteCount: Int)
    case logMissing
    case damagedLog(ListIndexError)
    case refusedIndex(ListIndexError)
    /// The file of a former generation took the place of those that were refused.
    case olderIndex(position: Position)
    case damagedHeld(ListIndexError)
    case tornHeld(byteCount: Int)
    case heldFromCopy
  }

  struct Writer: Sendable {
    /// The highest that was begun.
    var generation: UInt64
    /// Of the index file that is in use; 0 without one.
    var indexGeneration: UInt64
    var log: ChangeLog?
    var held: HeldFile
    var isCompacting = false
    /// What was applied since the compaction that is under way began.
    var sinceCompaction: [LogRecord] = []
  }

  static let leastOverlayToCompact = 100_000
  static let leastLogToCompactByteCount = 64 << 20

  package let directory: String
  package let registry: RegistryName
  package let content: IndexContent
  package let keepsLog: Bool
  package let notices: [Notice]

  private let lockDescriptor: Int32
  /// Held for as long as it takes to count one reference.
  private let published: Mutex<ListSnapshot?>
  let writer: Mutex<Writer>

  /// - Parameter keepsLog: false where another journal, such as the registry's database, has the
  ///   changes: then only whole files are kept here, and opening gives the last of them.
  package init(
    directory: String, registry: RegistryName, content: IndexContent, keepsLog: Bool = true
  ) throws(ListIndexError) {
    self.directory = directory
    self.registry = registry
    self.content = content
    self.keepsLog = keepsLog
    try FileSystem.makeDirectory(directory)
    lockDescriptor = try Self.lock(directory)
    do throws(ListIndexError) {
      var recovery = Recovery(
        directory: directory, registry: registry, content: content, keepsLog: keepsLog)
      let snapshot = try recovery.run()
      notices = recovery.notices
      published = Mutex(snapshot)
      writer = Mutex(
        Writer(
          generation: recovery.generation, indexGeneration: recovery.indexGeneration,
          log: recovery.log, held: recovery.held))
    } catch {
      close(lockDescriptor)
      throw error
    }
  }

  deinit {
    writer.withLock { $0.log?.close() }
    close(lockDescriptor)
  }

  private static func lock(_ directory: String) throws(ListIndexError) -> Int32 {
    let path = directory + "/lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw FileSystem.failure("open a file", path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw ListIndexError(.busy, path: directory)
    }
    return descriptor
  }

  /// The newest list; nil until one was installed.
  package var current: ListSnapshot? { published.withLock { $0 } }

  func publish(_ snapshot: ListSnapshot) { published.withLock { $0 = snapshot } }

  func snapshot() throws(ListIndexError) -> ListSnapshot {
    guard let current else { throw ListIndexError(.noList) }
    return current
  }

  /// Applies consecutive changes, or a checkpoint, whole. They are durable before they are
  /// answered by; a checkpoint, which changes no answer, soon after.
  ///
  /// When it throws, the list is as before.
  @discardableResult
  package func apply(_ delta: Delta) throws(ListIndexError) -> ListSnapshot {
    try commit(prepare(delta))
  }

  /// Works out what the list will be after a delta, without changing anything.
  package func prepare(_ delta: Delta) throws(ListIndexError) -> PreparedDelta {
    try PreparedDelta(delta, on: snapshot())
  }

  /// Applies what was prepared: the same as ``apply(_:)`` at the cost of writing it down.
  @discardableResult
  package func commit(_ prepared: PreparedDelta) throws(ListIndexError) -> ListSnapshot {
    try writer.withLock { (writer) throws(ListIndexError) in
      let before = try snapshot()
      let delta = prepared.delta
      let after = try prepared.list(after: before)
      if delta.upTo == delta.after {
        guard after.indexHead != before.indexHead else { return before }
        try writer.append(checkpoint: LogRecord(.checkpoint, after.indexHead))
      } else {
        try writer.append(
          LogRecord(.delta, after.indexHead, after: delta.after, changes: delta.changes))
      }
      publish(after)
      return after
    }
  }

  /// Replaces single entries at the present position. The digest that the list has then is in the
  /// head of the answer.
  @discardableResult
  package func repair(_ repair: Repair) throws(ListIndexError) -> ListSnapshot {
    try writer.withLock { (writer) throws(ListIndexError) in
      let after = try snapshot().applying(repair)
      try writer.append(LogRecord(.repair, after.indexHead, changes: repair.entries))
      publish(after)
      return after
    }
  }

  /// Goes on in another epoch at the present position, where the digest is the same there.
  @discardableResult
  package func adopt(
    _ epoch: Epoch, digest: ListDigest, issuedAt: Instant
  ) throws(ListIndexError) -> ListSnapshot {
    try writer.withLock { (writer) throws(ListIndexError) in
      let before = try snapshot()
      guard before.head.digest == digest else {
        throw ListIndexError(.otherDigest(computed: before.head.digest))
      }
      var head = before.indexHead
      head.epoch = epoch
      head.issuedAt = max(head.issuedAt, issuedAt)
      try writer.append(LogRecord(.epoch, head))
      let after = before.with(head: head)
      publish(after)
      return after
    }
  }

  /// Whether so much has changed since the file was written that a new one is worth its while.
  package var needsCompaction: Bool {
    guard let current else { return false }
    let most = max(Self.leastOverlayToCompact, Int(clamping: current.counts.total / 8))
    if current.overlayCount > most { return true }
    let logByteCount = writer.withLock { $0.log?.end ?? 0 }
    return logByteCount > Self.leastLogToCompactByteCount + current.index.file.byteCount
  }
}

extension ListIndex.Writer {
  mutating func append(_ record: LogRecord) throws(ListIndexError) {
    try log?.append(record)
    if isCompacting { sinceCompaction.append(record) }
  }

  mutating func append(checkpoint record: LogRecord) throws(ListIndexError) {
    try log?.append(checkpoint: record)
    if isCompacting { sinceCompaction.append(record) }
  }
}

extension ListIndex.Notice: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tornTail(let byteCount):
      "The log ended in \(byteCount) bytes of an unfinished record, which were dropped."
    case .logMissing: "The log of the list index is missing: the list may be older than it was."
    case .damagedLog(let error):
      "The log of the list index was read up to its damage only: \(error)"
    case .refusedIndex(let error): "A file of the list was refused: \(error)"
    case .olderIndex(let position):
      "An older file took the place of the one that was refused: the list goes on from position"
        + " \(position)."
    case .heldFromCopy:
      "The file of held subjects was damaged or cut off: its copy took its place."
    case .damagedHeld(let error):
      "No subject is held any more, and what the brake held may be black: \(error)"
    case .tornHeld(let byteCount):
      "The held subjects ended in \(byteCount) bytes of an unfinished record, which were dropped."
    }
  }
}
