import DeviceIdentity
import DeviceLists
import PostgreSQL

/// Lists whose lines are grounds. What is in force of a list are the grounds that imports of its
/// kind and source have begun and nobody has ended; those that a person gave are never touched.
extension RegistryTransaction {
  package func importGrounds(
    _ order: ListOrder, _ steps: ListSteps<GroundRow>
  ) async throws -> ImportOutcome {
    try await stage(steps.next)
    try await lockImports()
    if order.kind == .pairing { try await keepNetworks() }
    try await connection.script(order.kind == .pairing ? Self.wantPairings : Self.wantDevices)
    let measure = try await measure(order)
    let file = try steps.file(measure)
    if !order.mayRepeat { try await refuseRepeatedList(file) }
    let number = try await insertImport(file, by: order.actor)
    let marksOneByOne = order.kind != .barredTAC && measure.differences <= Self.mostMarks
    if measure.changed + measure.removed > 0 {
      let reason = "the list of \(order.source) says so no more (import \(number))"
      try await connection.query(
        Self.end, order.kind.rawValue, order.source, order.isDelta, order.actor, reason,
        DirtyPriority.mass.rawValue, marksOneByOne)
    }
    if measure.added + measure.changed > 0 {
      try await connection.query(
        Self.begin, order.kind.rawValue, order.source, number, order.actor,
        DirtyPriority.mass.rawValue, marksOneByOne)
    }
    if measure.differences > 0 {
      if !marksOneByOne { try await markForClassification(nil) }
      try await connection.query("SELECT pg_notify($1, '')", Self.dirtyChannel)
    }
    return measure.outcome(number)
  }

  private func measure(_ order: ListOrder) async throws -> ListMeasure {
    let stands = try await connection.query(Self.stands, order.kind.rawValue, order.source)
      .only().bool(0)
    guard order.isDelta || stands else {
      return ListMeasure(first: try await connection.query(Self.countWanted).only().int(0))
    }
    try await connection.script("ANALYZE wanted_ground (key1, key2)")
    return try await connection.query(
      order.isDelta ? Self.measureDelta : Self.measureFull, order.kind.rawValue, order.source
    ).only().measure()
  }

  private func stage(_ next: () throws -> GroundRow?) async throws {
    try await connection.script(Self.memoryForImports)
    try await connection.script(Self.stageGrounds)
    try await connection.copyIn(Self.copyGrounds) { writer in
      var buffer = BinaryCopyWriter()
      while let row = try next() {
        buffer.row(fields: 9)
        let subject = SubjectColumns(row.subject)
        buffer.int16(subject.kind)
        buffer.int64(subject.key1)
        buffer.int64(subject.key2)
        buffer.text(row.code.description)
        buffer.int16(Int16(row.code.defaultStatus.rawValue))
        buffer.bool(row.code.isOverridable)
        buffer.text(row.caseReference)
        if let day = row.reported {
          buffer.date(PostgreSQLDate(daysSince1970: Int32(clamping: day.daysSinceEpoch)))
        } else {
          buffer.null()
        }
        if let change = row.change { buffer.int16(change.rawValue) } else { buffer.null() }
        if buffer.isFull { try await writer.write(&buffer) }
      }
      buffer.finish()
      try await writer.write(&buffer)
    }
  }
}

extension RegistryTransaction {
  private static let stageGrounds = """
    CREATE TEMPORARY TABLE staged_ground (
      kind smallint, key1 bigint, key2 bigint, code text, status smallint, overridable boolean,
      case_reference text, reported date, change smallint
    ) ON COMMIT DROP
    """

  private static let copyGrounds = """
    COPY staged_ground (kind, key1, key2, code, status, overridable, case_reference, reported,
                        change)
    FROM STDIN (FORMAT binary)
    """

  /// A line that names one IMEI of a device counts for all of them, after those that name them
  /// themselves. Served by device_imei_current.
  private static let wantDevices = """
    CREATE TEMPORARY TABLE wanted_ground ON COMMIT DROP AS
    SELECT DISTINCT ON (COALESCE(other.imei, s.key1), s.code)
           s.kind, COALESCE(other.imei, s.key1) AS key1, s.key2, 0 AS scope, s.code, s.status,
           s.overridable, s.case_reference, own.device_id, s.change,
           s.reported::timestamp AT TIME ZONE r.time_zone AS reported_at
      FROM staged_ground s
     CROSS JOIN registry r
      LEFT JOIN device_imei own ON s.kind = 1 AND own.imei = s.key1 AND own.until IS NULL
      LEFT JOIN device_imei other ON other.device_id = own.device_id AND other.until IS NULL
     ORDER BY COALESCE(other.imei, s.key1), s.code, s.key1 <> COALESCE(other.imei, s.key1), s.key1
    """

  /// The scope of a pairing is that of the operator whose network its IMSI carries; of two networks
  /// the longer is meant. Served by operator_plmn_current.
  private static let wantPairings = """
    CREATE TEMPORARY TABLE wanted_ground ON COMMIT DROP AS
    WITH staged AS MATERIALIZED (
      SELECT s.*, left(lpad((key2 % 1000000000000000)::text,
                            (key2 / 1000000000000000)::integer, '0'), 6) AS prefix
        FROM staged_ground s
    ), network AS MATERIALIZED (
      SELECT p.prefix, COALESCE(owner.operator_id, 0) AS scope
        FROM (SELECT DISTINCT prefix FROM staged) p
        LEFT JOIN LATERAL (
               SELECT n.operator_id
                 FROM operator_plmn n
                 JOIN operator o USING (operator_id)
                WHERE n.plmn IN (left(p.prefix, 5), p.prefix)
                  AND n.until IS NULL
                  AND o.retired_at IS NULL
                ORDER BY length(n.plmn) DESC
                LIMIT 1) owner ON true
    )
    SELECT s.kind, s.key1, s.key2, n.scope, s.code, s.status, s.overridable, s.case_reference,
           NULL::bigint AS device_id, s.change, NULL::timestamptz AS reported_at
      FROM staged s
      JOIN network n USING (prefix)
     ORDER BY s.key1, s.key2
    """

  /// What is in force of the list of kind $1 and source $2. Where a ground began with its import,
  /// the file had no day for it. Served by import_content and ground_import.
  private static let standing = """
    SELECT g.ground_id, g.subject_key1 AS key1, g.subject_key2 AS key2, g.scope, g.code,
           g.case_reference, NULLIF(g.started_at, i.imported_at) AS reported_at
      FROM import i
      JOIN ground g USING (import_id)
     WHERE i.kind = $1
       AND i.source = $2
       AND g.ended_at IS NULL
    """

  private static let stands = "SELECT EXISTS (\(standing))"

  private static let countWanted = """
    SELECT count(*) FROM (SELECT FROM wanted_ground GROUP BY key1, key2) subject
    """

  /// Whether a wanted ground `w` says what the standing ground `c` says.
  private static let says = """
    w.key1 = c.key1 AND w.key2 = c.key2 AND w.scope = c.scope AND w.code = c.code
    AND w.case_reference = c.case_reference AND w.reported_at IS NOT DISTINCT FROM c.reported_at
    """

  private static let measureFull = """
    SELECT count(*) FILTER (WHERE stands) AS in_force, count(*) FILTER (WHERE wants) AS staged,
           count(*) FILTER (WHERE wants AND NOT stands) AS added,
           count(*) FILTER (WHERE wants AND stands AND differs) AS changed,
           count(*) FILTER (WHERE stands AND NOT wants) AS removed,
           count(*) FILTER (WHERE wants AND stands AND NOT differs) AS unchanged,
           0::bigint AS wrong_adds, 0::bigint AS wrong_removes, 0::bigint AS wrong_updates
      FROM (SELECT COALESCE(w.key1, c.key1), COALESCE(w.key2, c.key2),
                   bool_or(c.key1 IS NOT NULL) AS stands, bool_or(w.key1 IS NOT NULL) AS wants,
                   bool_or(w.key1 IS NULL OR c.key1 IS NULL
                           OR w.case_reference <> c.case_reference
                           OR w.reported_at IS DISTINCT FROM c.reported_at) AS differs
              FROM wanted_ground w
              FULL JOIN (\(standing)) c
                ON w.key1 = c.key1 AND w.key2 = c.key2 AND w.scope = c.scope AND w.code = c.code
             GROUP BY 1, 2) subject
    """

  private static let measureDelta = """
    WITH c AS MATERIALIZED (\(standing))
    SELECT (SELECT count(DISTINCT (key1, key2)) FROM c) AS in_force, count(*) AS staged,
           count(*) FILTER (WHERE change <> 2 AND NOT stands) AS added,
           count(*) FILTER (WHERE change <> 2 AND stands AND differs) AS changed,
           count(*) FILTER (WHERE change = 2 AND stands) AS removed,
           count(*) FILTER (WHERE change <> 2 AND stands AND NOT differs) AS unchanged,
           count(*) FILTER (WHERE change = 1 AND stands) AS wrong_adds,
           count(*) FILTER (WHERE change = 2 AND NOT stands) AS wrong_removes,
           count(*) FILTER (WHERE change = 3 AND NOT stands) AS wrong_updates
      FROM (SELECT w.key1, w.key2, min(w.change) AS change,
                   bool_or(c.key1 IS NOT NULL) AS stands,
                   bool_or(NOT (\(says))) AS differs
              FROM wanted_ground w
              LEFT JOIN c ON w.key1 = c.key1 AND w.key2 = c.key2
             GROUP BY 1, 2) subject
    """

  /// $3: only subjects that the file names; else all.
  private static let end = """
    WITH c AS MATERIALIZED (\(standing)
    ), ended AS (
      UPDATE ground g
         SET ended_at = statement_timestamp(), end_recorded_at = statement_timestamp(),
             end_recorded_by = $4, end_reason = $5
        FROM c
       WHERE g.ground_id = c.ground_id
         AND g.ended_at IS NULL
         AND (NOT $3::boolean
              OR EXISTS (SELECT FROM wanted_ground w
                          WHERE w.key1 = c.key1 AND w.key2 = c.key2))
         AND NOT EXISTS (SELECT FROM wanted_ground w
                          WHERE \(says) AND w.change IS DISTINCT FROM 2)
      RETURNING g.subject_kind, g.subject_key1, g.subject_key2, g.scope
    ), pending AS (
      INSERT INTO classify_pending (imei) SELECT DISTINCT subject_key1 FROM ended WHERE $7
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT DISTINCT subject_kind, subject_key1, subject_key2, scope, $6::smallint FROM ended
    """

  private static let begin = """
    WITH c AS MATERIALIZED (\(standing)
    ), begun AS (
      INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                          overridable, source, case_reference, device_id, import_id, started_at,
                          recorded_by)
      SELECT w.kind, w.key1, w.key2, w.scope, w.code, w.status, w.overridable, $2,
             w.case_reference, w.device_id, i.import_id, LEAST(i.imported_at, w.reported_at), $4
        FROM wanted_ground w
        JOIN import i ON i.import_id = $3
       WHERE w.change IS DISTINCT FROM 2
         AND NOT EXISTS (SELECT FROM c WHERE \(says))
      RETURNING subject_kind, subject_key1, subject_key2, scope
    ), pending AS (
      INSERT INTO classify_pending (imei) SELECT DISTINCT subject_key1 FROM begun WHERE $6
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT subject_kind, subject_key1, subject_key2, scope, $5::smallint FROM begun
    """
}
