import DeviceIdentity
package import DeviceLists
import ListExchange
import ListIndex
package import Logging
import NIOPosix
package import RegistryStore
import ServiceLifecycle
import Synchronization

/// The registry's own copy of its lists, one index per scope, from which snapshots are cut without
/// a long read of the database. Follows the journal; the index files only shorten the way back.
package final class RegistryLists: Service {
  /// Rows of the journal that are applied at a time.
  static let stepLimit = 10_000
  /// Entries that are read at a time when the lists are built from the database.
  static let pageLimit = 50_000
  static let pollInterval = Duration.seconds(1)

  /// The indexes, and what of them is shown.
  struct Lists {
    var epoch: Epoch?
    var operators = OperatorDirectory()
    var byScope: [ScopeNumber: ListIndex] = [:]
    var published: PublishedLists?
    /// When the lists last agreed with the journal.
    var confirmedAt: Instant?
    /// Whether the lists have been compared with the journal since they were opened or built.
    var hasCompared = false
  }

  private let store: RegistryStore
  let registry: RegistryName
  let directory: String
  private let journalBell: Bell
  private let metrics: CEIRMetrics
  private let logger: Logger
  let lists = Mutex(Lists())

  package init(
    store: RegistryStore, registry: RegistryName, directory: String, journalBell: Bell,
    metrics: CEIRMetrics, logger: Logger
  ) {
    self.store = store
    self.registry = registry
    self.directory = directory
    self.journalBell = journalBell
    self.metrics = metrics
    self.logger = logger
  }

  package func run() async throws {
    let rounds = Rounds(
      bell: journalBell, interval: Self.pollInterval, logger: logger,
      complaint: "The lists have stopped following the journal and will try again.")
    await rounds.run { try await self.catchUp() }
  }

  /// By bytes. What is few enough is not counted.
  func cheaperWay(
    of scope: ScopeNumber, after position: Position, upTo end: Position
  ) async throws -> CheaperWay {
    guard position <= end, end.number - position.number > UInt64(CheaperWay.fewChanges) else {
      return .delta
    }
    let changes = try await store.read { try await $0.backlog(of: scope, after: position) }
    return CheaperWay(changes: changes, snapshotBytes: feed(of: scope)?.estimatedBytes)
  }

  /// Where the lists stand; nil until they have been read.
  package var position: Position? { lists.withLock { $0.published?.position } }

  /// What a node of this operator would hold now; nil until the lists have been read.
  package func feed(of number: ScopeNumber) -> FeedLists? {
    lists.withLock { lists in
      guard var feed = lists.published?.feed(of: number) else { return nil }
      feed.head.issuedAt = lists.confirmedAt ?? feed.head.issuedAt
      return feed
    }
  }

  /// Shows what all the indexes hold, where they stand together and have been compared with the
  /// journal. Returns where they stand.
  @discardableResult
  private func publish() -> Position? {
    lists.withLock { lists in
      let current = PublishedLists(lists.byScope.compactMapValues(\.current))
      if let current, lists.hasCompared { lists.published = current }
      return current?.position
    }
  }

  /// Applies what has been published since. Builds the lists anew where that cannot be done.
  package func catchUp() async throws {
    let (epoch, operators, head) = try await store.read { registry in
      (
        try await registry.currentEpoch(), try await registry.operators(),
        try await registry.journalHead()
      )
    }
    try await open(epoch: epoch, operators: operators)
    let before = position
    while let after = earliestPosition(), after < head.position {
      let rows = try await store.read { try await $0.journal(after: after, limit: Self.stepLimit) }
      guard let first = rows.first, first.position == after.next else {
        logger.warning("The journal no longer reaches back to the lists.")
        try await rebuild(epoch: epoch, operators: operators)
        continue
      }
      do {
        try await apply(rows, epoch: epoch)
      } catch let error as ListIndexError where error.code == .wrongHash {
        logger.error("The file of a list is damaged; the lists are built anew.")
        try await rebuild(epoch: epoch, operators: operators)
      }
      publish()
    }
    if publish() != before || !hasCompared {
      try await compareDigests(epoch: epoch, operators: operators)
      publish()
    }
    lists.withLock { $0.confirmedAt = .now }
    metrics.indexPosition.set(Int64(clamping: position?.number ?? 0))
  }

  private var hasCompared: Bool { lists.withLock { $0.hasCompared } }

  private func earliestPosition() -> Position? {
    lists.withLock { lists in
      lists.byScope.values.map { $0.current?.indexHead.position ?? .start }.min()
    }
  }

  /// Opens the index of each scope that has none in memory yet.
  private func open(epoch: Epoch, operators: OperatorDirectory) async throws {
    let (isOpen, known) = lists.withLock { ($0.epoch == epoch, Set($0.byScope.keys)) }
    let wanted = Set([.all] + operators.all.compactMap { operators.number(.only($0)) })
    if isOpen, known == wanted { return }
    var opened: [ScopeNumber: ListIndex] = [:]
    for number in wanted where !known.contains(number) {
      guard let scope = operators.scope(number) else { continue }
      opened[number] = try await blocking { [registry, directory] in
        try ListIndex(
          directory: "\(directory)/\(scope)", registry: registry, content: .scope(scope),
          keepsLog: false)
      }
    }
    let position = lists.withLock { $0.byScope[.all]?.current?.indexHead.position }
    lists.withLock { lists in
      lists.operators = operators
      lists.epoch = epoch
      lists.byScope.merge(opened) { _, new in new }
    }
    let all = lists.withLock { $0.byScope }
    if all.values.contains(where: { $0.current.map { $0.indexHead.epoch != epoch } ?? false })
      || all[.all]?.current == nil
    {
      try await rebuild(epoch: epoch, operators: operators)
    } else {
      for index in all.values where index.current == nil {
        try await blocking {
          _ = try index.startEmpty(epoch: epoch, position: position ?? .start, issuedAt: .now)
        }
      }
    }
  }

  private func apply(_ rows: [JournalRow], epoch: Epoch) async throws {
    guard let last = rows.last?.position else { return }
    let (byScope, operators) = lists.withLock { ($0.byScope, $0.operators) }
    let changes = Dictionary(grouping: rows, by: \.scope)
    try await blocking { [logger] in
      for (number, index) in byScope {
        guard let scope = operators.scope(number), let head = index.current?.indexHead else {
          continue
        }
        guard head.position < last else { continue }
        let own = (changes[number] ?? []).filter { $0.position > head.position }
        try index.apply(
          Delta(
            epoch: epoch, after: head.position, upTo: last, issuedAt: .now, digest: nil,
            changes: own.map {
              Change(
                position: $0.position, subject: $0.subject, scope: scope,
                entryClass: $0.entryClass)
            }))
        if index.needsCompaction {
          try index.compact()
          logger.info("A list was compacted.", metadata: ["scope": "\(scope)"])
        }
      }
    }
  }

  /// The journal says what the digest must be; another one means that a file was damaged.
  private func compareDigests(epoch: Epoch, operators: OperatorDirectory) async throws {
    let byScope = lists.withLock { $0.byScope }
    for (number, index) in byScope {
      guard let head = index.current?.indexHead else { continue }
      let expected = try await store.read {
        try await $0.scopeDigest(of: number, at: head.position)
      }
      guard head.digests.sum != expected else { continue }
      logger.error("A list differs from the journal and is built anew.")
      try await rebuild(epoch: epoch, operators: operators)
      return
    }
    lists.withLock { $0.hasCompared = true }
  }

  /// Reads the entries page by page, each page at its own moment, and then applies the journal from
  /// the first of these moments: whatever a page missed or had early is brought to the same end.
  private func rebuild(epoch: Epoch, operators: OperatorDirectory) async throws {
    metrics.indexRebuilds.add()
    let byScope = lists.withLock { $0.byScope }
    let head = try await store.read { try await $0.journalHead() }
    let builder = try ListsBuilder(directory: directory, registry: registry, operators: operators)
    var last: (subject: Subject, scope: ScopeNumber)?
    while true {
      let after = last
      let page = try await store.read {
        try await $0.entries(
          after: after?.subject, scope: after?.scope ?? .all, limit: Self.pageLimit)
      }
      guard let end = page.last else { break }
      last = (end.subject, end.scope)
      try await blocking { try builder.append(page) }
    }
    try await blocking {
      try builder.finish(epoch: epoch, position: head.position, into: byScope)
    }
    let end = try await store.read { try await $0.journalHead().position }
    var missed: [JournalRow] = []
    var reached = head.position
    while reached < end {
      let after = reached
      missed += try await store.read {
        try await $0.journal(after: after, limit: Self.stepLimit)
      }
      reached = missed.last?.position ?? end
    }
    if !missed.isEmpty { try await apply(missed, epoch: epoch) }
    lists.withLock { $0.hasCompared = false }
    logger.info("The lists were built from the database.", metadata: ["position": "\(end)"])
  }

  /// File work, away from the threads that answer.
  func blocking<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(work)
  }
}
