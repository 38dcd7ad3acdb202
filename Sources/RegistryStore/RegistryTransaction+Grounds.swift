package import DeviceIdentity
package import DeviceLists
import PostgreSQL

extension RegistryTransaction {
  /// Records a ground on every IMEI of the device, in force from its start; of `ground` all counts
  /// but its subject.
  ///
  /// Throws ``StoreError/Code/releaseStands`` where a release covers the code: the block would
  /// have no effect, and whoever blocks must know. Throws ``StoreError/Code/alreadyBlocked`` where
  /// the same source has the same ground, for as long, on all of them, and
  /// ``StoreError/Code/unfit`` for one that would never be in force.
  package func block(
    _ imei: IMEI, with ground: NewGround, by actor: String
  ) async throws -> ChangeReceipt {
    let scope = try await number(of: ground.scope)
    let imeis = try await lockDevices(of: [imei])
    return try await add(ground, to: SubjectKeys(imeis), scope: scope, by: actor)
  }

  /// Records a ground on any subject. On an IMEI it is a ``block(_:with:by:)``, whatever its
  /// status. A pairing has the scope of the operator whose network its IMSI carries, and that of
  /// all where none here has it: the ground's own is not looked at.
  package func addGround(_ ground: NewGround, by actor: String) async throws -> ChangeReceipt {
    switch ground.subject {
    case .imei(let imei): return try await block(imei, with: ground, by: actor)
    case .pairing(let pairing):
      try await keepNetworks()
      let scope = try await scope(of: pairing.imsi)
      return try await add(ground, to: SubjectKeys(ground.subject), scope: scope, by: actor)
    case .range, .tac:
      let scope = try await number(of: ground.scope)
      return try await add(ground, to: SubjectKeys(ground.subject), scope: scope, by: actor)
    }
  }

  /// Ends the grounds of `source` on a subject, those of every IMEI of a device: all of them, or
  /// those of one code.
  package func endGrounds(
    on subject: Subject, code: GroundCode? = nil, source: String, reason: String, by actor: String
  ) async throws -> ChangeReceipt {
    var keys = SubjectKeys(subject)
    if case .imei(let imei) = subject { keys = SubjectKeys(try await lockDevices(of: [imei])) }
    let marks = try await connection.query(
      Self.endGrounds, keys.kind, keys.key1, keys.key2, source, actor, reason,
      code?.description, true, DirtyPriority.release.rawValue)
    guard !marks.isEmpty else {
      throw StoreError(
        .notBlocked, "The source \(source) has no such ground in force on this subject.")
    }
    return try await receipt(marks, for: keys)
  }

  /// Ends the grounds of `source`, black and grey, on every IMEI of the device.
  package func unblock(
    _ imei: IMEI, source: String, reason: String, by actor: String
  ) async throws -> ChangeReceipt {
    let keys = SubjectKeys(try await lockDevices(of: [imei]))
    let marks = try await connection.query(
      Self.endGrounds, keys.kind, keys.key1, keys.key2, source, actor, reason,
      String?.none, false, DirtyPriority.release.rawValue)
    guard !marks.isEmpty else {
      throw StoreError(
        .notBlocked,
        "The source \(source) has no ground in force on this device. Grounds of other sources "
          + "are lifted by a release.")
    }
    return try await receipt(marks, for: keys)
  }

  /// Releases every IMEI of the device from all that blocks or marks it now, whoever gave the
  /// grounds, on its type and ranges too.
  package func release(
    _ imei: IMEI, caseReference: String, reason: String, by actor: String
  ) async throws -> ChangeReceipt {
    let keys = SubjectKeys(try await lockDevices(of: [imei]))
    let marks = try await connection.query(
      Self.insertReleases, keys.key1, caseReference, reason, actor,
      DirtyPriority.release.rawValue)
    guard !marks.isEmpty else {
      throw StoreError(
        .notBlocked,
        "No black or grey ground that is not released already is in force on this device, its "
          + "type or a range.")
    }
    return try await receipt(marks, for: keys)
  }

  /// Ends every release in force on the device: its grounds count again.
  package func endReleases(
    of imei: IMEI, reason: String, by actor: String
  ) async throws -> ChangeReceipt {
    let keys = SubjectKeys(try await lockDevices(of: [imei]))
    let marks = try await connection.query(
      Self.endReleases, keys.key1, actor, reason, DirtyPriority.block.rawValue)
    guard !marks.isEmpty else {
      throw StoreError(.notReleased, "No release is in force on this device.")
    }
    return try await receipt(marks, for: keys)
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

  /// Throws ``StoreError/Code/unknownOperator``.
  package func operatorNumber(_ code: OperatorCode) async throws -> ScopeNumber {
    ScopeNumber(try await number(of: .only(code)))
  }

  func number(of scope: Scope) async throws -> Int32 {
    guard let number = try await operators().number(scope) else {
      throw StoreError(
        .unknownOperator, "There is no operator \(scope): see `ceir operator list`.")
    }
    return number.number
  }
}

/// Subjects of one kind that a ground is written for together.
private struct SubjectKeys {
  let kind: Int16
  let key1: [Int64]
  let key2: Int64
  let imeis: [IMEI]

  /// The IMEIs of a device.
  init(_ imeis: [IMEI]) {
    kind = Int16(Subject.Kind.imei.rawValue)
    key1 = imeis.map { Int64($0.number) }
    key2 = 0
    self.imeis = imeis
  }

  init(_ subject: Subject) {
    let columns = SubjectColumns(subject)
    (kind, key1, key2) = (columns.kind, [columns.key1], columns.key2)
    switch subject {
    case .imei(let imei): imeis = [imei]
    case .pairing(let pairing): imeis = [pairing.imei]
    case .range, .tac: imeis = []
    }
  }
}

extension RegistryTransaction {
  private func add(
    _ ground: NewGround, to keys: SubjectKeys, scope: Int32, by actor: String
  ) async throws -> ChangeReceipt {
    try await check(ground, on: keys)
    try await requireNoRelease(of: ground.code, on: keys, scope: scope)
    let marks = try await connection.query(
      Self.insertGrounds, keys.key1, scope, ground.code.description,
      Int16(ground.status.rawValue), ground.isOverridable, ground.source, ground.caseReference,
      ground.reason, ground.start.map(PostgreSQLTimestamp.init),
      ground.end.map(PostgreSQLTimestamp.init), actor, DirtyPriority.block.rawValue, keys.kind,
      keys.key2)
    guard !marks.isEmpty else {
      let subject = keys.kind == 1 ? "This device" : "This subject"
      throw StoreError(
        .alreadyBlocked,
        "\(subject) already has the ground \(ground.code) of the source \(ground.source).")
    }
    return try await receipt(marks, for: keys)
  }

  /// Refuses what would never be in force.
  private func check(_ ground: NewGround, on keys: SubjectKeys) async throws {
    if keys.kind == Int16(Subject.Kind.pairing.rawValue), ground.status == .grey {
      throw StoreError(.unfit, "A pairing is an exception or a block: its status cannot be grey.")
    }
    guard let end = ground.end else { return }
    if let start = ground.start, start >= end {
      throw StoreError(.unfit, "The ground would end at \(end), before it begins at \(start).")
    }
    let isOver = try await connection.query(
      "SELECT $1 <= statement_timestamp()", PostgreSQLTimestamp(end)
    ).only().bool(0)
    if isOver { throw StoreError(.unfit, "The ground would have ended already, at \(end).") }
  }

  private func requireNoRelease(
    of code: GroundCode, on keys: SubjectKeys, scope: Int32
  ) async throws {
    let standing = try await connection.query(
      Self.standingReleases, keys.key1, scope, code.description, keys.kind, keys.key2)
    guard let release = standing.first else { return }
    throw StoreError(
      .releaseStands,
      "Release \(try release.int64("release_id")) of "
        + "\(try release.instant("started_at")) covers the ground "
        + "\(code): end it first, or the block would have no effect.")
  }

  private func receipt(
    _ marks: PostgreSQLRows, for keys: SubjectKeys
  ) async throws -> ChangeReceipt {
    let numbers = try marks.map { try $0.int64("dirty_id") }
    // What a case says of a device is evidence for the rules too.
    try await markForClassification(keys.imeis.isEmpty ? nil : keys.imeis.map(\.number))
    try await connection.query("SELECT pg_notify($1, '')", Self.dirtyChannel)
    return ChangeReceipt(marks: numbers, imeis: keys.imeis)
  }
}

/// `statement_timestamp()`, not `now()`: what another transaction has recorded while this one
/// waited for the device's locks has begun already.
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

  /// Of the ground's own scope: each scope is folded for itself. Served by release_subject.
  private static let standingReleases = """
    SELECT release_id, started_at
      FROM release
     WHERE subject_kind = $4
       AND subject_key1 = ANY ($1)
       AND subject_key2 = $5
       AND scope = $2
       AND $3 = ANY (codes)
       AND (ended_at IS NULL OR ended_at > statement_timestamp())
     ORDER BY release_id
     LIMIT 1
    """

  /// Leaves alone what the same source has in force already for as long. Served by ground_subject.
  private static let insertGrounds = """
    WITH added AS (
      INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                          overridable, source, case_reference, reason, device_id, started_at,
                          ended_at, end_recorded_at, recorded_by, end_recorded_by)
      SELECT $13, key1, $14, $2, $3, $4, $5, $6, $7, $8,
             (SELECT device_id
                FROM device_imei d
               WHERE $13 = 1 AND d.imei = asked.key1 AND d.until IS NULL),
             COALESCE($9::timestamptz, statement_timestamp()), $10::timestamptz,
             CASE WHEN $10::timestamptz IS NULL THEN NULL ELSE statement_timestamp() END, $11,
             CASE WHEN $10::timestamptz IS NULL THEN NULL ELSE $11 END
        FROM unnest($1::bigint[]) AS asked (key1)
       WHERE NOT EXISTS (
               SELECT FROM ground g
                WHERE g.subject_kind = $13 AND g.subject_key1 = asked.key1
                  AND g.subject_key2 = $14
                  AND g.scope = $2 AND g.code = $3 AND g.source = $6 AND g.status = $4
                  AND g.started_at <= COALESCE($9::timestamptz, statement_timestamp())
                  AND (g.ended_at IS NULL
                       OR g.ended_at >= COALESCE($10::timestamptz, 'infinity')))
      RETURNING subject_kind, subject_key1, subject_key2, scope
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT subject_kind, subject_key1, subject_key2, scope, $12 FROM added
    RETURNING dirty_id
    """

  /// A ground that has not begun ends before it begins; one that a person has ended stays as it is,
  /// whoever waited for whom. Served by ground_subject.
  private static let endGrounds = """
    WITH ended AS (
      UPDATE ground
         SET ended_at = statement_timestamp(), end_recorded_at = statement_timestamp(),
             end_recorded_by = $5, end_reason = $6
       WHERE subject_kind = $1
         AND subject_key1 = ANY ($2)
         AND subject_key2 = $3
         AND source = $4
         AND ($7::text IS NULL OR code = $7)
         AND ($8::boolean OR status <> 0)
         AND (ended_at IS NULL OR (ended_at > statement_timestamp() AND end_reason IS NULL))
      RETURNING subject_kind, subject_key1, subject_key2, scope
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT DISTINCT subject_kind, subject_key1, subject_key2, scope, $9::smallint FROM ended
    RETURNING dirty_id
    """

  /// One release for each IMEI and scope, of the codes in force on the IMEI, its type and the
  /// ranges that contain it, without those that are released. Served by ground_subject and
  /// release_subject.
  private static let insertReleases = """
    WITH found AS (
      SELECT asked.imei, g.scope, g.code, g.subject_kind
        FROM unnest($1::bigint[]) AS asked (imei)
       CROSS JOIN LATERAL (
               SELECT subject_kind, scope, code, status, started_at, ended_at
                 FROM ground
                WHERE subject_kind = 1 AND subject_key1 = asked.imei
               UNION ALL
               SELECT subject_kind, scope, code, status, started_at, ended_at
                 FROM ground
                WHERE subject_kind = 2 AND subject_key1 <= asked.imei
                  AND subject_key2 >= asked.imei
               UNION ALL
               SELECT subject_kind, scope, code, status, started_at, ended_at
                 FROM ground
                WHERE subject_kind = 3 AND subject_key1 = asked.imei / 1000000) g
       WHERE g.status <> 0
         AND g.started_at <= statement_timestamp()
         AND (g.ended_at IS NULL OR g.ended_at > statement_timestamp())
         AND NOT EXISTS (
               SELECT FROM release r
                WHERE r.subject_kind = 1 AND r.subject_key1 = asked.imei AND r.subject_key2 = 0
                  AND r.scope = g.scope AND g.code = ANY (r.codes)
                  AND (r.lifts_wider OR g.subject_kind = 1)
                  AND (r.ended_at IS NULL OR r.ended_at > statement_timestamp()))
    ), added AS (
      INSERT INTO release (subject_kind, subject_key1, subject_key2, scope, codes, lifts_wider,
                           case_reference, reason, started_at, recorded_by)
      SELECT 1, imei, 0, scope, array_agg(DISTINCT code), bool_or(subject_kind <> 1), $2, $3,
             statement_timestamp(), $4
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
         SET ended_at = statement_timestamp(), end_recorded_at = statement_timestamp(),
             end_recorded_by = $2, end_reason = $3
       WHERE subject_kind = 1
         AND subject_key1 = ANY ($1)
         AND subject_key2 = 0
         AND (ended_at IS NULL OR (ended_at > statement_timestamp() AND end_reason IS NULL))
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
