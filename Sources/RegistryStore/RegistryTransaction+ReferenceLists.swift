package import DeviceLists
import PostgreSQL

/// Lists whose lines are reference data. Two files of one list and source wait for each other; of
/// others they do not.
extension RegistryTransaction {
  package func importList(
    _ list: ReferenceList, _ order: ListOrder, _ steps: ListSteps<ReferenceRow>
  ) async throws -> ImportOutcome {
    let staged = try await stage(steps.next)
    try await connection.query(Self.lockList, "\(list.rawValue)/\(order.source)")
    let measure = try await measure(list, order, staged: staged)
    let file = try steps.file(measure)
    if !order.mayRepeat { try await refuseRepeatedList(file) }
    let number = try await insertImport(file, by: order.actor)
    let marksOneByOne = Self.marksByIMEI(list) && measure.differences <= Self.mostMarks
    if measure.inForce > 0, measure.changed + measure.removed > 0 {
      try await connection.query(
        order.isDelta ? Self.endByDelta : Self.endByFull, list.rawValue, order.source,
        marksOneByOne)
    }
    if measure.added + measure.changed > 0 {
      try await connection.query(
        Self.insertRows, list.rawValue, order.source, number)
      if marksOneByOne { try await connection.query(Self.markRows, number) }
    }
    if !marksOneByOne, measure.differences > 0 { try await markForClassification(nil) }
    return measure.outcome(number)
  }

  /// Throws ``StoreError/Code/alreadyImported``. After the lock: another may have been first.
  func refuseRepeatedList(_ file: ImportedFile) async throws {
    let earlier = try await earlierList(
      of: file.kind, sha256: file.sha256, source: file.source, form: file.form,
      isDelta: file.isDelta)
    guard let earlier else { return }
    throw StoreError(
      .alreadyImported,
      "The same file was taken in at \(earlier.at) as import \(earlier.number).")
  }

  /// When the same file of this list was imported before. A file of changes: ever. One that says
  /// what is in force: only if it is the newest, for what another said since must give way.
  package func earlierList(
    of kind: ImportedFile.Kind, sha256: [UInt8], source: String, form: String, isDelta: Bool
  ) async throws -> (number: Int64, at: Instant)? {
    if isDelta {
      return try await earlierImport(of: kind, sha256: sha256, source: source, form: form)
    }
    let rows = try await connection.query(
      Self.newestList, kind.rawValue, PostgreSQLBytes(sha256), source, form)
    return try rows.first.map { (try $0.int64("import_id"), try $0.instant("imported_at")) }
  }

  private func stage(_ next: () throws -> ReferenceRow?) async throws -> Int {
    try await connection.script(Self.memoryForImports)
    try await connection.script(Self.stageRows)
    return try await connection.copyIn(Self.copyRows) { writer in
      var buffer = BinaryCopyWriter()
      while let row = try next() {
        buffer.row(fields: 4)
        buffer.int64(row.key1)
        buffer.text(row.keyText)
        buffer.text(row.attributes)
        if let change = row.change { buffer.int16(change.rawValue) } else { buffer.null() }
        if buffer.isFull { try await writer.write(&buffer) }
      }
      buffer.finish()
      try await writer.write(&buffer)
    }
  }

  private func measure(
    _ list: ReferenceList, _ order: ListOrder, staged: Int
  ) async throws -> ListMeasure {
    if !order.isDelta {
      let hasRows = try await connection.query(Self.hasRows, list.rawValue, order.source)
        .only().bool(0)
      guard hasRows else { return ListMeasure(first: staged) }
    }
    try await connection.script("ANALYZE staged_row (key1, key_text)")
    let sql = order.isDelta ? Self.measureDelta : Self.measureFull
    return try await connection.query(sql, list.rawValue, order.source).only().measure()
  }

  private static func marksByIMEI(_ list: ReferenceList) -> Bool {
    switch list {
    case .registration, .monitoring, .associations: true
    case .golden, .subscribers, .typeApproval: false
    }
  }
}

extension ListMeasure {
  /// Of a list of which nothing is in force.
  init(first staged: Int) {
    self.init(
      inForce: 0, staged: staged, added: staged, changed: 0, removed: 0, unchanged: 0,
      wrongAdds: 0, wrongRemoves: 0, wrongUpdates: 0)
  }

  var differences: Int { added + changed + removed }

  func outcome(_ number: Int64) -> ImportOutcome {
    ImportOutcome(
      importNumber: number, added: added, changed: changed, unchanged: unchanged,
      removed: removed)
  }
}

extension PostgreSQLRow {
  func measure() throws -> ListMeasure {
    ListMeasure(
      inForce: try int("in_force"), staged: try int("staged"), added: try int("added"),
      changed: try int("changed"), removed: try int("removed"),
      unchanged: try int("unchanged"), wrongAdds: try int("wrong_adds"),
      wrongRemoves: try int("wrong_removes"), wrongUpdates: try int("wrong_updates"))
  }
}

extension RegistryTransaction {
  /// Of a million rows, a sort or a join of the keys stays in memory.
  static let memoryForImports = "SET LOCAL work_mem = '128MB'"

  /// Two numbers are a space of their own beside the locks of one number.
  static let lockList = "SELECT pg_advisory_xact_lock(734820116, hashtext($1))"

  /// Served by import_content.
  private static let newestList = """
    SELECT import_id, imported_at
      FROM (SELECT import_id, imported_at, sha256, form, rows_refused
              FROM import
             WHERE kind = $1
               AND source = $3
             ORDER BY import_id DESC
             LIMIT 1) newest
     WHERE sha256 = $2
       AND form = $4
       AND (rows_refused = 0 OR imported_at > now() - interval '1 day')
    """

  private static let stageRows = """
    CREATE TEMPORARY TABLE staged_row (
      key1 bigint, key_text text, attributes text, change smallint
    ) ON COMMIT DROP
    """

  private static let copyRows = """
    COPY staged_row (key1, key_text, attributes, change) FROM STDIN (FORMAT binary)
    """

  /// Served by reference_row_current.
  private static let hasRows = """
    SELECT EXISTS (
      SELECT FROM reference_row WHERE list = $1 AND source = $2 AND until IS NULL)
    """

  /// Served by reference_row_current.
  private static let measureFull = """
    SELECT count(c.key1) AS in_force, count(s.key1) AS staged,
           count(*) FILTER (WHERE c.key1 IS NULL) AS added,
           count(*) FILTER (WHERE c.attributes <> s.attributes) AS changed,
           count(*) FILTER (WHERE s.key1 IS NULL) AS removed,
           count(*) FILTER (WHERE c.attributes = s.attributes) AS unchanged,
           0::bigint AS wrong_adds, 0::bigint AS wrong_removes, 0::bigint AS wrong_updates
      FROM staged_row s
      FULL JOIN (SELECT key1, key_text, attributes
                   FROM reference_row
                  WHERE list = $1
                    AND source = $2
                    AND until IS NULL) c
        ON c.key1 = s.key1
       AND c.key_text = s.key_text
    """

  /// Served by reference_row_current.
  private static let measureDelta = """
    SELECT (SELECT count(*)
              FROM reference_row
             WHERE list = $1
               AND source = $2
               AND until IS NULL) AS in_force,
           count(*) AS staged,
           count(*) FILTER (WHERE s.change <> 2 AND c.key1 IS NULL) AS added,
           count(*) FILTER (WHERE s.change <> 2 AND c.attributes <> s.attributes) AS changed,
           count(*) FILTER (WHERE s.change = 2 AND c.key1 IS NOT NULL) AS removed,
           count(*) FILTER (WHERE s.change <> 2 AND c.attributes = s.attributes) AS unchanged,
           count(*) FILTER (WHERE s.change = 1 AND c.key1 IS NOT NULL) AS wrong_adds,
           count(*) FILTER (WHERE s.change = 2 AND c.key1 IS NULL) AS wrong_removes,
           count(*) FILTER (WHERE s.change = 3 AND c.key1 IS NULL) AS wrong_updates
      FROM staged_row s
      LEFT JOIN reference_row c
        ON c.list = $1
       AND c.source = $2
       AND c.key1 = s.key1
       AND c.key_text = s.key_text
       AND c.until IS NULL
    """

  /// Ends what the file does not name, or names otherwise. Served by reference_row_current.
  private static let endByFull = """
    WITH ended AS (
      UPDATE reference_row r
         SET until = statement_timestamp()
       WHERE r.list = $1
         AND r.source = $2
         AND r.until IS NULL
         AND NOT EXISTS (
               SELECT FROM staged_row s
                WHERE s.key1 = r.key1
                  AND s.key_text = r.key_text
                  AND s.attributes = r.attributes)
      RETURNING r.key1
    )
    INSERT INTO classify_pending (imei) SELECT DISTINCT key1 FROM ended WHERE $3
    """

  /// Served by reference_row_current.
  private static let endByDelta = """
    WITH ended AS (
      UPDATE reference_row r
         SET until = statement_timestamp()
        FROM staged_row s
       WHERE r.list = $1
         AND r.source = $2
         AND r.key1 = s.key1
         AND r.key_text = s.key_text
         AND r.until IS NULL
         AND (s.change = 2 OR s.attributes <> r.attributes)
      RETURNING r.key1
    )
    INSERT INTO classify_pending (imei) SELECT DISTINCT key1 FROM ended WHERE $3
    """

  /// What is to be in force and is not, in the order of the keys. Served by reference_row_current.
  private static let insertRows = """
    INSERT INTO reference_row (list, source, key1, key_text, attributes, import_id, since)
    SELECT $1, $2, s.key1, s.key_text, s.attributes, $3, statement_timestamp()
      FROM staged_row s
     WHERE s.change IS DISTINCT FROM 2
       AND NOT EXISTS (
             SELECT FROM reference_row r
              WHERE r.list = $1
                AND r.source = $2
                AND r.key1 = s.key1
                AND r.key_text = s.key_text
                AND r.until IS NULL)
     ORDER BY s.key1, s.key_text
    """

  /// Served by reference_row_import.
  private static let markRows = """
    INSERT INTO classify_pending (imei)
    SELECT DISTINCT key1 FROM reference_row WHERE import_id = $1
    """
}
