package import DeviceIdentity
package import DeviceLists
import PostgreSQL

/// A version of a condition, or of the settings that conditions share.
package struct RuleDocument: Sendable {
  package let label: String
  package let version: Int
  /// JSON; nil: the condition is no longer applied.
  package let document: String?
  package let since: Instant
  package let setBy: String
  package let reason: String
}

/// A device for which a condition holds.
package struct FoundDevice: Sendable {
  /// Nil where `identity` is no IMEI.
  package let imei: IMEI?
  package let identity: String
  package let since: CivilDate
  /// Nil: no block, or none yet.
  package let blockOn: CivilDate?

  init(imei: IMEI?, identity: String, since: CivilDate, blockOn: CivilDate?) {
    self.imei = identity.isEmpty ? imei : nil
    self.identity = identity
    self.since = since
    self.blockOn = blockOn
  }
}

extension PostgreSQLRow {
  fileprivate func day(_ column: PostgreSQLColumn) throws -> CivilDate {
    CivilDate(daysSinceEpoch: Int64(try date(column).daysSince1970))
  }

  fileprivate func optionalDay(_ column: PostgreSQLColumn) throws -> CivilDate? {
    try optionalDate(column).map { CivilDate(daysSinceEpoch: Int64($0.daysSince1970)) }
  }
}

extension RegistryTransaction {
  /// Another version of a condition; nil ends it.
  package func setCondition(
    _ label: String, document: String?, reason: String, by actor: String
  ) async throws -> Int {
    try await connection.query("SELECT pg_advisory_xact_lock(7348201163)")
    if document == nil {
      guard try await conditions().contains(where: { $0.label == label }) else {
        throw StoreError(
          .unknownCondition, "There is no condition \(label): see `ceir condition list`.")
      }
    }
    return try await connection.query(
      Self.insertCondition, label, document, actor, reason
    ).only().int("version")
  }

  /// The conditions that are applied, by label.
  package func conditions() async throws -> [RuleDocument] {
    try await connection.query(Self.currentConditions).map { try Self.ruleDocument($0) }
  }

  /// All versions of one condition, the newest first.
  package func versions(ofCondition label: String) async throws -> [RuleDocument] {
    try await connection.query(Self.conditionVersions, label).map { try Self.ruleDocument($0) }
  }

  /// Devices for which a condition holds, in the order of their IMEIs, many at a time. Served by
  /// classification_open.
  package nonisolated(nonsending) func readFound(
    by label: String, _ body: ([FoundDevice]) async throws -> Void
  ) async throws {
    var last: (imei: Int64, identity: String) = (-2, "")
    while true {
      let rows = try await connection.query(
        Self.foundDevices, label, last.imei, last.identity, Self.foundStep)
      let found = try rows.map { row in
        FoundDevice(
          imei: IMEI(number: UInt64(clamping: try row.int64("imei"))),
          identity: try row.string("identity"), since: try row.day("since"),
          blockOn: try row.optionalDay("block_on"))
      }
      if !found.isEmpty { try await body(found) }
      guard found.count == Int(Self.foundStep), let row = rows.last else { return }
      last = (try row.int64("imei"), try row.string("identity"))
    }
  }

  /// IMEIs for which each condition holds. Served by classification_open.
  package func foundCounts() async throws -> [String: Int] {
    var counts: [String: Int] = [:]
    for row in try await connection.query(Self.foundByCondition) {
      counts[try row.string("condition")] = try row.int("devices")
    }
    return counts
  }

  private static let foundByCondition = """
    SELECT condition, count(*) AS devices
      FROM classification
     WHERE until IS NULL AND imei >= 0
     GROUP BY condition
    """

  private static let foundStep: Int32 = 10_000

  private static let foundDevices = """
    SELECT imei, identity, since, block_on
      FROM classification
     WHERE condition = $1 AND until IS NULL AND (imei, identity) > ($2, $3)
     ORDER BY imei, identity
     LIMIT $4
    """

  package func setRuleSettings(
    _ document: String, reason: String, by actor: String
  ) async throws -> Int {
    try await connection.query("SELECT pg_advisory_xact_lock(7348201163)")
    return try await connection.query(
      Self.insertSettings, document, actor, reason
    ).only().int("version")
  }

  /// Nil: nobody has set any.
  package func ruleSettings() async throws -> RuleDocument? {
    try await connection.query(Self.currentSettings).first.map { try Self.ruleDocument($0) }
  }

  private static func ruleDocument(_ row: PostgreSQLRow) throws -> RuleDocument {
    RuleDocument(
      label: try row.string("label"), version: try row.int("version"),
      document: try row.optionalString("document"), since: try row.instant("since"),
      setBy: try row.string("set_by"), reason: try row.string("reason"))
  }

  private static let insertCondition = """
    INSERT INTO condition (label, version, document, set_by, reason)
    SELECT $1, COALESCE(max(version), 0) + 1, $2, $3, $4 FROM condition WHERE label = $1
    RETURNING version
    """

  /// Served by the primary key of condition.
  private static let currentConditions = """
    SELECT label, version, document, since, set_by, reason
      FROM (SELECT DISTINCT ON (label) label, version, document, since, set_by, reason
              FROM condition
             ORDER BY label, version DESC) newest
     WHERE document IS NOT NULL
     ORDER BY label
    """

  /// Served by the primary key of condition.
  private static let conditionVersions = """
    SELECT label, version, document, since, set_by, reason
      FROM condition
     WHERE label = $1
     ORDER BY version DESC
    """

  private static let insertSettings = """
    INSERT INTO rule_settings (version, document, set_by, reason)
    SELECT COALESCE(max(version), 0) + 1, $1, $2, $3 FROM rule_settings
    RETURNING version
    """

  /// Served by the primary key of rule_settings.
  private static let currentSettings = """
    SELECT '' AS label, version, document, since, set_by, reason
      FROM rule_settings
     ORDER BY version DESC
     LIMIT 1
    """
}
