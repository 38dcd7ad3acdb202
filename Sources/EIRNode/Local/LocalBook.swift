import DeviceLists
import Foundation
import ListIndex

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The operator's own entries on disk, with all that was ever done to them: a JSON line for each
/// entry that was added and each that was ended. Nothing is overwritten, and a line is on disk
/// before its order is answered. Used by the one process that holds the directory.
///
/// A line that cannot be read may have ended any entry before it, and nothing becomes black because
/// something failed: those entries are suspended until a person ends them or adds them again.
struct LocalBook: Sendable {
  /// As many as the settings may hold.
  static let mostInForce = LocalBlackList.mostEntries
  static let mostBytes = 64 << 20
  /// Of the line that ends an entry: every byte of its texts may have to be escaped.
  static let longestEndBytes = 2 * (LocalNote.longestReason + 2 * LocalNote.longestName) + 256
  /// Of any line.
  static let longestLineBytes = longestEndBytes + 2 * LocalEntry.longestCaseReference + 256

  private struct Line: Codable {
    struct End: Codable {
      var id: LocalID
      var note: LocalNote
    }

    var added: LocalEntry?
    var ended: End?
  }

  /// What cannot be in force twice.
  private struct Key: Hashable {
    let range: IMEIRange
    let versions: SoftwareVersions?
  }

  let path: String
  /// All that there ever were, oldest first.
  private(set) var entries: [LocalEntry] = []
  /// Lines that could not be read, and so count for nothing.
  private(set) var damagedLines = 0
  private var places: [LocalID: Int] = [:]
  private var inForce: [Key: LocalID] = [:]
  private var suspended: [Key: LocalID] = [:]
  /// Up to where the file holds what counts, or is counted as damaged.
  private var end = 0
  /// Whether the end of a line is missing there.
  private var isOpenEnded = false
  /// The file, as this process has left it; nil where there is none.
  private var mark: FileMark?

  init(directory: String) throws(NodeError) {
    path = directory + "/local.ndjson"
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return }
      throw .system("read", path: path)
    }
    defer { close(file) }
    let bytes = try SmallFile.content(of: file, path: path, most: Self.mostBytes)
    mark = FileMark(of: file)
    end = bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    for line in bytes[..<end].split(separator: 0x0A) {
      guard let line = Self.decoded(line), take(line) else {
        suspendAll()
        continue
      }
    }
    readOpenEnd(bytes[end...])
  }

  private static func decoded(_ line: ArraySlice<UInt8>) -> Line? {
    guard LocalSum.isRight(line) else { return nil }
    return try? JSONDecoder().decode(Line.self, from: Data(line))
  }

  /// What stands behind the last end of a line. What a crash has cut off was never answered and is
  /// written over. Anything else was damaged, and may have ended any entry.
  private mutating func readOpenEnd(_ bytes: ArraySlice<UInt8>) {
    switch LocalSum.openEnd(bytes, longest: Self.longestLineBytes) {
    case .cutOff: return
    case .whole:
      // An entry that was not answered is not made; one that somebody has ended stays ended.
      guard let line = Self.decoded(bytes), line.ended != nil else { return }
      if !take(line) { suspendAll() }
    case .damaged: suspendAll()
    }
    end = bytes.endIndex
    isOpenEnded = true
  }

  var inForceCount: Int { inForce.count }
  var suspendedCount: Int { suspended.count }

  var blacks: [LocalBlackList.Entry] {
    inForce.values.compactMap { id in places[id].map { entries[$0].black } }
  }

  subscript(id: LocalID) -> LocalEntry? { places[id].map { entries[$0] } }

  /// Those not ended that are about exactly this subject, whatever their software versions.
  private func notEnded(on subject: LocalSubject) -> [LocalEntry] {
    entries.filter { $0.ended == nil && $0.subject.range == subject.range }
  }

  mutating func add(_ order: LocalOrder, asOf now: Instant) throws(NodeError) -> LocalEntry {
    let id = LocalID(number: (entries.last?.id?.number ?? 0) + 1)
    let entry = try LocalEntry(id, order, asOf: now)
    if let other = inForce[Self.key(of: entry)] {
      throw NodeError(.notAccepted, "\(other) says so already")
    }
    let count = inForce.count + suspended.count
    guard count < Self.mostInForce || suspended[Self.key(of: entry)] != nil else {
      throw NodeError(
        .notAccepted, "there are \(Self.mostInForce) local entries: end some, or ask the registry")
    }
    // Room is kept for the end of every entry.
    try append(Line(added: entry), reserved: (count + 1) * Self.longestEndBytes)
    return entry
  }

  /// Ends an entry by its name, or all that are about a subject.
  mutating func end(
    _ name: String, _ author: LocalAuthor, asOf now: Instant
  ) throws(NodeError) -> [LocalEntry] {
    let note = try LocalNote(author, asOf: now)
    var ids: [LocalID] = []
    if let id = LocalID(name) {
      if let entry = self[id], entry.ended == nil { ids = [id] }
    } else if let subject = LocalSubject(name) {
      ids = notEnded(on: subject).compactMap(\.id)
    }
    guard !ids.isEmpty else {
      throw NodeError(.settings, "there is no local entry in force of that name or subject")
    }
    for id in ids { try append(Line(ended: .init(id: id, note: note)), reserved: 0) }
    return ids.compactMap { self[$0] }
  }

  private static func key(of entry: LocalEntry) -> Key {
    Key(range: entry.subject.range, versions: entry.svn)
  }

  /// False where the line makes no sense after those before it.
  private mutating func take(_ line: Line) -> Bool {
    if let entry = line.added, let id = entry.id, places[id] == nil {
      guard entry.ended == nil, entry.suspended == nil, inForce[Self.key(of: entry)] == nil
      else { return false }
      guard id > entries.last?.id ?? LocalID(number: 0) else { return false }
      if let before = suspended.removeValue(forKey: Self.key(of: entry)), let added = entry.added {
        end(before, LocalNote(added, addedAgainAs: id))
      }
      places[id] = entries.count
      inForce[Self.key(of: entry)] = id
      entries.append(entry)
      return true
    }
    guard let ended = line.ended, let entry = self[ended.id], entry.ended == nil else {
      return false
    }
    end(ended.id, ended.note)
    return true
  }

  private mutating func end(_ id: LocalID, _ note: LocalNote) {
    guard let place = places[id] else { return }
    let key = Self.key(of: entries[place])
    if entries[place].suspended == nil { inForce[key] = nil } else { suspended[key] = nil }
    entries[place].ended = note
    entries[place].suspended = nil
  }

  /// After a line that cannot be read, or makes no sense.
  private mutating func suspendAll() {
    damagedLines += 1
    for (key, id) in inForce {
      suspended[key] = id
      if let place = places[id] { entries[place].suspended = true }
    }
    inForce = [:]
  }

  private mutating func append(_ line: Line, reserved: Int) throws(NodeError) {
    var bytes: [UInt8]
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      bytes = LocalSum.added(to: Array(try encoder.encode(line))) + [0x0A]
    } catch {
      throw NodeError(.file, "the entry cannot be written", underlying: error)
    }
    if isOpenEnded { bytes.insert(0x0A, at: 0) }
    guard end + bytes.count + reserved <= Self.mostBytes else {
      throw NodeError(
        .notAccepted, "\(path) is full: what was ended stays in it; ask the registry for more")
    }
    try write(bytes)
    end += bytes.count
    isOpenEnded = false
    guard take(line) else { preconditionFailure("a line was written that makes no sense") }
  }

  /// Writes at ``end``. When it throws, nothing counts behind that.
  private mutating func write(_ bytes: [UInt8]) throws(NodeError) {
    // Only a file that was never there is made.
    let making = mark == nil ? O_CREAT | O_EXCL : 0
    let file = open(path, O_WRONLY | O_CLOEXEC | making, 0o640)
    guard file >= 0 else {
      throw [ENOENT, EEXIST].contains(errno) ? changed : .system("write", path: path)
    }
    defer { close(file) }
    guard mark == nil || FileMark(of: file) == mark else { throw changed }
    defer { mark = FileMark(of: file) }
    // Torn lines, of a crash or of a failure, are taken away before anything follows them.
    guard ftruncate(file, off_t(end)) == 0, lseek(file, off_t(end), SEEK_SET) == off_t(end),
      SmallFile.writeAll(bytes, to: file), fsync(file) == 0
    else {
      let error = NodeError.system("write", path: path)
      ftruncate(file, off_t(end))
      throw error
    }
    if end == 0 {
      try SmallFile.synchronize(directory: (path as NSString).deletingLastPathComponent)
    }
  }

  private var changed: NodeError {
    NodeError(.file, "another program has changed \(path): restart the node")
  }
}
