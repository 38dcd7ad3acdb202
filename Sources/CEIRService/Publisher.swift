import DeviceLists
import ListExchange
package import Logging
package import PostgreSQL
package import RegistryStore
import ServiceLifecycle

/// Takes dirty subjects, folds their grounds and appends to the journal. One leads at a time: an
/// advisory lock says who, the journal's dense positions keep out whoever is wrong about it.
package struct Publisher: Service {
  /// Marks and due subjects taken in one transaction, and so the most rows that a batch can have.
  package static let batchLimit = 10_000
  /// How often the clock is looked at when nobody rings.
  static let pollInterval = Duration.seconds(1)
  /// A mark with a lower number than one already taken may be committed later: how often the queue
  /// is looked at from its beginning while a mass change runs.
  static let fullLookInterval = Duration.seconds(2)

  /// Plans that never scan the whole of a table, whatever the statistics of the moment say.
  package static let setUpStatements = [
    RegistryStore.searchPath, "SET enable_seqscan = off", "SET enable_hashjoin = off",
    "SET enable_mergejoin = off", "SET jit = off",
  ]

  private let pool: PostgreSQLPool
  private let dirtyBell: Bell
  private let journalBell: Bell
  private let metrics: CEIRMetrics
  private let logger: Logger

  /// `pool` connects with the role of the publisher and ``setUpStatements``. `dirtyBell` rings when
  /// there may be marks; the publisher rings `journalBell` when it has published.
  package init(
    pool: PostgreSQLPool, dirtyBell: Bell, journalBell: Bell, metrics: CEIRMetrics,
    logger: Logger
  ) {
    self.pool = pool
    self.dirtyBell = dirtyBell
    self.journalBell = journalBell
    self.metrics = metrics
    self.logger = logger
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var pause = Backoff.ofService
      while !Task.isCancelled {
        do {
          try await self.lead { pause = Backoff.ofService }
        } catch {
          guard !Task.isCancelled else { return }
          metrics.publisherFailures.add()
          logger.error(
            "The publisher has stopped and will try again.",
            metadata: ["error": "\(String(reflecting: error))"])
        }
        metrics.isLeading.set(0)
        await dirtyBell.wait(since: dirtyBell.strokes, timeout: pause.next())
      }
    }
  }

  /// Publishes as long as this process leads and the connection holds.
  private func lead(onProgress: () -> Void) async throws {
    try await pool.withConnection { connection in
      let registry = RegistryTransaction(connection: connection)
      guard try await registry.takeLeadership() else { return }
      try await Self.renewEpoch(on: connection, logger: logger)
      var session = PublisherSession(head: try await registry.journalHead())
      metrics.isLeading.set(1)
      metrics.position.set(Int64(clamping: session.head.position.number))
      logger.info(
        "Publishing.",
        metadata: [
          "epoch": "\(session.head.epoch)", "position": "\(session.head.position)",
        ])
      while !Task.isCancelled {
        let seen = dirtyBell.strokes
        let marks = try await session.publishBatch(on: connection)
        onProgress()
        if session.hasPublished {
          metrics.position.set(Int64(clamping: session.head.position.number))
          journalBell.ring()
        }
        if marks == 0 { await dirtyBell.wait(since: seen, timeout: Self.pollInterval) }
      }
    }
  }

  /// A restored backup or a promoted standby may lack the last rows and would give their positions
  /// to others: a new epoch tells the nodes.
  private static func renewEpoch(
    on connection: PostgreSQLConnection, logger: Logger
  ) async throws {
    try await connection.transaction { connection in
      let registry = RegistryTransaction(connection: connection)
      let cluster = try await registry.clusterIdentities()
      guard cluster.known != cluster.now else { return }
      var generator = SystemRandomNumberGenerator()
      let epoch = Epoch(using: &generator)
      try await registry.begin(epoch, reason: "the database was restored or promoted")
      logger.warning("A new epoch has begun: the database is another than before.")
    }
  }
}

/// The publisher's memory between its batches.
package struct PublisherSession {
  package private(set) var head: JournalHead
  /// Whether the last batch appended to the journal.
  package private(set) var hasPublished = false
  private var scopes = OperatorDirectory()
  private var massMarksAfter: Int64 = 0
  private var lastFullLook = ContinuousClock.now

  package init(head: JournalHead) { self.head = head }

  /// One transaction. Returns how many marks and due subjects it took. After an error this value
  /// must not be used again: whether the batch was stored is for the journal to say.
  package mutating func publishBatch(on connection: PostgreSQLConnection) async throws -> Int {
    if lastFullLook.duration(to: .now) > Publisher.fullLookInterval {
      massMarksAfter = 0
      lastFullLook = .now
    }
    let (taken, fold, scopes) = try await connection.transaction {
      [self] connection -> (TakenBatch, BatchFold, OperatorDirectory) in
      let registry = RegistryTransaction(connection: connection)
      let taken = try await registry.takeDirty(
        limit: Publisher.batchLimit, massMarksAfter: massMarksAfter,
        notBefore: head.asOfMicroseconds)
      var scopes = self.scopes
      if taken.subjects.contains(where: { scopes.scope($0.scope) == nil }) {
        scopes = try await registry.operators()
      }
      let current = try await registry.currentEpoch()
      var head = self.head
      head.epoch = current
      let fold = try BatchFold(taken, after: head, scopes: scopes)
      try await registry.publish(fold.batch)
      try await registry.addDue(fold.due)
      return (taken, fold, scopes)
    }
    self.scopes = scopes
    head = fold.head
    hasPublished = !fold.batch.rows.isEmpty
    massMarksAfter =
      taken.markCount < Publisher.batchLimit / 2 ? 0 : taken.lastMassMark ?? massMarksAfter
    return taken.subjects.count
  }
}
