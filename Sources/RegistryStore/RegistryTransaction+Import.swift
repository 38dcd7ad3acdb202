package import DeviceIdentity
package import DeviceLists
import PostgreSQL

/// A file that was handed over, as it is recorded.
package struct ImportedFile: Sendable {
  package enum Kind: String, Sendable {
    case tac, stolen, `operator`, registration, pairing, golden, barred, monitoring, subscribers
    case associations
    case goldenHashed = "golden-hashed"
    case barredTAC = "barred-tac"
    case typeApproval = "type-approval"
  }

  package let kind: Kind
  package let fileName: String
  package let sha256: [UInt8]
  package let source: String
  /// How it was read, where there is more than one way: the same bytes, read otherwise, say
  /// something else.
  package let form: String
  package let rowsRead: Int
  package let rowsKept: Int
  package let rowsRepeated: Int
  package let rowsRefused: Int
  /// Whether its lines are changes.
  package var isDelta = false
  /// Names of the checks that were set aside for it, and why.
  package var accepted: [String] = []
  package var acceptedReason = ""
  /// A JSON object of what each check has found.
  package var measured = "{}"
  /// Whose networks it is about, and the days, of what networks saw.
  var sightings: (of: ScopeNumber, days: ClosedRange<CivilDate>)?

  package init(
    kind: Kind, fileName: String, sha256: [UInt8], source: String, form: String = "",
    rowsRead: Int, rowsKept: Int, rowsRepeated: Int, rowsRefused: Int
  ) {
    self.kind = kind
    self.fileName = fileName
    self.sha256 = sha256
    self.source = source
    self.form = form
    self.rowsRead = rowsRead
    self.rowsKept = rowsKept
    self.rowsRepeated = rowsRepeated
    self.rowsRefused = rowsRefused
  }
}

/// One line of a TAC list, ready to be stored. `attributes` is a JSON object.
package struct TACRow: Sendable {
  package let tac: TAC
  package let manufacturer: String
  package let model: String
  package let attributes: String

  package init(tac: TAC, manufacturer: String, model: String, attributes: String) {
    self.tac = tac
    self.manufacturer = manufacturer
    self.model = model
    self.attributes = attributes
  }
}

/// One line of a stolen list, ready to be stored.
package struct StolenRow: Sendable {
  package let imei: IMEI
  package let code: GroundCode
  package let caseReference: String
  /// Nil: from the time of the import.
  package let reported: CivilDate?

  package init(imei: IMEI, code: GroundCode, caseReference: String, reported: CivilDate?) {
    self.imei = imei
    self.code = code
    self.caseReference = caseReference
    self.reported = reported
  }
}

/// What an import changed.
package struct ImportOutcome: Sendable {
  package let importNumber: Int64
  package let added: Int
  package let changed: Int
  package let unchanged: Int
  /// Rows that the file has ended without beginning another.
  package var removed = 0
}

extension RegistryTransaction {
  /// When the same bytes were imported before: from the same source, read in the same way. Lines
  /// that were refused then may be good on another day, so that such a file is repeated for a day
  /// only.
  package func earlierImport(
    of kind: ImportedFile.Kind, sha256: [UInt8], source: String, form: String = ""
  ) async throws -> (number: Int64, at: Instant)? {
    let rows = try await connection.query(
      Self.sameContent, kind.rawValue, PostgreSQLBytes(sha256), source, form)
    return try rows.first.map { (try $0.int64("import_id"), try $0.instant("imported_at")) }
  }

  /// Replaces what is known of these types; types that the list does not name stay. `file` is asked
  /// for once `next` has given its last row.
  package func importTACs(
    by actor: String, next: () throws -> TACRow?, file: () -> ImportedFile
  ) async throws -> ImportOutcome {
    try await connection.script(Self.stageTACs)
    let staged = try await connection.copyIn(Self.copyTACs) { writer in
      var buffer = BinaryCopyWriter()
      while let row = try next() {
        buffer.row(fields: 4)
        buffer.int32(Int32(row.tac.number))
        buffer.text(row.manufacturer)
        buffer.text(row.model)
        buffer.text(row.attributes)
        if buffer.isFull { try await writer.write(&buffer) }
      }
      buffer.finish()
      try await writer.write(&buffer)
    }
    let number = try await begin(file(), by: actor)
    let changed = try await connection.execute(Self.endChangedTACs)
    let added = try await connection.execute(Self.insertTACs, number)
    if added > 0 { try await markForClassification(nil) }
    return ImportOutcome(
      importNumber: number, added: added - changed, changed: changed,
      unchanged: staged - added)
  }

  /// Adds a ground for each line whose device does not have it from this source already. `file` is
  /// asked for once `next` has given its last row.
  package func importStolen(
    by actor: String, next: () throws -> StolenRow?, file: () -> ImportedFile
  ) async throws -> ImportOutcome {
    try await connection.script(Self.stageStolen)
    try await connection.copyIn(Self.copyStolen) { writer in
      var buffer = BinaryCopyWriter()
      while let row = try next() {
        buffer.row(fields: 5)
        buffer.int64(Int64(row.imei.number))
        buffer.text(row.code.description)
        buffer.bool(row.code.isOverridable)
        buffer.text(row.caseReference)
        if let reported = row.reported {
          buffer.date(PostgreSQLDate(daysSince1970: Int32(clamping: reported.daysSinceEpoch)))
        } else {
          buffer.null()
        }
        if buffer.isFull { try await writer.write(&buffer) }
      }
      buffer.finish()
      try await writer.write(&buffer)
    }
    let file = file()
    let number = try await begin(file, by: actor)
    let counts = try await connection.query(
      Self.insertStolen, number, file.source, actor, DirtyPriority.mass.rawValue, Self.mostMarks
    ).only()
    try await connection.query("SELECT pg_notify($1, '')", Self.dirtyChannel)
    let added = try counts.int("added")
    if added > Self.mostMarks { try await markForClassification(nil) }
    return ImportOutcome(
      importNumber: number, added: added, changed: 0,
      unchanged: try counts.int("staged") - added)
  }

  /// From here on no other import is under way: two that run at once read side by side and bring
  /// their lines in one after the other. Throws ``StoreError/Code/alreadyImported`` where the other
  /// was of the same file.
  private func begin(_ file: ImportedFile, by actor: String) async throws -> Int64 {
    try await lockImports()
    try await refuseRepeated(file)
    return try await insertImport(file, by: actor)
  }

  func refuseRepeated(_ file: ImportedFile) async throws {
    let earlier = try await earlierImport(
      of: file.kind, sha256: file.sha256, source: file.source, form: file.form)
    if let earlier {
      throw StoreError(
        .alreadyImported,
        "The same file was taken in at \(earlier.at) as import \(earlier.number).")
    }
  }

  func insertImport(_ file: ImportedFile, by actor: String) async throws -> Int64 {
    try await connection.query(
      Self.insertImport, file.kind.rawValue, file.fileName, PostgreSQLBytes(file.sha256),
      file.source, file.form, file.rowsRead, file.rowsKept, file.rowsRepeated, file.rowsRefused,
      actor, file.isDelta, file.accepted, file.acceptedReason, file.measured,
      file.sightings?.of.number, file.sightings?.days.lowerBound.column,
      file.sightings?.days.upperBound.column
    ).only().int64("import_id")
  }
}

extension RegistryTransaction {
  /// Served by import_content.
  private static let sameContent = """
    SELECT import_id, imported_at
      FROM import
     WHERE kind = $1
       AND sha256 = $2
       AND source = $3
       AND form = $4
       AND (rows_refused = 0 OR imported_at > now() - interval '1 day')
     ORDER BY import_id
     LIMIT 1
    """

  private static let insertImport = """
    INSERT INTO import (kind, file_name, sha256, source, form, rows_read, rows_kept,
                        rows_repeated, rows_refused, imported_by, is_delta, accepted,
                        accepted_reason, measured, operator_id, first_day, last_day,
                        after_position, imported_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
            COALESCE((SELECT max(last_position) FROM journal_batch), 0), statement_timestamp())
    RETURNING import_id
    """

  private static let stageTACs = """
    CREATE TEMPORARY TABLE staged_tac (
      tac integer PRIMARY KEY, manufacturer text, model text, attributes text
    ) ON COMMIT DROP
    """

  private static let copyTACs = """
    COPY staged_tac (tac, manufacturer, model, attributes) FROM STDIN (FORMAT binary)
    """

  /// Served by tac_allocation_current.
  private static let endChangedTACs = """
    UPDATE tac_allocation a
       SET until = now()
      FROM staged_tac s
     WHERE a.tac = s.tac
       AND a.until IS NULL
       AND (a.manufacturer, a.model, a.attributes)
           IS DISTINCT FROM (s.manufacturer, s.model, s.attributes::jsonb)
    """

  /// Served by tac_allocation_current.
  private static let insertTACs = """
    INSERT INTO tac_allocation (tac, manufacturer, model, attributes, import_id)
    SELECT s.tac, s.manufacturer, s.model, s.attributes::jsonb, $1
      FROM staged_tac s
     WHERE NOT EXISTS (
             SELECT FROM tac_allocation a WHERE a.tac = s.tac AND a.until IS NULL)
    """

  private static let stageStolen = """
    CREATE TEMPORARY TABLE staged_stolen (
      imei bigint PRIMARY KEY, code text, overridable boolean, case_reference text, reported date
    ) ON COMMIT DROP
    """

  private static let copyStolen = """
    COPY staged_stolen (imei, code, overridable, case_reference, reported)
    FROM STDIN (FORMAT binary)
    """

  /// A line that names one IMEI of a device counts for all of them, after those that name them
  /// themselves. A report counts from its day
  /// on, by the registry's calendar. Served by device_imei_current and ground_subject.
  private static let insertStolen = """
    WITH affected AS (
      SELECT DISTINCT ON (COALESCE(other.imei, s.imei), s.code)
             COALESCE(other.imei, s.imei) AS imei, s.code, s.overridable, s.case_reference,
             own.device_id,
             LEAST(i.imported_at, s.reported::timestamp AT TIME ZONE r.time_zone) AS started_at
        FROM staged_stolen s
       CROSS JOIN registry r
        JOIN import i ON i.import_id = $1
        LEFT JOIN device_imei own ON own.imei = s.imei AND own.until IS NULL
        LEFT JOIN device_imei other
               ON other.device_id = own.device_id AND other.until IS NULL
       ORDER BY COALESCE(other.imei, s.imei), s.code,
                s.imei <> COALESCE(other.imei, s.imei), s.imei
    ), added AS (
      INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                          overridable, source, case_reference, device_id, import_id, started_at,
                          recorded_by)
      SELECT 1, a.imei, 0, 0, a.code, 1, a.overridable, $2, a.case_reference, a.device_id, $1,
             a.started_at, $3
        FROM affected a
       WHERE NOT EXISTS (
               SELECT FROM ground g
                WHERE g.subject_kind = 1 AND g.subject_key1 = a.imei AND g.subject_key2 = 0
                  AND g.scope = 0 AND g.code = a.code AND g.source = $2 AND g.status = 1
                  AND g.started_at <= statement_timestamp() AND g.ended_at IS NULL)
      RETURNING subject_key1
    ), marked AS (
      INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
      SELECT 1, subject_key1, 0, 0, $4 FROM added
      RETURNING dirty_id
    ), pending AS (
      INSERT INTO classify_pending (imei)
      SELECT DISTINCT subject_key1 FROM added WHERE (SELECT count(*) FROM added) <= $5
    )
    SELECT (SELECT count(*) FROM affected) AS staged, (SELECT count(*) FROM marked) AS added
    """
}
