import Crypto
package import PostgreSQL

/// Brings a database to the schema of this program: safe to repeat, and when two start at once.
package struct Migrator: Sendable {
  /// One step. Its text never changes once it has been released.
  struct Migration: Sendable {
    let version: Int
    let name: String
    let sql: String

    var sha256: [UInt8] { Array(SHA256.hash(data: Array(sql.utf8))) }
  }

  static let migrations = [
    Migration(version: 1, name: "registry", sql: firstMigration),
    Migration(version: 2, name: "exchange", sql: secondMigration),
    Migration(version: 3, name: "sightings", sql: thirdMigration),
  ]

  package static var newestVersion: Int { migrations.count }

  let pool: PostgreSQLPool

  /// `pool` must log in as the owner of the database, without a role.
  package init(pool: PostgreSQLPool) { self.pool = pool }

  /// Returns the versions that were applied, none when there was nothing to do. A test of an
  /// upgrade stops at an earlier version.
  package func migrate(upTo last: Int = newestVersion) async throws -> [Int] {
    try await pool.transaction(statementTimeout: .zero) { connection in
      try await connection.query(Self.takeLock)
      try await connection.script(Self.bookkeeping)
      var applied: [Int] = []
      let known = try await Self.appliedVersions(on: connection)
      for migration in Self.migrations
      where migration.version <= last && known[migration.version] == nil {
        try await connection.script(migration.sql)
        try await connection.query(
          Self.record, migration.version, migration.name, migration.sha256)
        applied.append(migration.version)
      }
      return applied
    }
  }

  /// Throws unless the database has exactly the schema of this program.
  package func verify() async throws {
    let known = try await pool.withConnection { connection -> [Int: [UInt8]] in
      let exists = try await connection.query(Self.bookkeepingExists).only().bool(0)
      return exists ? try await Self.appliedVersions(on: connection) : [:]
    }
    guard known.count == Self.newestVersion else {
      throw StoreError(
        .schemaIsOlder(version: known.count, wanted: Self.newestVersion),
        "The database has schema version \(known.count), this ceir needs "
          + "\(Self.newestVersion): run `ceir migrate`.")
    }
  }

  private static func appliedVersions(
    on connection: PostgreSQLConnection
  ) async throws -> [Int: [UInt8]] {
    var known: [Int: [UInt8]] = [:]
    for row in try await connection.query(applied) {
      known[try row.int("version")] = try row.bytes("sha256")
    }
    for (version, hash) in known.sorted(by: { $0.key < $1.key }) {
      guard let migration = migrations.first(where: { $0.version == version }) else {
        throw StoreError(
          .schemaIsNewer(version: version),
          "The database has schema version \(version), this ceir knows only up to "
            + "\(newestVersion): install the newer ceir.")
      }
      guard migration.sha256 == hash else {
        throw StoreError(
          .schemaDiffers(version: version),
          "Schema version \(version) of the database was made by another text than this ceir "
            + "has: install the ceir that made it.")
      }
    }
    return known
  }

  /// Held to the end of the transaction. The number is arbitrary and must not change.
  private static let takeLock = "SELECT pg_advisory_xact_lock(7348201150)"

  private static let bookkeeping = """
    DO $$
    BEGIN
      FOR attempt IN 1..2 LOOP
        BEGIN
          IF to_regrole('ceir_publisher') IS NULL THEN CREATE ROLE ceir_publisher; END IF;
          IF to_regrole('ceir_service') IS NULL THEN CREATE ROLE ceir_service; END IF;
          EXIT;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database's
        END;
      END LOOP;
      IF NOT pg_has_role(current_user, 'ceir_publisher', 'MEMBER')
         OR NOT pg_has_role(current_user, 'ceir_service', 'MEMBER') THEN
        EXECUTE format('GRANT ceir_publisher, ceir_service TO %I', current_user);
      END IF;
      EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO ceir_service', current_database());
    END
    $$;
    CREATE SCHEMA IF NOT EXISTS ceir;
    CREATE TABLE IF NOT EXISTS ceir.migration (
      version    integer     PRIMARY KEY,
      name       text        NOT NULL,
      sha256     bytea       NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    );
    """

  private static let bookkeepingExists = "SELECT to_regclass('ceir.migration') IS NOT NULL"

  private static let applied = "SELECT version, sha256 FROM ceir.migration ORDER BY version"

  private static let record = """
    INSERT INTO ceir.migration (version, name, sha256) VALUES ($1, $2, $3)
    """
}
