import CEIRService
import DeviceIdentity
import DeviceLists
import PostgreSQL
import RegistryStore

/// Puts black devices on the registry's list at once, as its publisher would leave them, batch by
/// batch with their digests: what takes it minutes is not what is measured.
struct ListFill {
  static let batch = 10_000
  static let entryClass = EntryClass(
    status: .black, codes: GroundCodeSet(.stolen), isOverridable: false)

  /// Where the list stands, and what it adds up to.
  private(set) var position: UInt64 = 0
  private(set) var digest = ListDigest.zero

  /// Different devices of a thousand types, in no order.
  static func keys(_ numbers: Range<UInt64>) -> [UInt64] {
    numbers.map { 35_000_000_000_000 + $0 * 7_919 % 1_000_000_000 }
  }

  /// What comes next, not yet written.
  mutating func portion(of keys: [UInt64]) -> Portion {
    var (rows, batches) = ("", "")
    rows.reserveCapacity(keys.count * 24)
    var canonical = CanonicalEntry(scope: .all, entryClass: Self.entryClass)
    var first = position + 1
    for key in keys {
      position += 1
      digest += canonical.digest(of: .imei(IMEI(unchecked: key)))
      rows += "\(position)\t\(key)\n"
      if position == first + UInt64(Self.batch) - 1 || key == keys.last {
        batches += "\(first)\t\(position)\t\(digest)\n"
        first = position + 1
      }
    }
    return Portion(rows: rows, batches: batches, position: position, digest: digest)
  }
}

extension ListFill {
  /// Changes of devices, each put on the list.
  struct Portion {
    /// `position imei` of each device.
    fileprivate let rows: String
    /// `first last digest` of each batch.
    fileprivate let batches: String
    /// Where the list stands after it.
    let position: UInt64
    let digest: ListDigest

    /// Writes it in one transaction.
    ///
    /// - Parameters:
    ///   - isInJournal: false leaves a journal that begins after it.
    ///   - beforeCommit: what must be ready when it appears.
    func write(
      to database: RegistryDatabase, isInJournal: Bool = true,
      beforeCommit: () async throws -> Void = {}
    ) async throws {
      let pool = database.ownerPool()
      try await pool.transaction(statementTimeout: .zero) { connection in
        try await connection.script(ListFill.createStages)
        try await copy(rows, "COPY bench_key FROM STDIN", connection)
        try await copy(batches, "COPY bench_batch FROM STDIN", connection)
        try await connection.script(ListFill.appendEntries)
        if isInJournal { try await connection.script(ListFill.appendJournal) }
        try await connection.script(ListFill.appendBatches)
        try await beforeCommit()
      }
      await pool.close()
    }

    private func copy(
      _ text: String, _ statement: String, _ connection: PostgreSQLConnection
    ) async throws {
      try await connection.copyIn(statement) { copy in
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
          try await copy.write(Array(rest.prefix(PostgreSQLConnection.copyChunkBytes)))
          rest = rest.dropFirst(PostgreSQLConnection.copyChunkBytes)
        }
      }
    }
  }
}

extension ListFill {
  fileprivate static let createStages = """
    CREATE TEMP TABLE bench_key (position bigint, imei bigint) ON COMMIT DROP;
    CREATE TEMP TABLE bench_batch (first bigint, last bigint, digest text) ON COMMIT DROP
    """

  fileprivate static let appendEntries = """
    INSERT INTO ceir.list_entry (subject_kind, subject_key1, subject_key2, scope, status,
                                 ground_codes, overridable, since, position)
    SELECT 1, imei, 0, 0, 1, '{stolen}', false, now(), position
      FROM bench_key
     ORDER BY imei
    """

  fileprivate static let appendJournal = """
    INSERT INTO ceir.journal (position, subject_kind, subject_key1, subject_key2, scope, status,
                              ground_codes, overridable)
    SELECT position, 1, imei, 0, 0, 1, '{stolen}', false
      FROM bench_key
    """

  fileprivate static let appendBatches = """
    INSERT INTO ceir.journal_batch (last_position, first_position, epoch, as_of)
    SELECT last, first, (SELECT epoch FROM ceir.epoch ORDER BY epoch_number DESC LIMIT 1), now()
      FROM bench_batch;
    INSERT INTO ceir.journal_digest (scope, last_position, digest)
    SELECT 0, last, decode(digest, 'hex')
      FROM bench_batch
    """
}
