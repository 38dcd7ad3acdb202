import DeviceLists
import ListExchange
import ListIndex

/// Builds the index of a list from the lines of a full file. Memory: what ``IndexFileWriter``
/// needs.
struct FullFileIndex {
  private let writer: IndexFileWriter
  private let path: String
  private var subject: Subject?
  private var listed = ListedClass()
  private var digests = ScopeDigests()
  private var canonical: [CanonicalKey: CanonicalEntry] = [:]

  private struct CanonicalKey: Hashable {
    let scope: Scope
    let entryClass: EntryClass
  }

  init(path: String) throws(NodeError) {
    self.path = path
    writer = try ListKeeper.kept { () throws(ListIndexError) in
      try IndexFileWriter(path: path)
    }
  }

  /// The entries of a subject follow each other: that of every operator, then the own one.
  mutating func append(_ row: ListFileReader.Row) throws(NodeError) {
    guard let entryClass = row.entryClass else { return }
    if row.subject != subject {
      try finishSubject()
      subject = row.subject
    }
    let key = CanonicalKey(scope: row.scope, entryClass: entryClass)
    var entry = canonical[key] ?? CanonicalEntry(scope: row.scope, entryClass: entryClass)
    let digest = entry.digest(of: row.subject)
    canonical[key] = entry
    switch row.scope {
    case .all:
      listed.all = entryClass
      digests.all += digest
    case .only:
      listed.own = entryClass
      digests.own += digest
    }
  }

  private mutating func finishSubject() throws(NodeError) {
    guard let subject else { return }
    let (writer, listed) = (writer, listed)
    try ListKeeper.kept { () throws(ListIndexError) in try writer.append(subject, listed) }
    self.listed = ListedClass()
  }

  /// The file is at `path` afterwards.
  mutating func finish(_ checkpoint: Checkpoint) throws(NodeError) {
    try finishSubject()
    let head = IndexHead(
      registry: checkpoint.registry, content: .feed(checkpoint.feed), epoch: checkpoint.epoch,
      position: checkpoint.position, digests: digests, issuedAt: checkpoint.issuedAt)
    let writer = writer
    try ListKeeper.kept { () throws(ListIndexError) in _ = try writer.finish(head: head) }
  }
}
