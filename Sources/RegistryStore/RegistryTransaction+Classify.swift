package import DeviceLists
import PostgreSQL

/// Grounds that a run has begun and ended.
package struct GroundCounts: Hashable, Sendable {
  package var begun = 0
  package var ended = 0

  package init() {}
}

extension RegistryTransaction {
  /// Stores what a run found for one condition: classifications with their grounds, and marks for
  /// the publisher. Set-based: time grows with the changes alone.
  ///
  /// - Parameter ground: nil where the condition blocks nobody.
  package func store(
    _ writes: [ClassificationWrite], of label: String, ground: ConditionGround?, run: Int64,
    asOf day: CivilDate, by actor: String
  ) async throws -> GroundCounts {
    try await connection.script(Self.stage)
    try await connection.copyIn(Self.copyStaged) { copy in
      var buffer = BinaryCopyWriter()
      for write in writes {
        buffer.row(fields: 7)
        buffer.int64(write.imei)
        buffer.text(write.identity)
        buffer.int64(write.ended)
        buffer.int64(write.endedGround)
        Self.put(write.since, &buffer)
        Self.put(write.blockOn, &buffer)
        buffer.bool(write.hasAmnesty)
        if buffer.isFull { try await copy.write(&buffer) }
      }
      buffer.finish()
      try await copy.write(&buffer)
    }
    try await connection.script("ANALYZE staged_classification")
    var counts = GroundCounts()
    counts.ended = try await connection.execute(
      Self.endGrounds, actor, DirtyPriority.mass.rawValue)
    _ = try await connection.execute(Self.endClassifications, day.column, run)
    if let ground {
      counts.begun = try await connection.execute(
        Self.beginGrounds, ground.code.description, ground.code.isOverridable,
        ConditionGround.source(label), ground.reason, actor, DirtyPriority.mass.rawValue, label, run
      )
      if ground.isGreyBefore {
        counts.begun += try await connection.execute(
          Self.beginGreys, ground.code.description, ConditionGround.source(label), ground.reason,
          actor, DirtyPriority.mass.rawValue)
      }
    }
    _ = try await connection.execute(Self.beginInformative, label, run)
    try await connection.script("DROP TABLE staged_classification")
    try await connection.query("SELECT pg_notify($1, '')", Self.dirtyChannel)
    return counts
  }

  private static func put(_ day: Int32?, _ buffer: inout BinaryCopyWriter) {
    if let day {
      buffer.date(PostgreSQLDate(daysSince1970: day))
    } else {
      buffer.null()
    }
  }

  /// What no IMEI is, and the open classifications of such identities.
  package func unusableFacts(months: [CivilDate]) async throws -> [(String, DeviceFact)] {
    let days = months.map(\.column)
    return try await connection.query(Self.unusable, days).map { row in
      (
        try row.string("identity"),
        DeviceFact(
          imei: 0, kind: DeviceFact.Kind(rawValue: try row.int16("kind")) ?? .sighting,
          first: UInt64(try row.int64("first")), second: UInt64(try row.int64("second")),
          days: UInt32(bitPattern: try row.int32("days")),
          technologies: try row.int32("technologies"), number: try row.int32("number"),
          day: try row.int32("day"), word: try row.string("word"))
      )
    }
  }

  /// When each of the devices that `run` names was first seen before `day`.
  package func firstSeen(
    of run: Int64, before day: CivilDate
  ) async throws -> [UInt64: Int32] {
    var first: [UInt64: Int32] = [:]
    for row in try await connection.query(Self.firstSeen, run, day.column) {
      first[UInt64(try row.int64("imei"))] = try row.date("first_day").daysSince1970
    }
    return first
  }

  /// Names the devices that ``readFacts(months:needs:of:_:)`` reads for the run.
  package func setSubjects(_ imeis: [UInt64], of run: Int64) async throws {
    try await connection.execute("DELETE FROM classify_subject WHERE run_id = $1", run)
    try await connection.copyIn(
      "COPY classify_subject (run_id, imei) FROM STDIN (FORMAT binary)"
    ) { copy in
      var buffer = BinaryCopyWriter()
      for imei in imeis {
        buffer.row(fields: 2)
        buffer.int64(run)
        buffer.int64(Int64(imei))
        if buffer.isFull { try await copy.write(&buffer) }
      }
      buffer.finish()
      try await copy.write(&buffer)
    }
  }

  /// Devices marked since the last run, up to the mark; nil instead of them where all must be
  /// looked at.
  package func pending() async throws -> (upTo: Int64, imeis: [UInt64]?) {
    let head = try await connection.query(Self.pendingHead).only()
    let upTo = try head.int64("up_to")
    guard try !head.bool("all") else { return (upTo, nil) }
    let imeis = try await connection.query(Self.pendingDevices, upTo).map {
      UInt64(try $0.int64("imei"))
    }
    return (upTo, imeis)
  }

  package func clearPending(upTo mark: Int64) async throws {
    try await connection.execute("DELETE FROM classify_pending WHERE pending_id <= $1", mark)
  }

  /// Takes live sightings into their months; returns how many rows there were.
  package func mergeLive(upTo horizon: PostgreSQLMoment) async throws -> Int {
    let merged = try await connection.query(Self.mergeLive, horizon.timestamp).only().int(0)
    try await connection.execute(Self.noteMerged, horizon.timestamp)
    return merged
  }

  package func liveHorizon() async throws -> PostgreSQLMoment {
    PostgreSQLMoment(
      timestamp: try await connection.query("SELECT live_horizon()").only().timestamp(0))
  }

  /// Operators that have handed over files, and lack one for the newest month of all.
  package func operatorsWithoutMonth() async throws -> [(code: String, month: CivilDate)] {
    try await connection.query(Self.missingMonths).map {
      (
        try $0.string("code"),
        CivilDate(daysSinceEpoch: Int64(try $0.date("month").daysSince1970))
      )
    }
  }

  /// Meanwhile no month is replaced.
  package func keepMonths() async throws {
    try await connection.query("SELECT pg_advisory_xact_lock_shared(7348201161)")
  }

  /// The most devices that a subscriber used in these months, for those who used at least
  /// `threshold`.
  package func devicesOfSubscribers(
    months: [CivilDate], atLeast threshold: Int
  ) async throws -> [UInt64: UInt32] {
    var devices: [UInt64: UInt32] = [:]
    for row in try await connection.query(
      Self.devicesOfSubscribers, months.map(\.column), Int32(threshold))
    {
      devices[UInt64(try row.int64("imsi"))] = UInt32(try row.int64("devices"))
    }
    return devices
  }
}

/// A moment as the database has it, to the microsecond.
package struct PostgreSQLMoment: Sendable {
  let timestamp: PostgreSQLTimestamp
}

extension RegistryTransaction {
  private static let stage = """
    CREATE TEMPORARY TABLE staged_classification (
      imei bigint, identity text, ended bigint, ended_ground bigint, since date, block_on date,
      has_amnesty boolean
    ) ON COMMIT DROP
    """

  private static let copyStaged = """
    COPY staged_classification (imei, identity, ended, ended_ground, since, block_on, has_amnesty)
    FROM STDIN (FORMAT binary)
    """

  /// A ground whose time has not come ends as it begins. Grey ones of the same device end with it.
  /// Served by the primary key of ground and ground_subject.
  private static let endGrounds = """
    WITH gone AS (
      UPDATE ground g
         SET ended_at = GREATEST(now(), g.started_at),
             end_recorded_at = now(),
             end_recorded_by = $1,
             end_reason = 'the condition no longer holds, or its date has changed'
        FROM staged_classification s
       WHERE g.ground_id = s.ended_ground
         AND g.ended_at IS NULL
      RETURNING g.subject_key1
    ), grey AS (
      UPDATE ground g
         SET ended_at = now(),
             end_recorded_at = now(),
             end_recorded_by = $1,
             end_reason = 'the condition no longer holds, or its date has changed'
        FROM staged_classification s
        JOIN ground black ON black.ground_id = s.ended_ground
       WHERE g.subject_kind = 1 AND g.subject_key1 = s.imei AND g.subject_key2 = 0
         AND g.scope = 0 AND g.source = black.source AND g.status = 2
         AND g.ended_at > now()
      RETURNING g.subject_key1
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT 1, subject_key1, 0, 0, $2 FROM (SELECT subject_key1 FROM gone
                                            UNION SELECT subject_key1 FROM grey) ended
    """

  /// Served by the primary key of classification.
  private static let endClassifications = """
    UPDATE classification c
       SET until = $1, end_run_id = $2
      FROM staged_classification s
     WHERE c.classification_id = s.ended
       AND c.until IS NULL
    """

  private static let beginGrounds = """
    WITH begun AS (
      INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                          overridable, source, reason, started_at, recorded_by)
      SELECT 1, s.imei, 0, 0, $1, 1, $2, $3, $4,
             s.block_on::timestamp AT TIME ZONE r.time_zone, $5
        FROM staged_classification s
       CROSS JOIN registry r
       WHERE s.since IS NOT NULL AND s.block_on IS NOT NULL AND s.imei >= 0
       ORDER BY s.imei
      RETURNING ground_id, subject_key1
    ), known AS (
      INSERT INTO classification (condition, imei, identity, since, block_on, has_amnesty,
                                  ground_id, run_id)
      SELECT $7, s.imei, '', s.since, s.block_on, s.has_amnesty, b.ground_id, $8
        FROM begun b
        JOIN staged_classification s ON s.imei = b.subject_key1
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT 1, subject_key1, 0, 0, $6 FROM begun
    """

  /// Grey from now to the block.
  private static let beginGreys = """
    WITH begun AS (
      INSERT INTO ground (subject_kind, subject_key1, subject_key2, scope, code, status,
                          overridable, source, reason, started_at, ended_at, recorded_by,
                          end_recorded_at, end_recorded_by, end_reason)
      SELECT 1, s.imei, 0, 0, $1, 2, true, $2, $3, now(),
             s.block_on::timestamp AT TIME ZONE r.time_zone, $4, now(), $4, 'the block begins'
        FROM staged_classification s
       CROSS JOIN registry r
       WHERE s.since IS NOT NULL AND s.imei >= 0
         AND s.block_on::timestamp AT TIME ZONE r.time_zone > now()
       ORDER BY s.imei
      RETURNING subject_key1
    )
    INSERT INTO dirty (subject_kind, subject_key1, subject_key2, scope, priority)
    SELECT 1, subject_key1, 0, 0, $5 FROM begun
    """

  private static let beginInformative = """
    INSERT INTO classification (condition, imei, identity, since, block_on, has_amnesty, run_id)
    SELECT $1, s.imei, s.identity, s.since,
           CASE WHEN s.imei >= 0 THEN s.block_on END, s.has_amnesty, $2
      FROM staged_classification s
     WHERE s.since IS NOT NULL
       AND (s.block_on IS NULL OR s.imei < 0)
    """

  /// Served by the primary key of sighting_unusable and classification_open.
  private static let unusable = """
    SELECT identity, 0::smallint AS kind, imsi AS first, msisdn AS second, days, technologies,
           operator_id AS number, month - '1970-01-01'::date AS day, '' AS word
      FROM sighting_unusable
     WHERE month = ANY ($1::date[])
    UNION ALL
    SELECT identity, 1::smallint, classification_id, COALESCE(ground_id, 0), has_amnesty::integer,
           0, COALESCE(block_on - '1970-01-01'::date, -2147483648), since - '1970-01-01'::date,
           condition
      FROM classification
     WHERE until IS NULL AND imei = -1
     ORDER BY identity
    """

  /// Served by the primary keys of seen_imei and of the partitions.
  private static let firstSeen = """
    SELECT imei, min(day)::date AS first_day
      FROM (SELECT s.imei,
                   s.month + floor(log(2, (s.days & -s.days)::bigint::numeric))::integer AS day
              FROM sighting s
              JOIN classify_subject c ON c.imei = s.imei AND c.run_id = $1
             WHERE s.month < $2 AND s.days > 0
            UNION ALL
            SELECT e.imei, e.first_day
              FROM seen_imei e
              JOIN classify_subject c ON c.imei = e.imei AND c.run_id = $1) seen
     WHERE day < $2
     GROUP BY imei
    """

  private static let pendingHead = """
    SELECT COALESCE(max(pending_id), 0) AS up_to, COALESCE(bool_or(imei = -1), false) AS all
      FROM classify_pending
    """

  private static let pendingDevices = """
    SELECT DISTINCT imei FROM classify_pending WHERE pending_id <= $1 AND imei >= 0 ORDER BY imei
    """

  private static let mergeLive = """
    SELECT merge_live(COALESCE((SELECT merged_until FROM sighting_merge), '-infinity'), $1)
    """

  private static let noteMerged = """
    INSERT INTO sighting_merge (merged_until) VALUES ($1)
        ON CONFLICT (only_row) DO UPDATE SET merged_until = EXCLUDED.merged_until
    """

  /// Served by the primary key of sighting_day.
  private static let missingMonths = """
    WITH newest AS (
      SELECT date_trunc('month', max(day))::date AS month FROM sighting_day WHERE imeis > 0
    )
    SELECT o.code, n.month
      FROM operator o
     CROSS JOIN newest n
     WHERE o.retired_at IS NULL
       AND n.month IS NOT NULL
       AND EXISTS (SELECT FROM sighting_day d WHERE d.operator_id = o.operator_id)
       AND NOT EXISTS (
             SELECT FROM sighting_day d
              WHERE d.operator_id = o.operator_id AND d.day >= n.month AND d.imeis > 0)
     ORDER BY o.code
    """

  /// One pass over the partitions.
  private static let devicesOfSubscribers = """
    SELECT imsi, count(DISTINCT imei) AS devices
      FROM sighting
     WHERE month = ANY ($1::date[]) AND imsi <> 0
     GROUP BY imsi
    HAVING count(DISTINCT imei) >= $2
    """
}
