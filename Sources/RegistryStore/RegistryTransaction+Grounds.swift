package import DeviceIdentity
package import DeviceLists
import PostgreSQL

extension RegistryTransaction {
  /// Records a ground on every IMEI of the device, in force from its start.
  ///
  /// Throws ``StoreError/Code/releaseStands`` where a release covers the code: the block would
  /// have no effect, and whoever blocks must know. Throws ``StoreError/Code/alreadyBlocked`` where
  /// the same source has the same ground in force on all of them.
  package func block(
    _ imei: IMEI, with ground: NewGround, by actor: String
  ) async throws -> ChangeReceipt {
    let scope = try await number(of: ground.scope)
    let imeis = try await lockDevices(of: [imei])
    let keys = imeis.map { Int64($0.number) }
    let standing = try await connection.query(
      Self.standingReleases, keys, scope, ground.code.description)
    if let release = standing.first {
      throw StoreError(
        .releaseStands,
        "Release \(try release.int64("release_id")) of "
          + "\(try release.instant("started_at")) covers the ground "
          + "\(ground.code): end it first, or the block would have no effect.")
    }
    let marks = try await connection.query(
      Self.insertGrounds, keys, scope, ground.code.description, Int16(ground.status.rawValue),
      ground.isOverridable, ground.source, ground.caseReference, ground.reason,
      ground.start.map(PostgreSQLTimestamp.init), ground.end.map(PostgreSQLTimestamp.init), actor,
      DirtyPriority.block.rawValue)
    guard !marks.isEmpty else {
      throw StoreError(
        .alreadyBlocked,
        "This device already has the ground \(ground.code) of the source \(ground.source).")
    }
    return try await receipt(marks, for: imeis)
  }

  /// Ends the grounds of `source`, black and grey, on every IMEI of the device.
  package func unblock(
    _ imei: IMEI, source: String, reason: String, by actor: String
  ) async throws -> ChangeReceipt {
    let imeis = try await lockDevices(of: [imei])
    let marks = try await connection.query(
      Self.endGrounds, imeis.map { Int64($0.number) }, source, actor, reason,
      DirtyPriority.release.rawValue)
    guard !marks.isEmpty else {
      throw StoreError(
        .notBlocked,
        "The source \(source) has no ground in force on this device. Grounds of other sources "
          + "are lifted by a release.")
    }
    return try await receipt(marks, for: imeis)
  }

  /// Releases every IMEI of the device from all that blocks or marks it now, whoever gave the
  /// grounds, on its type and ranges too.
  package func release(
    _ imei: IMEI, caseReference: String, reason: String, by actor: String
  ) async throws -> ChangeReceipt {
    let imeis = try await lockDevices(of: [imei])
    let marks = try await connection.query(
      Self.insertReleases, imeis.map { Int64($0.number) }, caseReference, reason, actor,
      DirtyPriority.release.rawValue)
    guard !marks.isEmpty else {
      throw StoreError(
        .notBlocked, "No black or grey ground is in force on this device, its type or a range.")
    }
    return try await receipt(marks, for: imeis)
  }

  /// Ends every release in force on the device: its grounds count again.
  package func endReleases(
    of imei: IMEI, reason: String, by actor: String
  ) async throws -> ChangeReceipt {
    let imeis = try await lockDevices(of: [imei])
    let marks = try await connection.query(
      Self.endReleases, imeis.map { Int64($0.number) }, actor, reason,
      DirtyPriority.block.rawValue)
    guard !marks.isEmpty else {
      throw StoreError(.notReleased, "No release is in force on this device.")
    }
    return try await receipt(marks, for: imeis)
  }

  /// The journal's end once every mark is gone; nil while one is left.
  package func published(_ receipt: ChangeReceipt) async throws -> Position? {
    let row = try await connection.query(Self.publishedPosition, receipt.marks).only()
    guard try row.bool("is_published") else { return nil }
    return Position(UInt64(try row.int64("position")))
  }

  /// These IMEIs and all others of their devices, in order.
  func imeisOfDevices(with imeis: [IMEI]) async throws -> [IMEI] {
    try Self.imeis(await connection.query(Self.siblings, imeis.map { Int64($0.number) }))
  }

  static func imeis(_ rows: PostgreSQLRows) throws -> [IMEI] {
    try rows.map { IMEI(unchecked: UInt64(try $0.int64("imei"))) }
  }

  func number(of scope: Scope) async throws -> Int32 {
    guard let number = try await operators().number(scope) else {
      throw StoreError(
        .unknownOperator, "There is no operator \(scope): see `ceir operator list`.")
    }
    return number.number
  }

  private func receipt(_ marks: PostgreSQLRows, for imeis: [IMEI]) async throws -> ChangeReceipt {
    let numbers = try marks.map { try $0.int64("dirty_id") }
    try await connection.query("SELECT pg_notify($1, '')", Self.dirtyChannel)
    return ChangeReceipt(marks: numbers, imeis: imeis)
  }
}

extension RegistryTransaction {
  /// Served by device_imei_current and the primary key of device_imei.
  static let siblings = """
    SELECT imei
      FROM unnest($1::bigint[]) AS asked (imei)
    UNION
    SELECT other.imei
      FROM device_imei own
      JOIN device_imei other ON other.device_id = own.device_id AND other.until IS NULL
     WHERE own.imei = ANY ($1)
       AND own.until IS NULL
     ORDER BY imei
    """

  /// Served by release_subject.
  private static let standingReleases = """
    SELECT release_id, started_at
      FROM release
     WHERE subject_kind = 1
       AND subject_key1 = ANY ($1)
       AND subject_key2 = 0
       AND scope IN (0, $2)
       AND $3 = ANY (codes)
       AND (ended_at IS NULL OR ended_at > now())
     ORDER BY release_id
     LIMIT 1
    """

  /// Leaves alone what the same source has in force already. Served by ground_subject.
  private static let insertGrounds = """
    WITH added AS (
      INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                          overridable, source, case_reference, reason, device_id, started_at,
                          ended_at, end_recorded_at, recorded_by, end_recorded_by)
      SELECT 1, imei, 0, $2, $3, $4, $5, $6, $7, $8,
             (SELECT device_id FROM device_imei d WHERE d.imei = asked.imei AND d.until IS NULL),
             COALESCE($9::timestamptz, now()), $10::timestamptz,
             CASE WHEN $10::timestamptz IS NULL THEN NULL ELSE now() END, $11,
             CASE WHEN $10::timestamptz IS NULL THEN NULL ELSE $11 END
        FROM unnest($1::bigint[]) AS asked (imei)
       WHERE NOT EXISTS (
               SELECT FROM ground g
                WHERE g.subject_kind = 1 AND g.subject_key1 = asked.imei AND g.subject_key2 = 0
                  AND g.scope = $2 AND g.code = $3 AND g.source = $6 AND g.status = $4
                  AND g.started_at <= COALESCE($9::timestamptz, now())
                  AND (g.ended_at IS NULL OR g.ended_at > now()))
      RETURNING subject_kind, subject_key1, subject_key2, scope
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT subject_kind, subject_key1, subject_key2, scope, $12 FROM added
    RETURNING dirty_id
    """

  /// A ground that has not begun ends before it begins. Served by ground_subject.
  private static let endGrounds = """
    WITH ended AS (
      UPDATE ground
         SET ended_at = now(), end_recorded_at = now(), end_recorded_by = $3, end_reason = $4
       WHERE subject_kind = 1
         AND subject_key1 = ANY ($1)
         AND subject_key2 = 0
         AND source = $2
         AND status <> 0
         AND (ended_at IS NULL OR ended_at > now())
      RETURNING subject_kind, subject_key1, subject_key2, scope
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT DISTINCT subject_kind, subject_key1, subject_key2, scope, $5::smallint FROM ended
    RETURNING dirty_id
    """

  /// One release for each IMEI and scope, of the codes in force on the IMEI, its type and the
  /// ranges that contain it. Served by ground_subject.
  private static let insertReleases = """
    WITH found AS (
      SELECT asked.imei, g.scope, g.code, g.subject_kind
        FROM unnest($1::bigint[]) AS asked (imei)
        JOIN ground g
          ON (g.subject_kind = 1 AND g.subject_key1 = asked.imei)
          OR (g.subject_kind = 2 AND g.subject_key1 <= asked.imei AND g.subject_key2 >= asked.imei)
          OR (g.subject_kind = 3 AND g.subject_key1 = asked.imei / 1000000)
       WHERE g.status <> 0
         AND g.started_at <= now()
         AND (g.ended_at IS NULL OR g.ended_at > now())
    ), added AS (
      INSERT INTO release (subject_kind, subject_key1, subject_key2, scope, codes, lifts_wider,
                           case_reference, reason, started_at, recorded_by)
      SELECT 1, imei, 0, scope, array_agg(DISTINCT code), bool_or(subject_kind <> 1), $2, $3,
             now(), $4
        FROM found
       GROUP BY imei, scope
      RETURNING subject_kind, subject_key1, subject_key2, scope
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT subject_kind, subject_key1, subject_key2, scope, $5 FROM added
    RETURNING dirty_id
    """

  /// Served by release_subject.
  private static let endReleases = """
    WITH ended AS (
      UPDATE release
         SET ended_at = now(), end_recorded_at = now(), end_recorded_by = $2, end_reason = $3
       WHERE subject_kind = 1
         AND subject_key1 = ANY ($1)
         AND subject_key2 = 0
         AND (ended_at IS NULL OR ended_at > now())
      RETURNING subject_kind, subject_key1, subject_key2, scope
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT DISTINCT subject_kind, subject_key1, subject_key2, scope, $4::smallint FROM ended
    RETURNING dirty_id
    """

  /// Served by the primary keys of dirty and journal_batch.
  private static let publishedPosition = """
    SELECT NOT EXISTS (SELECT FROM dirty WHERE dirty_id = ANY ($1)) AS is_published,
           COALESCE((SELECT max(last_position) FROM journal_batch), 0) AS position
    """
}
