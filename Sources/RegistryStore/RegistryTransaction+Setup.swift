package import DeviceLists
import PostgreSQL

/// The cluster that a database lives in: another value than before means a restore or a promotion.
package struct ClusterIdentity: Hashable, Sendable {
  package let systemIdentifier: Int64
  package let timeline: Int32
}

extension RegistryTransaction {
  /// Names the registry and begins its first epoch; false where that was done before. Runs as the
  /// owner of the schema.
  package func create(
    _ name: RegistryName, timeZone: String, epoch: Epoch
  ) async throws -> Bool {
    let known = try await connection.query(Self.timeZone, timeZone)
    guard !known.isEmpty else {
      throw StoreError(
        .noRegistry,
        "PostgreSQL knows no time zone \(timeZone): use a name such as Africa/Tunis or UTC.")
    }
    let added = try await connection.query(Self.insertRegistry, name.description, timeZone)
    guard !added.isEmpty else { return false }
    try await begin(epoch, reason: "the registry was created")
    return true
  }

  /// The cluster of the newest epoch, and the one we are connected to.
  package func clusterIdentities() async throws -> (known: ClusterIdentity, now: ClusterIdentity) {
    guard let row = try await connection.query(Self.knownCluster).first else {
      throw StoreError(.noRegistry, "The registry has no epoch yet: run `ceir migrate`.")
    }
    let known = ClusterIdentity(
      systemIdentifier: try row.int64("system_identifier"), timeline: try row.int32("timeline"))
    return (known, try await clusterNow())
  }

  package func begin(_ epoch: Epoch, reason: String) async throws {
    let cluster = try await clusterNow()
    try await connection.query(
      Self.insertEpoch, epoch.description, reason, cluster.systemIdentifier, cluster.timeline)
    try await connection.query("SELECT pg_notify($1, '')", Self.dirtyChannel)
  }

  private func clusterNow() async throws -> ClusterIdentity {
    let row = try await connection.query(Self.cluster).only()
    return ClusterIdentity(
      systemIdentifier: try row.int64("system_identifier"), timeline: try row.int32("timeline"))
  }

  /// What a person or a program did. `payload` is JSON; `salt` is 16 random bytes and `hash` the
  /// SHA-256 of salt and payload.
  package func recordActivity(
    _ action: String, by actor: String, payload: String, salt: [UInt8], hash: [UInt8]
  ) async throws {
    try await connection.query(
      Self.insertActivity, actor, action, PostgreSQLBytes(hash), PostgreSQLBytes(salt), payload)
  }

  private static let timeZone = "SELECT name FROM pg_timezone_names WHERE name = $1"

  private static let insertRegistry = """
    INSERT INTO registry (name, time_zone) VALUES ($1, $2)
        ON CONFLICT (only_row) DO NOTHING
    RETURNING name
    """

  private static let knownCluster = """
    SELECT system_identifier, timeline FROM epoch ORDER BY epoch_number DESC LIMIT 1
    """

  /// The timeline stands in the first eight digits of the name of the write-ahead log's file.
  private static let cluster = """
    SELECT system_identifier,
           ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer
             AS timeline
      FROM pg_control_system()
    """

  private static let insertEpoch = """
    INSERT INTO epoch (epoch, after_position, reason, system_identifier, timeline)
    SELECT $1, COALESCE((SELECT max(last_position) FROM journal_batch), 0), $2, $3, $4
    """

  private static let insertActivity = """
    WITH activity AS (
      INSERT INTO trail (actor, action, payload_hash) VALUES ($1, $2, $3)
      RETURNING trail_id
    )
    INSERT INTO trail_payload (trail_id, salt, payload)
    SELECT trail_id, $4, $5 FROM activity
    """
}
