import Foundation
import LocalPostgreSQL
import PostgreSQL
import Simulation
import Testing

/// Lends a cluster of its own in a new directory; stops it and removes the directory after.
func withCluster(
  in parent: String? = nil, roles: [String] = ["worker"],
  _ body: (LocalPostgreSQL, String) async throws -> Void
) async throws {
  let directory = try parent ?? temporaryDirectory("ceir-local-test")
  let local = LocalPostgreSQL(configuration(directory, roles: roles))
  do {
    try await local.start()
    try await body(local, directory)
    try await local.stop()
  } catch {
    try await local.stop()
    throw error
  }
  try FileManager.default.removeItem(atPath: directory)
}

func configuration(_ directory: String, roles: [String] = ["worker"])
  -> LocalPostgreSQLConfiguration
{
  LocalPostgreSQLConfiguration(
    dataDirectory: directory, roles: roles, databases: [.init(name: "registry", owner: roles[0])],
    startTimeout: .seconds(30), isDurable: false)
}

extension LocalPostgreSQL {
  /// Lends a pool for the role `worker` in the database `registry`.
  func withPool<Value: Sendable>(
    role: String = "worker", _ body: @Sendable (PostgreSQLPool) async throws -> Value
  ) async throws -> Value {
    let pool = PostgreSQLPool(
      PostgreSQLConfiguration(
        connectionString: connectionString(role: role, database: "registry")))
    do {
      let value = try await body(pool)
      await pool.close()
      return value
    } catch {
      await pool.close()
      throw error
    }
  }

  func answer(_ sql: String) async throws -> Int64 {
    try await withPool { pool in
      try await pool.withConnection { try await $0.query(sql).only().int64(0) }
    }
  }

  func serverNumber() async throws -> Int32 {
    try #require(processIdentifier)
  }
}

/// Waits until `condition` holds, at most 20 seconds.
func until(_ condition: () async throws -> Bool) async throws {
  try await eventually("the condition", within: 20, condition)
}

/// True while a process is there and no zombie.
func isAlive(_ pid: Int32) -> Bool {
  guard let stat = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return false }
  let text = String(decoding: stat, as: UTF8.self)
  return !text.contains(") Z ")
}
