package import DeviceIdentity
import DeviceLists
import PostgreSQL

extension RegistryTransaction {
  package func device(_ imei: IMEI) async throws -> DeviceRecord {
    let directory = try await operators()
    let key = Int64(imei.number)
    let allocation = try await connection.query(Self.allocation, Int64(imei.tac.number)).first
    let pairings = try await connection.query(Self.pairingCount, key).only()
    return DeviceRecord(
      imei: imei, manufacturer: try allocation?.string("manufacturer"),
      model: try allocation?.string("model"),
      siblings: try await imeisOfDevices(with: [imei]).filter { $0 != imei },
      entries: try await connection.query(Self.entries, key).map { try $0.entry(directory) },
      pairingCount: try pairings.int(0),
      grounds: try await connection.query(Self.grounds, key).map { try $0.ground(directory) },
      releases: try await connection.query(Self.releases, key).map { try $0.release(directory) })
  }

  /// IMEIs of one device that the registry takes: one for each SIM that can be served at once, and
  /// some to spare.
  package static let mostIMEIsOfDevice = 16

  /// Makes one device of several IMEIs, or adds them to the device that one of them belongs to.
  /// What is in force on one of them holds for all, releases too: a case names the device,
  /// whichever of its IMEIs was reported.
  ///
  /// Throws ``StoreError/Code/deviceTaken`` where they belong to different devices already, and
  /// ``StoreError/Code/unfit`` for none or too many.
  package func link(
    _ imeis: [IMEI], source: String, by actor: String
  ) async throws -> ChangeReceipt {
    guard imeis.count <= Self.mostIMEIsOfDevice else { throw Self.tooManyIMEIs }
    try await keepImportsOut()
    let all = try await lockDevices(of: imeis)
    guard !all.isEmpty else { throw StoreError(.unfit, "A device has at least one IMEI.") }
    guard all.count <= Self.mostIMEIsOfDevice else { throw Self.tooManyIMEIs }
    let keys = all.map { Int64($0.number) }
    let devices = try await connection.query(Self.devices, keys)
    guard devices.count <= 1 else {
      throw StoreError(.deviceTaken, "These IMEIs belong to different devices already.")
    }
    let known = try devices.first?.int64("device_id")
    let device = if let known { known } else { try await addDevice(source: source) }
    try await connection.query(Self.insertIMEIs, device, keys)
    let grounds = try await connection.query(
      Self.inheritGrounds, device, keys, actor, DirtyPriority.block.rawValue)
    let releases = try await connection.query(
      Self.inheritReleases, keys, actor, DirtyPriority.release.rawValue)
    try await connection.query("SELECT pg_notify($1, '')", Self.dirtyChannel)
    let marks = try (Array(grounds) + Array(releases)).map { try $0.int64("dirty_id") }
    return ChangeReceipt(marks: marks, imeis: all)
  }

  private func addDevice(source: String) async throws -> Int64 {
    try await connection.query(Self.insertDevice, source).only().int64("device_id")
  }

  private static var tooManyIMEIs: StoreError {
    StoreError(.unfit, "A device has at most \(mostIMEIsOfDevice) IMEIs.")
  }
}

extension PostgreSQLRow {
  fileprivate func scope(_ directory: OperatorDirectory) throws -> Scope {
    guard let scope = directory.scope(ScopeNumber(try int32("scope"))) else {
      throw StoreError(.corrupt, "The database holds a scope of no operator.")
    }
    return scope
  }

  fileprivate func entry(_ directory: OperatorDirectory) throws -> RecordedEntry {
    guard let entryClass = try entryClass() else {
      throw StoreError(.corrupt, "The database holds an entry without a status.")
    }
    return RecordedEntry(
      subject: try subject(), scope: try scope(directory), entryClass: entryClass,
      since: try instant("since"), position: Position(UInt64(try int64("position"))))
  }

  fileprivate func ground(_ directory: OperatorDirectory) throws -> RecordedGround {
    guard let status = try status() else {
      throw StoreError(.corrupt, "The database holds a ground without a status.")
    }
    return RecordedGround(
      number: try int64("ground_id"), subject: try subject(), scope: try scope(directory),
      code: try groundCode("code"), status: status, isOverridable: try bool("overridable"),
      source: try string("source"), caseReference: try string("case_reference"),
      reason: try string("reason"), start: try instant("started_at"),
      end: try optionalInstant("ended_at"), recordedBy: try string("recorded_by"),
      endRecordedBy: try optionalString("end_recorded_by"),
      endReason: try optionalString("end_reason"))
  }

  fileprivate func release(_ directory: OperatorDirectory) throws -> RecordedRelease {
    RecordedRelease(
      number: try int64("release_id"), subject: try subject(), scope: try scope(directory),
      codes: try codes("codes"), liftsWider: try bool("lifts_wider"),
      reason: try string("reason"), start: try instant("started_at"),
      end: try optionalInstant("ended_at"), recordedBy: try string("recorded_by"))
  }
}

extension RegistryTransaction {
  /// Served by tac_allocation_current.
  private static let allocation = """
    SELECT manufacturer, model FROM tac_allocation WHERE tac = $1 AND until IS NULL
    """

  /// Served by the primary key of list_entry.
  private static let pairingCount = """
    SELECT count(DISTINCT subject_key2)
      FROM list_entry
     WHERE subject_kind = 4
       AND subject_key1 = $1
    """

  /// The device's own entries, those of the ranges that contain it, and those of its type. Served
  /// by the primary key of list_entry.
  private static let entries = """
    SELECT subject_kind, subject_key1, subject_key2, scope, status, ground_codes, overridable,
           since, position
      FROM list_entry
     WHERE (subject_kind = 1 AND subject_key1 = $1)
        OR (subject_kind = 2 AND subject_key1 <= $1 AND subject_key2 >= $1)
        OR (subject_kind = 3 AND subject_key1 = $1 / 1000000)
     ORDER BY subject_kind, subject_key1, subject_key2, scope
    """

  /// Served by ground_subject.
  private static let grounds = """
    SELECT ground_id, subject_kind, subject_key1, subject_key2, scope, code, status, overridable,
           source, case_reference, reason, started_at, ended_at, recorded_by, end_recorded_by,
           end_reason
      FROM ground
     WHERE (subject_kind = 1 AND subject_key1 = $1)
        OR (subject_kind = 2 AND subject_key1 <= $1 AND subject_key2 >= $1)
        OR (subject_kind = 3 AND subject_key1 = $1 / 1000000)
     ORDER BY ground_id DESC
    """

  /// Served by release_subject.
  private static let releases = """
    SELECT release_id, subject_kind, subject_key1, subject_key2, scope, codes, lifts_wider, reason,
           started_at, ended_at, recorded_by
      FROM release
     WHERE subject_kind = 1
       AND subject_key1 = $1
       AND subject_key2 = 0
     ORDER BY release_id DESC
    """

  /// Served by device_imei_current.
  private static let devices = """
    SELECT DISTINCT device_id FROM device_imei WHERE imei = ANY ($1) AND until IS NULL
    """

  private static let insertDevice = "INSERT INTO device (source) VALUES ($1) RETURNING device_id"

  /// Served by device_imei_current.
  private static let insertIMEIs = """
    INSERT INTO device_imei (device_id, imei)
    SELECT $1, imei
      FROM unnest($2::bigint[]) AS asked (imei)
     WHERE NOT EXISTS (
             SELECT FROM device_imei d WHERE d.imei = asked.imei AND d.until IS NULL)
    """

  /// Each IMEI receives the grounds, in force or to come, that only its siblings have, with the
  /// ends that they have; of those that say the same, the oldest. A protected IMEI protects itself
  /// alone. Served by ground_subject.
  private static let inheritGrounds = """
    WITH held AS (
      SELECT DISTINCT ON (scope, code, status, source,
                          GREATEST(started_at, statement_timestamp()), ended_at)
             scope, code, status, overridable, source, case_reference, reason, started_at, ended_at
        FROM ground
       WHERE subject_kind = 1
         AND subject_key1 = ANY ($2)
         AND subject_key2 = 0
         AND (ended_at IS NULL OR ended_at > statement_timestamp())
         AND code <> 'protected'
       ORDER BY scope, code, status, source,
                GREATEST(started_at, statement_timestamp()), ended_at, started_at,
                ground_id
    ), added AS (
      INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                          overridable, source, case_reference, reason, device_id, started_at,
                          ended_at, end_recorded_at, recorded_by, end_recorded_by)
      SELECT 1, imei, 0, h.scope, h.code, h.status, h.overridable, h.source, h.case_reference,
             h.reason, $1, h.started_at, h.ended_at,
             CASE WHEN h.ended_at IS NULL THEN NULL ELSE statement_timestamp() END, $3,
             CASE WHEN h.ended_at IS NULL THEN NULL ELSE $3 END
        FROM unnest($2::bigint[]) AS asked (imei)
       CROSS JOIN held h
       WHERE NOT EXISTS (
               SELECT FROM ground g
                WHERE g.subject_kind = 1 AND g.subject_key1 = asked.imei AND g.subject_key2 = 0
                  AND g.scope = h.scope AND g.code = h.code AND g.status = h.status
                  AND g.source = h.source
                  AND g.started_at <= GREATEST(h.started_at, statement_timestamp())
                  AND (g.ended_at IS NULL OR g.ended_at >= COALESCE(h.ended_at, 'infinity')))
      RETURNING subject_kind, subject_key1, subject_key2, scope
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT DISTINCT subject_kind, subject_key1, subject_key2, scope, $4::smallint FROM added
    RETURNING dirty_id
    """

  /// Each IMEI receives the releases in force that only its siblings have; whether one lifts a
  /// ground of the type or of a range, its own type and ranges say. Served by release_subject and
  /// ground_subject.
  private static let inheritReleases = """
    WITH held AS (
      SELECT DISTINCT ON (scope, codes) scope, codes, case_reference, reason, approved_by
        FROM release
       WHERE subject_kind = 1
         AND subject_key1 = ANY ($1)
         AND subject_key2 = 0
         AND (ended_at IS NULL OR ended_at > statement_timestamp())
       ORDER BY scope, codes, release_id
    ), added AS (
      INSERT INTO release (subject_kind, subject_key1, subject_key2, scope, codes, lifts_wider,
                           case_reference, reason, started_at, recorded_by, approved_by)
      SELECT 1, imei, 0, h.scope, h.codes,
             EXISTS (
               SELECT FROM ground g
                WHERE g.subject_kind = 3 AND g.subject_key1 = asked.imei / 1000000
                  AND g.scope = h.scope AND g.code = ANY (h.codes) AND g.status <> 0
                  AND g.started_at <= statement_timestamp()
                  AND (g.ended_at IS NULL OR g.ended_at > statement_timestamp()))
             OR EXISTS (
               SELECT FROM ground g
                WHERE g.subject_kind = 2 AND g.subject_key1 <= asked.imei
                  AND g.subject_key2 >= asked.imei
                  AND g.scope = h.scope AND g.code = ANY (h.codes) AND g.status <> 0
                  AND g.started_at <= statement_timestamp()
                  AND (g.ended_at IS NULL OR g.ended_at > statement_timestamp())),
             h.case_reference, h.reason, statement_timestamp(), $2, h.approved_by
        FROM unnest($1::bigint[]) AS asked (imei)
       CROSS JOIN held h
       WHERE NOT EXISTS (
               SELECT FROM release r
                WHERE r.subject_kind = 1 AND r.subject_key1 = asked.imei AND r.subject_key2 = 0
                  AND r.scope = h.scope AND r.codes @> h.codes
                  AND (r.ended_at IS NULL OR r.ended_at > statement_timestamp()))
      RETURNING subject_kind, subject_key1, subject_key2, scope
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT DISTINCT subject_kind, subject_key1, subject_key2, scope, $3::smallint FROM added
    RETURNING dirty_id
    """
}
