package import DeviceLists
import PostgreSQL

/// Where the journal ends, and what the publisher needs to go on from there.
package struct JournalHead: Sendable, Equatable {
  package var epoch: Epoch
  package var position: Position
  /// The moment of the newest fold, in microseconds since 1970; folds never look at an earlier one.
  package var asOfMicroseconds: Int64
  package var digests: [ScopeNumber: ListDigest]

  package init(
    epoch: Epoch, position: Position, asOfMicroseconds: Int64,
    digests: [ScopeNumber: ListDigest]
  ) {
    self.epoch = epoch
    self.position = position
    self.asOfMicroseconds = asOfMicroseconds
    self.digests = digests
  }
}

/// Where every feed stands.
package struct FeedHeads: Sendable {
  let journal: JournalHead
  let operators: OperatorDirectory

  package func head(of code: OperatorCode) -> ListHead {
    let own = operators.number(.only(code)).flatMap { journal.digests[$0] } ?? .zero
    return ListHead(
      epoch: journal.epoch, position: journal.position,
      digest: journal.digests[.all, default: .zero] + own,
      issuedAt: Instant(secondsSinceEpoch: max(0, journal.asOfMicroseconds) / 1_000_000))
  }
}

/// A row of the journal together with the numbers of its scope.
package struct JournalRow: Sendable, Equatable {
  package let position: Position
  package let subject: Subject
  package let scope: ScopeNumber
  package let entryClass: EntryClass?

  package init(
    position: Position, subject: Subject, scope: ScopeNumber, entryClass: EntryClass?
  ) {
    self.position = position
    self.subject = subject
    self.scope = scope
    self.entryClass = entryClass
  }
}

/// Changes of one feed from a position to the end of a batch.
package struct FeedDelta: Sendable {
  package let changes: [JournalRow]
  package let upTo: Position
  /// Of the scope `all` and the feed's own, at ``upTo``.
  package let digest: ListDigest
}

extension RegistryTransaction {
  package func registry() async throws -> (name: RegistryName, timeZone: String) {
    guard let row = try await connection.query(Self.registryRow).first else {
      throw StoreError(.noRegistry, "The database holds no registry yet: run `ceir migrate`.")
    }
    guard let name = RegistryName(try row.string("name")) else {
      throw StoreError(.corrupt, "The name of the registry cannot be one.")
    }
    return (name, try row.string("time_zone"))
  }

  /// The day by the registry's calendar.
  package func today() async throws -> CivilDate {
    let date = try await connection.query(Self.todayHere).only().date("today")
    return CivilDate(daysSinceEpoch: Int64(date.daysSince1970))
  }

  package func operators() async throws -> OperatorDirectory {
    var directory = OperatorDirectory()
    for row in try await connection.query(Self.operatorCodes) {
      guard let code = OperatorCode(try row.string("code")) else {
        throw StoreError(.corrupt, "The database holds an operator's code that cannot be one.")
      }
      directory.add(code, number: ScopeNumber(try row.int32("operator_id")))
    }
    return directory
  }

  package func currentEpoch() async throws -> Epoch {
    guard let row = try await connection.query(Self.newestEpoch).first,
      let epoch = Epoch(try row.string("epoch"))
    else { throw StoreError(.noRegistry, "The registry has no epoch yet: run `ceir migrate`.") }
    return epoch
  }

  package func journalHead() async throws -> JournalHead {
    let epoch = try await currentEpoch()
    var head = JournalHead(
      epoch: epoch, position: .start, asOfMicroseconds: .min, digests: [:])
    guard let row = try await connection.query(Self.lastBatch).first else { return head }
    head.position = Position(UInt64(try row.int64("last_position")))
    head.asOfMicroseconds = try row.timestamp("as_of").microsecondsSince1970
    for row in try await connection.query(Self.lastDigests) {
      head.digests[ScopeNumber(try row.int32("scope"))] = try row.digest("digest")
    }
    return head
  }

  package func feedHeads() async throws -> FeedHeads {
    FeedHeads(journal: try await journalHead(), operators: try await operators())
  }

  /// The digest of a feed where `position` is the end of a batch; of the batch before otherwise.
  package func digest(of scope: ScopeNumber, at position: Position) async throws -> ListDigest {
    let all = try await scopeDigest(of: .all, at: position)
    return all + (try await scopeDigest(of: scope, at: position))
  }

  /// The same of one scope alone.
  package func scopeDigest(
    of scope: ScopeNumber, at position: Position
  ) async throws -> ListDigest {
    let rows = try await connection.query(Self.digestAt, scope.number, position.column)
    return try rows.first?.digest("digest") ?? .zero
  }

  /// Whole batches after `after`, as many as have no more than `limit` rows of the journal, but at
  /// least one; nil where the journal no longer reaches back to `after`.
  package func delta(
    of scope: ScopeNumber, after: Position, limit: Int
  ) async throws -> FeedDelta? {
    let end = try await endOfDelta(after: after, limit: limit)
    guard let last = try end.optionalInt64("last_position") else {
      let digest = try await digest(of: scope, at: after)
      return FeedDelta(changes: [], upTo: after, digest: digest)
    }
    guard let first = try end.optionalInt64("first_position"), first - 1 <= after.column else {
      return nil
    }
    let upTo = Position(UInt64(last))
    let rows = try await connection.query(
      Self.changes, after.column, last, scope.number)
    return FeedDelta(
      changes: try Self.journalRows(rows), upTo: upTo,
      digest: try await digest(of: scope, at: upTo))
  }

  /// About how many changes of the feed come after `after`: the rows of all feeds are counted by
  /// their positions, and the next of them show how many are its own.
  package func backlog(of scope: ScopeNumber, after: Position) async throws -> Int {
    let row = try await connection.query(
      Self.backlog, after.column, scope.number, Self.backlogSample
    ).only()
    let (rows, own) = (try row.int("rows"), try row.int("own"))
    let behind = try row.int64("last_position") - after.column
    guard rows > 0, behind > 0 else { return 0 }
    return Int((Double(behind) * Double(own) / Double(rows)).rounded(.up))
  }

  static let backlogSample = 2_000

  /// Rows of every scope, for the registry's own index; whole batches, as in
  /// ``delta(of:after:limit:)``.
  package func journal(after: Position, limit: Int) async throws -> [JournalRow] {
    let end = try await endOfDelta(after: after, limit: limit)
    guard let last = try end.optionalInt64("last_position") else { return [] }
    return try Self.journalRows(
      await connection.query(Self.allChanges, after.column, last))
  }

  private func endOfDelta(after: Position, limit: Int) async throws -> PostgreSQLRow {
    let (reach, overflow) = after.column.addingReportingOverflow(Int64(limit))
    return try await connection.query(
      Self.endOfDelta, after.column, overflow ? Int64.max : reach
    ).only()
  }

  /// A page of the list in the order of its key, for building an index from nothing.
  package func entries(
    after subject: Subject?, scope: ScopeNumber, limit: Int
  ) async throws -> [(subject: Subject, scope: ScopeNumber, entryClass: EntryClass)] {
    let columns = subject.map(SubjectColumns.init)
    let rows = try await connection.query(
      Self.entryPage, columns?.kind ?? 0, columns?.key1 ?? 0, columns?.key2 ?? 0, scope.number,
      limit)
    return try rows.map { row in
      guard let entryClass = try row.entryClass() else {
        throw StoreError(.corrupt, "The database holds an entry without a status.")
      }
      return (try row.subject(), ScopeNumber(try row.int32("scope")), entryClass)
    }
  }
}

/// Reads rows of the journal by the places of their columns. There are few classes and many rows:
/// one that was read before is known by its bytes.
private struct JournalReader {
  private struct KnownClass {
    let codes: [UInt8]
    let status: Int16?
    let isOverridable: Bool
    let entryClass: EntryClass?
  }

  private static let mostKnown = 64
  private var known: [KnownClass] = []

  mutating func read(_ row: PostgreSQLRow) throws -> JournalRow {
    JournalRow(
      position: Position(UInt64(try row.int64(0))), subject: try row.subject(from: 1),
      scope: ScopeNumber(try row.int32(4)), entryClass: try entryClass(row))
  }

  private mutating func entryClass(_ row: PostgreSQLRow) throws -> EntryClass? {
    let status = try row.optionalInt16(5)
    let isOverridable = try row.bool(7)
    let place = try row.withRawBytes(6) { bytes in
      known.firstIndex {
        $0.status == status && $0.isOverridable == isOverridable
          && bytes.map($0.codes.elementsEqual) ?? false
      }
    }
    if let place { return known[place].entryClass }
    let entryClass = try row.entryClass()
    if known.count < Self.mostKnown {
      known.append(
        KnownClass(
          codes: try row.withRawBytes(6) { $0.map(Array.init) ?? [] }, status: status,
          isOverridable: isOverridable, entryClass: entryClass))
    }
    return entryClass
  }
}

extension RegistryTransaction {
  private static func journalRows(_ rows: PostgreSQLRows) throws -> [JournalRow] {
    var reader = JournalReader()
    return try rows.map { try reader.read($0) }
  }
}

extension RegistryTransaction {
  private static let registryRow = "SELECT name, time_zone FROM registry"

  private static let todayHere = """
    SELECT (now() AT TIME ZONE time_zone)::date AS today FROM registry
    """

  private static let operatorCodes = "SELECT operator_id, code FROM operator"

  /// Served by the primary key (epoch_number).
  private static let newestEpoch = """
    SELECT epoch FROM epoch ORDER BY epoch_number DESC LIMIT 1
    """

  /// Served by the primary key (last_position).
  private static let lastBatch = """
    SELECT last_position, as_of FROM journal_batch ORDER BY last_position DESC LIMIT 1
    """

  /// One probe of the primary key (scope, last_position) for each scope.
  private static let lastDigests = """
    SELECT s.scope, d.digest
      FROM (SELECT 0 AS scope UNION ALL SELECT operator_id FROM operator) s
      JOIN LATERAL (SELECT digest
                      FROM journal_digest
                     WHERE journal_digest.scope = s.scope
                     ORDER BY last_position DESC
                     LIMIT 1) d ON true
    """

  /// Served by the primary key (scope, last_position).
  private static let digestAt = """
    SELECT digest
      FROM journal_digest
     WHERE scope = $1
       AND last_position <= $2
     ORDER BY last_position DESC
     LIMIT 1
    """

  /// The end of the last batch within the limit; of the first where that one is longer. Served by
  /// the primary key (last_position).
  private static let endOfDelta = """
    SELECT COALESCE(
             (SELECT max(last_position) FROM journal_batch
               WHERE last_position > $1 AND last_position <= $2),
             (SELECT min(last_position) FROM journal_batch WHERE last_position > $1)
           ) AS last_position,
           (SELECT min(position) FROM journal WHERE position > $1) AS first_position
    """

  /// Served by the primary key (position).
  private static let changes = """
    SELECT position, subject_kind, subject_key1, subject_key2, scope, status, ground_codes,
           overridable
      FROM journal
     WHERE position > $1
       AND position <= $2
       AND scope IN (0, $3)
     ORDER BY position
    """

  /// Served by the primary keys of journal (position) and journal_batch (last_position).
  private static let backlog = """
    SELECT count(*) AS rows, count(*) FILTER (WHERE scope IN (0, $2)) AS own,
           COALESCE((SELECT max(last_position) FROM journal_batch), 0) AS last_position
      FROM (SELECT scope FROM journal WHERE position > $1 ORDER BY position LIMIT $3) sample
    """

  private static let allChanges = """
    SELECT position, subject_kind, subject_key1, subject_key2, scope, status, ground_codes,
           overridable
      FROM journal
     WHERE position > $1
       AND position <= $2
     ORDER BY position
    """

  /// Served by the primary key (subject_kind, subject_key1, subject_key2, scope).
  private static let entryPage = """
    SELECT subject_kind, subject_key1, subject_key2, scope, status, ground_codes, overridable
      FROM list_entry
     WHERE (subject_kind, subject_key1, subject_key2, scope) > ($1, $2, $3, $4)
     ORDER BY subject_kind, subject_key1, subject_key2, scope
     LIMIT $5
    """
}
