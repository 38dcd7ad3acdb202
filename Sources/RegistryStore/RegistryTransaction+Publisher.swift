package import DeviceLists
import PostgreSQL

/// Whom a person waits for goes first.
package enum DirtyPriority: Int16, Sendable {
  case release = 0
  case block = 1
  case mass = 2
}

/// A ground or a release as the fold needs it, with the times between which it is in force.
package struct Timed<Value: Sendable>: Sendable {
  package let value: Value
  /// Microseconds since 1970.
  package let start: Int64
  package let end: Int64?

  package func isInForce(at moment: Int64) -> Bool {
    start <= moment && end.map { $0 > moment } ?? true
  }

  /// The next moment after `moment` at which this begins or ends.
  package func nextChange(after moment: Int64) -> Int64? {
    [start, end].compactMap { $0 }.filter { $0 > moment }.min()
  }
}

/// A subject that was taken from the queue, with everything that its fold depends on.
package struct TakenSubject: Sendable {
  package let subject: Subject
  package let scope: ScopeNumber
  package let entryClass: EntryClass?
  package fileprivate(set) var grounds: [Timed<GroundInForce>] = []
  package fileprivate(set) var releases: [Timed<ReleaseInForce>] = []
}

/// What one transaction of the publisher takes.
package struct TakenBatch: Sendable {
  /// The moment of the fold, in microseconds since 1970, by the database's clock.
  package let asOfMicroseconds: Int64
  /// The most urgent first.
  package let subjects: [TakenSubject]
  /// Marks that were taken; several may name one subject.
  package let markCount: Int
  /// The highest number among the mass marks: where the next look may begin.
  package let lastMassMark: Int64?
}

/// What one transaction of the publisher writes.
package struct PublishedBatch: Sendable {
  package let epoch: Epoch
  package let rows: [JournalRow]
  /// Those of the rows whose subject was on no list of their scope before.
  package let newcomers: [JournalRow]
  package let asOfMicroseconds: Int64
  package let digests: [ScopeNumber: ListDigest]

  package init(
    epoch: Epoch, rows: [JournalRow], newcomers: [JournalRow], asOfMicroseconds: Int64,
    digests: [ScopeNumber: ListDigest]
  ) {
    self.epoch = epoch
    self.rows = rows
    self.newcomers = newcomers
    self.asOfMicroseconds = asOfMicroseconds
    self.digests = digests
  }
}

/// A subject that must be folded again at a moment that is known already.
package struct DueSubject: Hashable, Sendable {
  package let subject: Subject
  package let scope: ScopeNumber
  package let dueMicroseconds: Int64

  package init(subject: Subject, scope: ScopeNumber, dueMicroseconds: Int64) {
    self.subject = subject
    self.scope = scope
    self.dueMicroseconds = dueMicroseconds
  }
}

extension RegistryTransaction {
  /// The channel on which a batch is announced, with its last position. A hint only.
  package static let journalChannel = "ceir_journal"
  /// The channel on which writers announce marks. A hint only.
  package static let dirtyChannel = "ceir_dirty"

  /// Held by the leader's session as long as it lives. The number is arbitrary and must not change.
  package func takeLeadership() async throws -> Bool {
    try await connection.query("SELECT pg_try_advisory_lock(7348201151)").only().bool(0)
  }

  /// Takes at most `limit` marks and due subjects with their grounds. One statement, so that a mark
  /// and what was written with it are seen together.
  package func takeDirty(
    limit: Int, massMarksAfter: Int64, notBefore asOf: Int64
  ) async throws -> TakenBatch {
    let rows = try await connection.query(
      Self.take, limit, massMarksAfter, PostgreSQLTimestamp(microsecondsSince1970: asOf))
    var taken = BatchInTheMaking(asOfMicroseconds: asOf)
    for row in rows where try row.int32("row_kind") == 0 { try taken.addSubject(row) }
    taken.sort()
    for row in rows { try taken.addGrounds(row) }
    return taken.batch
  }

  /// Appends the batch to the journal, brings the entries to it and announces it.
  package func publish(_ batch: PublishedBatch) async throws {
    guard let first = batch.rows.first?.position, let last = batch.rows.last?.position else {
      return
    }
    let asOf = PostgreSQLTimestamp(microsecondsSince1970: batch.asOfMicroseconds)
    // The journal first: whoever wrongly believes to lead fails here and touches nothing else.
    try await copy(batch.rows, Self.copyJournal) { $0.append($1) }
    if !batch.newcomers.isEmpty {
      try await copy(batch.newcomers, Self.copyEntries) { $0.append($1, since: asOf) }
    }
    let (from, to) = (Int64(first.number), Int64(last.number))
    var statements = [
      PostgreSQLStatement(Self.insertBatch, to, from, batch.epoch.description, asOf)
    ]
    let removed = batch.rows.count { $0.entryClass == nil }
    if removed > 0 { statements.append(PostgreSQLStatement(Self.deleteEntries, from, to)) }
    if removed + batch.newcomers.count < batch.rows.count {
      statements.append(PostgreSQLStatement(Self.updateEntries, from, to, asOf))
    }
    for (scope, digest) in batch.digests {
      statements.append(
        PostgreSQLStatement(
          Self.insertDigest, scope.number, to, PostgreSQLBytes(digest.bytes)))
    }
    statements.append(
      PostgreSQLStatement("SELECT pg_notify($1, $2)", Self.journalChannel, String(to)))
    _ = try await connection.batch(statements)
  }

  private func copy(
    _ rows: [JournalRow], _ statement: String,
    append: (inout BinaryCopyWriter, JournalRow) -> Void
  ) async throws {
    try await connection.copyIn(statement) { writer in
      var buffer = BinaryCopyWriter()
      for row in rows {
        append(&buffer, row)
        if buffer.isFull { try await writer.write(&buffer) }
      }
      buffer.finish()
      try await writer.write(&buffer)
    }
  }

  package func addDue(_ due: some Collection<DueSubject>) async throws {
    guard !due.isEmpty else { return }
    let columns = due.map { SubjectColumns($0.subject) }
    try await connection.query(
      Self.insertDue,
      due.map { PostgreSQLTimestamp(microsecondsSince1970: $0.dueMicroseconds) },
      columns.map(\.kind), columns.map(\.key1), columns.map(\.key2), due.map(\.scope.number))
  }
}

/// Puts the rows of the statement together: it gives them in any order.
private struct BatchInTheMaking {
  private var subjects: [TakenSubject] = []
  private var order: [(priority: Int16, mark: Int64)] = []
  private var places: [SubjectInScope: Int] = [:]
  private var asOfMicroseconds: Int64
  private var markCount = 0
  private var lastMassMark: Int64?

  init(asOfMicroseconds: Int64) { self.asOfMicroseconds = asOfMicroseconds }

  var batch: TakenBatch {
    TakenBatch(
      asOfMicroseconds: asOfMicroseconds, subjects: subjects, markCount: markCount,
      lastMassMark: lastMassMark)
  }

  mutating func addSubject(_ row: PostgreSQLRow) throws {
    asOfMicroseconds = try row.timestamp("started_at").microsecondsSince1970
    markCount += try row.int("marks")
    if let mark = try row.optionalInt64("mass_mark") {
      lastMassMark = max(mark, lastMassMark ?? mark)
    }
    order.append((try row.int16("priority"), try row.optionalInt64("first_mark") ?? 0))
    subjects.append(
      TakenSubject(
        subject: try row.subject(), scope: ScopeNumber(try row.int32("scope")),
        entryClass: try row.entryClass()))
  }

  /// The most urgent first, then the oldest.
  mutating func sort() {
    let sorted = subjects.indices.sorted { order[$0] < order[$1] }
    subjects = sorted.map { subjects[$0] }
    places.reserveCapacity(subjects.count)
    for (place, taken) in subjects.enumerated() {
      places[SubjectInScope(subject: taken.subject, scope: taken.scope)] = place
    }
  }

  mutating func addGrounds(_ row: PostgreSQLRow) throws {
    let kind = try row.int32("row_kind")
    guard kind > 0 else { return }
    let key = SubjectInScope(
      subject: try row.subject(), scope: ScopeNumber(try row.int32("scope")))
    guard let place = places[key] else { return }
    if kind == 1 {
      subjects[place].grounds.append(try row.timedGround())
    } else {
      subjects[place].releases.append(try row.timedRelease())
    }
  }
}

/// A subject on the list of one scope.
struct SubjectInScope: Hashable {
  let subject: Subject
  let scope: ScopeNumber
}

extension PostgreSQLRow {
  fileprivate func timedGround() throws -> Timed<GroundInForce> {
    guard let status = try status(), let code = try codes("ground_codes").codes.first else {
      throw StoreError(.corrupt, "The database holds a ground without a status or a code.")
    }
    let ground = GroundInForce(
      code: code, status: status, isOverridable: try bool("overridable"))
    return try timed(ground)
  }

  fileprivate func timedRelease() throws -> Timed<ReleaseInForce> {
    try timed(
      ReleaseInForce(codes: try codes("ground_codes"), liftsWider: try bool("overridable")))
  }

  private func timed<Value>(_ value: Value) throws -> Timed<Value> {
    Timed(
      value: value, start: try timestamp("started_at").microsecondsSince1970,
      end: try optionalTimestamp("ended_at")?.microsecondsSince1970)
  }
}

extension BinaryCopyWriter {
  fileprivate mutating func append(_ entry: JournalRow, since: PostgreSQLTimestamp) {
    guard let entryClass = entry.entryClass else { return }
    let columns = SubjectColumns(entry.subject)
    row(fields: 9)
    int16(columns.kind)
    int64(columns.key1)
    int64(columns.key2)
    int32(entry.scope.number)
    int16(Int16(entryClass.status.rawValue))
    texts(entryClass.codes.codes.map(\.description))
    bool(entryClass.isOverridable)
    timestamp(since)
    int64(Int64(entry.position.number))
  }

  fileprivate mutating func append(_ change: JournalRow) {
    let columns = SubjectColumns(change.subject)
    row(fields: 8)
    int64(Int64(change.position.number))
    int16(columns.kind)
    int64(columns.key1)
    int64(columns.key2)
    int32(change.scope.number)
    if let entryClass = change.entryClass {
      int16(Int16(entryClass.status.rawValue))
      texts(entryClass.codes.codes.map(\.description))
      bool(entryClass.isOverridable)
    } else {
      null()
      texts([])
      bool(true)
    }
  }
}
