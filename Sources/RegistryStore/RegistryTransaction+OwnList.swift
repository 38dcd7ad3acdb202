import DeviceIdentity
import DeviceLists
import PostgreSQL

/// An operator's own black list: grounds of a source of its own, for its own networks alone. What
/// the operator has asked for by requests is of another source: a nightly list does not end it.
extension RegistryTransaction {
  /// Lines of one list, full or delta.
  package static let mostOwnListLines = 5_000_000
  /// Changes whose publication can be waited for.
  static let mostAwaitedChanges = 10_000

  /// Makes the list exactly that of the lines: what it had before and the lines do not name ends.
  /// Of lines that name one IMEI the last counts.
  ///
  /// Throws ``StoreError/Code/policyForbids`` where the operator may not ask for blocks at all.
  package nonisolated(nonsending) func replaceOwnList(
    of node: NodeIdentity, next: () async throws -> OwnListLine?
  ) async throws -> OwnListOutcome {
    try await stageOwnList(of: node, next: next)
    return try await bringIn(Self.replaceOwnList, over: Self.holdOwnList, of: node)
  }

  /// Adds and removes what the lines say; of lines that name one IMEI the last counts.
  package nonisolated(nonsending) func changeOwnList(
    of node: NodeIdentity, next: () async throws -> OwnListLine?
  ) async throws -> OwnListOutcome {
    try await stageOwnList(of: node, next: next)
    return try await bringIn(Self.changeOwnList, over: Self.holdNamed, of: node)
  }

  private nonisolated(nonsending) func stageOwnList(
    of node: NodeIdentity, next: () async throws -> OwnListLine?
  ) async throws {
    guard try await policy(of: node.operatorNumber).blockRequests != .refused else {
      throw StoreError(.policyForbids, "The operator's policy takes no list of its own.")
    }
    try await connection.script(Self.stageOwnList)
    try await connection.copyIn(Self.copyOwnList) { writer in
      var buffer = BinaryCopyWriter()
      var line: Int64 = 0
      while let row = try await next() {
        line += 1
        guard line <= Self.mostOwnListLines else {
          throw StoreError(.unfit, "A list has at most \(Self.mostOwnListLines) lines.")
        }
        buffer.row(fields: 5)
        buffer.int64(line)
        buffer.bool(row.operation == .remove)
        buffer.int64(Int64(row.imei.number))
        buffer.text(row.reason)
        buffer.text(row.caseReference)
        if buffer.isFull { try await writer.write(&buffer) }
      }
      buffer.finish()
      try await writer.write(&buffer)
    }
  }

  /// Meanwhile no other list of the operator comes in, and no IMEI joins a device. The tables
  /// between are analysed, or a plan for a few lines would be taken for millions.
  private func bringIn(
    _ change: String, over hold: String, of node: NodeIdentity
  ) async throws -> OwnListOutcome {
    let source = Self.ownListSource(of: node.operatorCode)
    try await lockOperator(node.operatorNumber)
    try await lockImports()
    try await connection.query(Self.affectOwnList)
    try await connection.script("ANALYZE affected_own")
    try await connection.query(hold, node.operatorNumber.number, source)
    try await connection.script("ANALYZE held_own")
    let row = try await connection.query(
      change, node.operatorNumber.number, source,
      "node:\(node.operatorCode)/\(node.name)", DirtyPriority.mass.rawValue,
      Self.mostAwaitedChanges
    ).only()
    let marks = try row.int64s("marks")
    if !marks.isEmpty { try await connection.query("SELECT pg_notify($1, '')", Self.dirtyChannel) }
    return OwnListOutcome(
      added: try row.int("added"), ended: try row.int("ended"),
      unchanged: try row.int("unchanged"), present: try row.imeis("present"),
      missing: try row.imeis("missing"), foreign: try row.imeis("foreign"),
      receipt: marks.isEmpty || marks.count > Self.mostAwaitedChanges
        ? nil : ChangeReceipt(marks: marks, imeis: []))
  }
}

extension PostgreSQLRow {
  fileprivate func imeis(_ column: PostgreSQLColumn) throws -> [IMEI] {
    try int64s(column).map { IMEI(unchecked: UInt64($0)) }
  }
}

extension RegistryTransaction {
  private static let stageOwnList = """
    CREATE TEMPORARY TABLE staged_own (
      line bigint, is_removed boolean, imei bigint, reason text, case_reference text
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE affected_own (
      imei bigint, is_named boolean, is_removed boolean, reason text, case_reference text,
      device_id bigint
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE held_own (ground_id bigint, imei bigint) ON COMMIT DROP
    """

  private static let copyOwnList = """
    COPY staged_own (line, is_removed, imei, reason, case_reference) FROM STDIN (FORMAT binary)
    """

  /// The lines that count, each for all IMEIs of its device after those that name them themselves.
  /// Served by device_imei_current and the primary key of device_imei.
  private static let affectOwnList = """
    INSERT INTO affected_own (imei, is_named, is_removed, reason, case_reference, device_id)
    SELECT DISTINCT ON (COALESCE(other.imei, l.imei))
           COALESCE(other.imei, l.imei), l.imei = COALESCE(other.imei, l.imei), l.is_removed,
           l.reason, l.case_reference, own.device_id
      FROM (SELECT DISTINCT ON (imei) imei, is_removed, reason, case_reference
              FROM staged_own
             ORDER BY imei, line DESC) l
      LEFT JOIN device_imei own ON own.imei = l.imei AND own.until IS NULL
      LEFT JOIN device_imei other ON other.device_id = own.device_id AND other.until IS NULL
     ORDER BY COALESCE(other.imei, l.imei), l.imei <> COALESCE(other.imei, l.imei), l.imei
    """

  /// All that the operator has on its list. Served by ground_own.
  private static let holdOwnList = """
    INSERT INTO held_own (ground_id, imei)
    SELECT ground_id, subject_key1
      FROM ground
     WHERE scope = $1
       AND scope <> 0
       AND source = $2
       AND ended_at IS NULL
       AND subject_kind = 1
       AND code = 'operatorRequest'
    """

  /// What of it the lines name. Served by ground_subject.
  private static let holdNamed = """
    INSERT INTO held_own (ground_id, imei)
    SELECT g.ground_id, g.subject_key1
      FROM affected_own a
      JOIN ground g ON g.subject_kind = 1 AND g.subject_key1 = a.imei AND g.subject_key2 = 0
     WHERE g.scope = $1
       AND g.source = $2
       AND g.ended_at IS NULL
       AND g.code = 'operatorRequest'
    """

  /// From the grounds that end and those that begin to the marks and the counts.
  private static let ownListChanges = """
    ended AS (
      UPDATE ground g
         SET ended_at = statement_timestamp(), end_recorded_at = statement_timestamp(),
             end_recorded_by = $3, end_reason = 'no longer on the operator''s list'
        FROM leaving l
       WHERE g.ground_id = l.ground_id
         AND g.ended_at IS NULL
      RETURNING g.subject_key1 AS imei
    ), added AS (
      INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                          overridable, source, case_reference, reason, device_id, started_at,
                          recorded_by)
      SELECT 1, a.imei, 0, $1, 'operatorRequest', 1, true, $2, a.case_reference, a.reason,
             a.device_id, statement_timestamp(), $3
        FROM affected_own a
       WHERE NOT a.is_removed
         AND NOT EXISTS (SELECT FROM held_own h WHERE h.imei = a.imei)
      RETURNING subject_key1 AS imei
    ), marked AS (
      INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
      SELECT 1, imei, 0, $1, $4::smallint
        FROM (SELECT imei FROM ended UNION SELECT imei FROM added) changed
      RETURNING dirty_id
    ), present AS (
      SELECT a.imei, a.is_named
        FROM affected_own a
       WHERE NOT a.is_removed AND EXISTS (SELECT FROM held_own h WHERE h.imei = a.imei)
    ), missing AS (
      SELECT a.imei, a.is_named
        FROM affected_own a
       WHERE a.is_removed AND NOT EXISTS (SELECT FROM held_own h WHERE h.imei = a.imei)
    )
    SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM ended) AS ended,
           (SELECT count(*) FROM present) + (SELECT count(*) FROM missing) AS unchanged,
           ARRAY(SELECT dirty_id FROM marked LIMIT $5 + 1) AS marks,

    """

  private static let replaceOwnList =
    """
    WITH leaving AS (
      SELECT h.ground_id
        FROM held_own h
       WHERE NOT EXISTS (SELECT FROM affected_own a WHERE a.imei = h.imei)
    ),

    """ + ownListChanges + """
             '{}'::bigint[] AS present, '{}'::bigint[] AS missing, '{}'::bigint[] AS foreign
      """

  /// What another source blocks: served by ground_subject.
  private static let changeOwnList =
    """
    WITH leaving AS (
      SELECT h.ground_id
        FROM held_own h
        JOIN affected_own a USING (imei)
       WHERE a.is_removed
    ),

    """ + ownListChanges + """
             ARRAY(SELECT imei FROM present WHERE is_named) AS present,
             ARRAY(SELECT imei FROM missing WHERE is_named) AS missing,
             ARRAY(SELECT m.imei
                     FROM missing m
                    WHERE m.is_named
                      AND EXISTS (
                            SELECT FROM ground g
                             WHERE g.subject_kind = 1 AND g.subject_key1 = m.imei
                               AND g.subject_key2 = 0 AND g.scope IN (0, $1)
                               AND g.status = 1 AND g.source <> $2
                               AND g.started_at <= statement_timestamp()
                               AND (g.ended_at IS NULL
                                    OR g.ended_at > statement_timestamp()))) AS foreign
      """
}
