package import DeviceLists
import PostgreSQL

/// One thing that the registry knows of one device: what rules judge. The fields that mean
/// something depend on the kind.
package struct DeviceFact: Sendable {
  package enum Kind: Int16, Sendable {
    /// `first` the IMSI and `second` the MSISDN, packed, `days`, `technologies`, `number` the
    /// operator, `day` the first of the month.
    case sighting = 0
    /// `first` its number, `second` that of its ground (0: none), `days` 1 with amnesty, `day`
    /// since when, `number` the day of the block or ``noDay``, `word` the condition.
    case classification = 1
    /// Of a list or a case: `word` its code.
    case ground = 2
    /// `first` the IMSI, packed.
    case pairing = 3
    /// `word` the status, lower-case.
    case registration = 4
    /// `day` since when.
    case monitoring = 5
    /// `word` the person.
    case association = 6
  }

  package static let noDay = Int32.min

  package let imei: UInt64
  package let kind: Kind
  package let first: UInt64
  package let second: UInt64
  package let days: UInt32
  package let technologies: Int32
  package let number: Int32
  package let day: Int32
  package let word: String

  static func facts(of chunk: [UInt8]) throws -> [DeviceFact] {
    try chunk.withUnsafeBytes { bytes in
      var reader = BinaryCopyReader(bytes)
      var facts: [DeviceFact] = []
      facts.reserveCapacity(chunk.count / shortestBytes)
      while try reader.nextRow() {
        let imei = UInt64(bitPattern: try reader.int64())
        guard let kind = Kind(rawValue: try reader.int16()) else {
          throw StoreError(.corrupt, "The database says something of a device that is not known.")
        }
        facts.append(
          DeviceFact(
            imei: imei, kind: kind, first: UInt64(bitPattern: try reader.int64()),
            second: UInt64(bitPattern: try reader.int64()),
            days: UInt32(bitPattern: try reader.int32()), technologies: try reader.int32(),
            number: try reader.int32(), day: try reader.int32(),
            word: kind == .sighting ? "" : try reader.text()))
      }
      return facts
    }
  }

  /// What a sighting takes in such a chunk.
  private static let shortestBytes = 78
}

/// What is read besides sightings and open classifications.
package struct FactNeeds: OptionSet, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let grounds = FactNeeds(rawValue: 1 << 0)
  package static let pairings = FactNeeds(rawValue: 1 << 1)
  package static let registration = FactNeeds(rawValue: 1 << 2)
  package static let monitoring = FactNeeds(rawValue: 1 << 3)
  package static let associations = FactNeeds(rawValue: 1 << 4)
}

extension RegistryTransaction {
  /// All that is known of the devices of the registry, in the order of their IMEIs, many facts at a
  /// time: one pass over indexes that are in this order already.
  ///
  /// - Parameters:
  ///   - months: whose sightings are read.
  ///   - run: only of the devices that ``setSubjects(_:of:)`` named; nil: of all.
  package nonisolated(nonsending) func readFacts(
    months: [CivilDate], needs: FactNeeds, of run: Int64?,
    _ body: ([DeviceFact]) async throws -> Void
  ) async throws {
    try await connection.copyOut(
      "COPY (\(Self.facts(months: months, needs: needs, of: run))) TO STDOUT (FORMAT binary)"
    ) { try await body(DeviceFact.facts(of: $0)) }
  }

  /// The statement of ``readFacts(months:needs:of:_:)``. What stands in it besides constants are
  /// days and a number.
  package static func facts(
    months: [CivilDate], needs: FactNeeds, of run: Int64?
  ) -> String {
    var parts = [sightingFacts(months, run: run), joined(classificationFacts, run)]
    if needs.contains(.grounds) { parts.append(joined(groundFacts, run)) }
    if needs.contains(.pairings) { parts.append(joined(pairingFacts, run)) }
    if needs.contains(.registration) { parts.append(joined(registrationFacts, run)) }
    if needs.contains(.monitoring) { parts.append(joined(monitoringFacts, run)) }
    if needs.contains(.associations) { parts.append(joined(associationFacts, run)) }
    return parts.joined(separator: "\nUNION ALL\n") + "\nORDER BY imei"
  }

  /// Served by the primary keys of the partitions.
  private static func sightingFacts(_ months: [CivilDate], run: Int64?) -> String {
    let list = months.map { "'\($0)'" }.joined(separator: ", ")
    return joined(
      """
      SELECT imei, 0::smallint AS kind, imsi AS first, msisdn AS second, days, technologies,
             operator_id AS number, (month - '1970-01-01'::date) AS day, '' AS word
        FROM sighting
       WHERE month IN (\(list))
      """, run)
  }

  private static func joined(_ facts: String, _ run: Int64?) -> String {
    guard let run else { return facts }
    return """
      SELECT f.*
        FROM (\(facts)) f
        JOIN (SELECT imei FROM classify_subject WHERE run_id = \(run)) s USING (imei)
      """
  }

  /// Served by classification_open.
  private static let classificationFacts = """
    SELECT imei, 1::smallint, classification_id, COALESCE(ground_id, 0), has_amnesty::integer, 0,
           COALESCE(block_on - '1970-01-01'::date, -2147483648), since - '1970-01-01'::date,
           condition
      FROM classification
     WHERE until IS NULL AND imei >= 0
    """

  /// What one operator says for itself is no evidence. Served by ground_subject.
  private static let groundFacts = """
    SELECT subject_key1 AS imei, 2::smallint, 0::bigint, 0::bigint, 0, 0, 0, 0, code
      FROM ground
     WHERE subject_kind = 1 AND scope = 0 AND ended_at IS NULL
       AND source NOT LIKE 'condition:%'
    """

  /// Served by ground_subject.
  private static let pairingFacts = """
    SELECT subject_key1 AS imei, 3::smallint, subject_key2, 0::bigint, 0, 0, 0, 0, ''
      FROM ground
     WHERE subject_kind = 4 AND ended_at IS NULL AND status = 0
    """

  /// Served by reference_row_current.
  private static let registrationFacts = """
    SELECT key1 AS imei, 4::smallint, 0::bigint, 0::bigint, 0, 0, 0, 0,
           lower(COALESCE(attributes::jsonb ->> 'status', ''))
      FROM reference_row
     WHERE list = 'registration' AND until IS NULL
    """

  /// Served by reference_row_current. Days by the registry's calendar.
  private static let monitoringFacts = """
    SELECT key1 AS imei, 5::smallint, 0::bigint, 0::bigint, 0, 0, 0,
           (r.since AT TIME ZONE (SELECT time_zone FROM registry))::date - '1970-01-01'::date, ''
      FROM reference_row r
     WHERE list = 'monitoring' AND until IS NULL
    """

  /// Served by reference_row_current.
  private static let associationFacts = """
    SELECT key1 AS imei, 6::smallint, 0::bigint, 0::bigint, 0, 0, 0, 0, key_text
      FROM reference_row
     WHERE list = 'associations' AND until IS NULL
    """
}
