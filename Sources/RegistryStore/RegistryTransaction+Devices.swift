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
      siblings: try await imeisOfDevice(with: imei).filter { $0 != imei },
      entries: try await connection.query(Self.entries, key).map { try $0.entry(directory) },
      pairingCount: try pairings.int(0),
      grounds: try await connection.query(Self.grounds, key).map { try $0.ground(directory) },
      releases: try await connection.query(Self.releases, key).map { try $0.release(directory) })
  }

  /// Makes one device of several IMEIs. What is in force on one of them holds for all: a case names
  /// the device, whichever of its IMEIs was reported.
  package func link(
    _ imeis: [IMEI], source: String, by actor: String
  ) async throws -> ChangeReceipt {
    let keys = imeis.map { Int64($0.number) }
    let taken = try await connection.query(Self.linkedIMEIs, keys).only()
    guard try taken.int(0) == 0 else {
      throw StoreError(.deviceTaken, "One of these IMEIs belongs to a device already.")
    }
    let device = try await connection.query(Self.insertDevice, source).only().int64("device_id")
    try await connection.query(Self.insertIMEIs, device, keys)
    let marks = try await connection.query(
      Self.inheritGrounds, device, keys, actor, DirtyPriority.block.rawValue)
    try await connection.query("SELECT pg_notify($1, '')", Self.dirtyChannel)
    return ChangeReceipt(marks: try marks.map { try $0.int64("dirty_id") }, imeis: imeis)
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
    SELECT count(*) FROM list_entry WHERE subject_kind = 4 AND subject_key1 = $1
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
  private static let linkedIMEIs = """
    SELECT count(*) FROM device_imei WHERE imei = ANY ($1) AND until IS NULL
    """

  private static let insertDevice = "INSERT INTO device (source) VALUES ($1) RETURNING device_id"

  private static let insertIMEIs = """
    INSERT INTO device_imei (device_id, imei) SELECT $1, unnest($2::bigint[])
    """

  /// Each IMEI receives the grounds in force that only its siblings have. Served by ground_subject.
  private static let inheritGrounds = """
    WITH held AS (
      SELECT DISTINCT ON (scope, code, status, source)
             scope, code, status, overridable, source, case_reference, reason, started_at
        FROM ground
       WHERE subject_kind = 1
         AND subject_key1 = ANY ($2)
         AND subject_key2 = 0
         AND ended_at IS NULL
         AND code <> 'protected'
       ORDER BY scope, code, status, source, started_at
    ), added AS (
      INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                          overridable, source, case_reference, reason, device_id, started_at,
                          recorded_by)
      SELECT 1, imei, 0, h.scope, h.code, h.status, h.overridable, h.source, h.case_reference,
             h.reason, $1, h.started_at, $3
        FROM unnest($2::bigint[]) AS asked (imei)
       CROSS JOIN held h
       WHERE NOT EXISTS (
               SELECT FROM ground g
                WHERE g.subject_kind = 1 AND g.subject_key1 = asked.imei AND g.subject_key2 = 0
                  AND g.scope = h.scope AND g.code = h.code AND g.status = h.status
                  AND g.source = h.source AND g.ended_at IS NULL)
      RETURNING subject_kind, subject_key1, subject_key2, scope
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT DISTINCT subject_kind, subject_key1, subject_key2, scope, $4::smallint FROM added
    RETURNING dirty_id
    """
}
