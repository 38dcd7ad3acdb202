import Foundation
import PostgreSQL
import RegistryStore
import Simulation
import Testing

struct MigratorTests {
  @Test func `migrations arrive at the catalogue of registry.sql`() async throws {
    let migrated = try await TestCluster.shared.database()
    let read = try await TestCluster.shared.database()
    let schema = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Schema/database/registry.sql")
    let text = try String(contentsOf: schema, encoding: .utf8)
    let byMigration = try await migrated.withPool { pool in
      _ = try await Migrator(pool: pool).migrate()
      return try await catalogue(pool)
    }
    let bySchema = try await read.withPool { pool in
      try await pool.transaction { try await $0.script(text) }
      return try await catalogue(pool)
    }
    #expect(byMigration.count > 100)
    #expect(byMigration == bySchema)
  }

  @Test func `a second run does nothing`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      #expect(try await Migrator(pool: pool).migrate() == [1, 2, 3])
      #expect(try await Migrator(pool: pool).migrate() == [])
      try await Migrator(pool: pool).verify()
    }
  }

  @Test func `two that start at once do the work once`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      let runs = try await withThrowingTaskGroup(of: [Int].self) { group in
        for _ in 0..<4 { group.addTask { try await Migrator(pool: pool).migrate() } }
        return try await group.reduce(into: []) { $0 += [$1] }
      }
      #expect(runs.flatMap { $0 } == [1, 2, 3])
    }
  }

  @Test func `a newer database is refused`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      _ = try await Migrator(pool: pool).migrate()
      try await pool.withConnection {
        try await $0.script(
          "INSERT INTO ceir.migration (version, name, sha256) VALUES (9, 'x', '')")
      }
      let error = await #expect(throws: StoreError.self) {
        _ = try await Migrator(pool: pool).migrate()
      }
      #expect(error?.code == .schemaIsNewer(version: 9))
    }
  }

  @Test func `a database made by another text is refused`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      _ = try await Migrator(pool: pool).migrate()
      try await pool.withConnection {
        try await $0.script("UPDATE ceir.migration SET sha256 = 'other'")
      }
      let error = await #expect(throws: StoreError.self) {
        try await Migrator(pool: pool).verify()
      }
      #expect(error?.code == .schemaDiffers(version: 1))
    }
  }

  @Test func `an empty database is told to migrate`() async throws {
    try await TestCluster.shared.database().withPool { pool in
      let error = await #expect(throws: StoreError.self) {
        try await Migrator(pool: pool).verify()
      }
      #expect(error?.code == .schemaIsOlder(version: 0, wanted: 3))
    }
  }

  /// Columns, constraints, indexes and rights, one line each.
  private func catalogue(_ pool: PostgreSQLPool) async throws -> [String] {
    try await pool.withConnection { connection in
      try await connection.query(
        """
        SELECT 'column ' || c.relname || '.' || a.attname || ' '
               || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text || ' '
               || a.attidentity::text || ' ' || COALESCE(pg_get_expr(d.adbin, d.adrelid), '')
                 AS line
          FROM pg_class c
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE c.relnamespace = 'ceir'::regnamespace AND c.relkind IN ('r', 'p')
        UNION ALL
        SELECT 'constraint ' || conrelid::regclass::text || ' ' || conname || ' '
               || pg_get_constraintdef(oid)
          FROM pg_constraint WHERE connamespace = 'ceir'::regnamespace
        UNION ALL
        SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'ceir'
        UNION ALL
        SELECT 'function ' || pg_get_functiondef(oid) || ' ' || COALESCE(proacl::text, '')
          FROM pg_proc WHERE pronamespace = 'ceir'::regnamespace
        UNION ALL
        SELECT 'table right ' || table_name::text || ' ' || grantee::text
               || ' ' || privilege_type::text
          FROM information_schema.role_table_grants WHERE table_schema = 'ceir'
        UNION ALL
        SELECT 'column right ' || table_name::text || '.' || column_name::text || ' '
               || grantee::text || ' ' || privilege_type::text
          FROM information_schema.column_privileges WHERE table_schema = 'ceir'
         ORDER BY line
        """
      ).map { try $0.string("line") }
    }
  }
}
