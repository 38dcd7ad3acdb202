package import DeviceLists
import PostgreSQL

/// What an operator handed over for one day.
package struct DayVolume: Hashable, Sendable {
  package let day: CivilDate
  package var devices: Int
  /// Devices with a subscriber: pairs of IMEI and IMSI.
  package var pairs: Int
  /// With their numbers: what a month has as rows.
  package var triplets: Int

  package init(day: CivilDate, devices: Int = 0, pairs: Int = 0, triplets: Int = 0) {
    self.day = day
    self.devices = devices
    self.pairs = pairs
    self.triplets = triplets
  }
}

/// What came in the place of an IMEI, in a month.
package struct UnusableSighting: Hashable, Sendable {
  package let identity: String
  /// Packed; 0: none.
  package let imsi: UInt64
  package let msisdn: UInt64
  package let days: UInt32
  package let technologies: Int32

  package init(
    identity: String, imsi: UInt64, msisdn: UInt64, days: UInt32, technologies: Int32
  ) {
    self.identity = identity
    self.imsi = imsi
    self.msisdn = msisdn
    self.days = days
    self.technologies = technologies
  }
}

/// Months of sightings: `Schema/database/registry.sql`, `sighting`.
extension RegistryTransaction {
  /// The table of a month; in a transaction of its own, so that two imports do not wait for each
  /// other's end.
  package func addMonth(_ month: CivilDate) async throws {
    try await connection.query("SELECT add_sighting_month($1)", month.column)
  }

  /// From here on no other import of the operator's month is under way. Returns the name of the
  /// empty table that ``finishMonth(_:of:)`` will put in its place, and whether there is one yet.
  package func beginMonth(
    _ month: CivilDate, of number: ScopeNumber
  ) async throws -> (newTable: String, hasRows: Bool) {
    let table = try await connection.query(
      "SELECT begin_sightings($1, $2)", number.number, month.column
    ).only().string(0)
    let leaf = Self.leaf(month, number)
    let exists = try await connection.query("SELECT to_regclass($1) IS NOT NULL", leaf)
    return (table, try exists.only().bool(0))
  }

  /// Returns the number of rows that `body` has put, in whatever order.
  package nonisolated(nonsending) func writeMonth(
    into newTable: String, _ body: (inout SightingWriter) async throws -> Void
  ) async throws -> Int {
    // The name is the database's own, of digits and underscores; month and operator are the
    // defaults of the table.
    try await connection.copyIn(
      """
      COPY \(newTable) (imei, imsi, msisdn, days, technologies)
      FROM STDIN (FORMAT binary)
      """
    ) { copy in
      var writer = SightingWriter(copy)
      try await body(&writer)
      try await writer.finish()
    }
  }

  /// Hands over the rows that are there, many at a time, in the order of the primary key, which
  /// serves it.
  package nonisolated(nonsending) func readMonth(
    _ month: CivilDate, of number: ScopeNumber, _ body: ([SightingRow]) async throws -> Void
  ) async throws {
    try await connection.copyOut(
      """
      COPY (SELECT imei, imsi, msisdn, days, technologies
              FROM \(Self.leaf(month, number))
             ORDER BY imei, imsi, msisdn)
      TO STDOUT (FORMAT binary)
      """
    ) { try await body(SightingRow.rows(of: $0)) }
  }

  package func finishMonth(_ month: CivilDate, of number: ScopeNumber) async throws {
    try await connection.query("SELECT finish_sightings($1, $2)", number.number, month.column)
  }

  /// Replaces what is known of `days`, as bits of the month; other days stay.
  package func replaceUnusable(
    _ sightings: [UnusableSighting], in month: CivilDate, of number: ScopeNumber, days: UInt32
  ) async throws {
    let mask = Int32(bitPattern: days)
    let kept = try await connection.query(Self.endUnusable, month.column, number.number, mask)
    var all: [UnusableSighting: UnusableSighting] = [:]
    func add(_ sighting: UnusableSighting) {
      let key = UnusableSighting(
        identity: sighting.identity, imsi: sighting.imsi, msisdn: sighting.msisdn, days: 0,
        technologies: 0)
      let old = all[key]
      all[key] = UnusableSighting(
        identity: sighting.identity, imsi: sighting.imsi, msisdn: sighting.msisdn,
        days: sighting.days | (old?.days ?? 0),
        technologies: sighting.technologies | (old?.technologies ?? 0))
    }
    for row in kept {
      let days = UInt32(bitPattern: try row.int32("days") & ~mask)
      guard days != 0 else { continue }
      add(
        UnusableSighting(
          identity: try row.string("identity"), imsi: UInt64(try row.int64("imsi")),
          msisdn: UInt64(try row.int64("msisdn")), days: days,
          technologies: try row.int32("technologies")))
    }
    for sighting in sightings { add(sighting) }
    let rows = Array(all.values)
    try await connection.query(
      Self.insertUnusable, month.column, number.number, rows.map(\.identity),
      rows.map { Int64($0.imsi) }, rows.map { Int64($0.msisdn) },
      rows.map { Int32(bitPattern: $0.days) }, rows.map(\.technologies))
  }

  /// What is known of these days already.
  package func volumes(
    of number: ScopeNumber, on days: ClosedRange<CivilDate>
  ) async throws -> [DayVolume] {
    try await connection.query(
      Self.knownVolumes, number.number, days.lowerBound.column, days.upperBound.column
    ).map(Self.volume)
  }

  private static func volume(_ row: PostgreSQLRow) throws -> DayVolume {
    DayVolume(
      day: CivilDate(daysSinceEpoch: Int64(try row.date("day").daysSince1970)),
      devices: try row.int("imeis"), pairs: try row.int("imsis"),
      triplets: try row.int("triplets"))
  }

  /// The newest days before `day` that the operator handed anything over for.
  package func volumes(
    of number: ScopeNumber, before day: CivilDate, count: Int
  ) async throws -> [DayVolume] {
    try await connection.query(Self.volumes, number.number, day.column, Int32(count))
      .map(Self.volume)
  }

  /// What the file had on each of its days: a day that it has nothing for counts as such.
  package func record(
    _ volumes: [DayVolume], of number: ScopeNumber, days: ClosedRange<CivilDate>,
    recordedWith importNumber: Int64
  ) async throws {
    let known = Dictionary(uniqueKeysWithValues: volumes.map { ($0.day, $0) })
    let all = days.lowerBound.daysSinceEpoch...days.upperBound.daysSinceEpoch
    let volumes = all.map { number in
      let day = CivilDate(daysSinceEpoch: number)
      return known[day] ?? DayVolume(day: day)
    }
    try await connection.query(
      Self.recordVolumes, number.number, importNumber, volumes.map(\.day.column),
      volumes.map { Int64($0.devices) }, volumes.map { Int64($0.pairs) },
      volumes.map { Int64($0.triplets) })
  }

  /// More devices than these are not marked one by one: a run that looks at a tenth of a country
  /// might as well look at all of it.
  package static let mostMarks = 200_000

  /// These devices are looked at again by the next run that classifies; nil: all.
  package func markForClassification(_ imeis: [UInt64]?) async throws {
    let keys = imeis.map { $0.map { Int64($0) } } ?? [-1]
    try await connection.query(Self.insertPending, keys)
  }

  static func leaf(_ month: CivilDate, _ number: ScopeNumber) -> String {
    "sighting_\(month.year * 100 + month.month)_\(number.number)"
  }

  /// Served by the primary key of sighting_unusable.
  private static let endUnusable = """
    DELETE FROM sighting_unusable
     WHERE month = $1 AND operator_id = $2 AND (days & $3) <> 0
    RETURNING identity, imsi, msisdn, days, technologies
    """

  private static let insertUnusable = """
    INSERT INTO sighting_unusable (month, operator_id, identity, imsi, msisdn, days, technologies)
    SELECT $1, $2, identity, imsi, msisdn, days, technologies
      FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::integer[], $7::integer[])
             AS s (identity, imsi, msisdn, days, technologies)
        ON CONFLICT (month, operator_id, identity, imsi, msisdn) DO UPDATE
       SET days = sighting_unusable.days | EXCLUDED.days,
           technologies = sighting_unusable.technologies | EXCLUDED.technologies
    """

  /// Served by the primary key of sighting_day.
  private static let volumes = """
    SELECT day, imeis, imsis, triplets
      FROM sighting_day
     WHERE operator_id = $1 AND day < $2 AND imeis > 0
     ORDER BY day DESC
     LIMIT $3
    """

  /// Served by the primary key of sighting_day.
  private static let knownVolumes = """
    SELECT day, imeis, imsis, triplets
      FROM sighting_day
     WHERE operator_id = $1 AND day BETWEEN $2 AND $3 AND imeis > 0
    """

  /// Served by the primary key of sighting_day.
  private static let recordVolumes = """
    INSERT INTO sighting_day (operator_id, day, import_id, imeis, imsis, triplets)
    SELECT $1, day, $2, imeis, imsis, triplets
      FROM unnest($3::date[], $4::bigint[], $5::bigint[], $6::bigint[])
             AS d (day, imeis, imsis, triplets)
        ON CONFLICT (operator_id, day) DO UPDATE
       SET import_id = EXCLUDED.import_id,
           imeis = EXCLUDED.imeis,
           imsis = EXCLUDED.imsis,
           triplets = EXCLUDED.triplets
    """

  private static let insertPending = """
    INSERT INTO classify_pending (imei) SELECT imei FROM unnest($1::bigint[]) AS p (imei)
    """
}

extension CivilDate {
  var column: PostgreSQLDate { PostgreSQLDate(daysSince1970: Int32(clamping: daysSinceEpoch)) }
}

extension RegistryTransaction {
  /// Records a file of sightings; throws ``StoreError/Code/alreadyImported`` where the same came in
  /// meanwhile.
  package func recordSightings(
    _ file: ImportedFile, of number: ScopeNumber, days: ClosedRange<CivilDate>, by actor: String
  ) async throws -> Int64 {
    if let earlier = try await earlierSightings(file.sha256, of: number, days: days) {
      throw StoreError(
        .alreadyImported,
        "The same file was taken in at \(earlier.at) as import \(earlier.number).")
    }
    var file = file
    file.sightings = (number, days)
    return try await insertImport(file, by: actor)
  }

  /// When the same file about the same days was imported, if no other has said anything about any
  /// of them since: else it takes back what the other said.
  package func earlierSightings(
    _ sha256: [UInt8], of number: ScopeNumber, days: ClosedRange<CivilDate>
  ) async throws -> (number: Int64, at: Instant)? {
    let rows = try await connection.query(
      Self.newestSightings, number.number, days.lowerBound.column, days.upperBound.column,
      PostgreSQLBytes(sha256))
    return try rows.first.map { (try $0.int64("import_id"), try $0.instant("imported_at")) }
  }

  /// One row per file: reading all of them costs nothing beside a file.
  private static let newestSightings = """
    SELECT import_id, imported_at
      FROM (SELECT import_id, imported_at, sha256, first_day, last_day
              FROM import
             WHERE operator_id = $1 AND first_day <= $3 AND last_day >= $2
             ORDER BY import_id DESC
             LIMIT 1) newest
     WHERE sha256 = $4 AND first_day = $2 AND last_day = $3
    """
}
