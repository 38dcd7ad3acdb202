internal import Foundation
package import LocalPostgreSQL
package import PostgreSQL
internal import Synchronization

/// A PostgreSQL server, made when first asked for and removed at exit. Nearly all tests of a
/// process use the shared one, which trades durability for speed; benchmarks make a durable one.
package actor TestCluster {
  package static let shared = TestCluster(isDurable: false)

  private let isDurable: Bool

  private var starting: Task<LocalPostgreSQL, any Error>?
  private var databasesMade = 0

  package init(isDurable: Bool) { self.isDurable = isDurable }

  /// A new and empty database; the superuser owns it.
  package func database() async throws -> TestDatabase {
    let local = try await server()
    databasesMade += 1
    let name = "test_\(databasesMade)"
    try await TestDatabase(name: "postgres", local: local).withPool { pool in
      try await pool.withConnection { connection in
        try await connection.script("CREATE DATABASE \(name) TEMPLATE template0")
      }
    }
    return TestDatabase(name: name, local: local)
  }

  package func server() async throws -> LocalPostgreSQL {
    if let starting { return try await starting.value }
    let task = Task { [isDurable] in try await Self.start(isDurable: isDurable) }
    starting = task
    return try await task.value
  }

  private static func start(isDurable: Bool) async throws -> LocalPostgreSQL {
    removeRemainsOfKilledRuns()
    let directory = try temporaryDirectory(directoryName)
    let local = LocalPostgreSQL(
      LocalPostgreSQLConfiguration(dataDirectory: directory, isDurable: isDurable))
    try await local.start()
    let server = await local.processIdentifier
    let isFirst = leftovers.withLock { clusters in
      clusters.append((directory, server))
      return clusters.count == 1
    }
    if isFirst { atexit { removeLeftovers() } }
    return local
  }

  private static let directoryName = "ceir-test"

  /// The number of its process is in a directory's name; the server's in its lock file.
  private static func removeRemainsOfKilledRuns() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? []
    for name in names where name.hasPrefix(directoryName + "-") {
      let parts = name.split(separator: "-")
      guard parts.count == 4, let process = Int32(parts[2]), kill(process, 0) != 0, errno == ESRCH
      else { continue }
      let lockFile = "/tmp/\(name)/postgresql/data/postmaster.pid"
      let lock = FileManager.default.contents(atPath: lockFile) ?? Data()
      if let line = String(decoding: lock, as: UTF8.self).split(separator: "\n").first,
        let server = Int32(line), server > 1, isPostgres(server)
      {
        kill(server, SIGQUIT)
      }
      // What cannot be removed belongs to another user or to the next run.
      try? FileManager.default.removeItem(atPath: "/tmp/\(name)")
    }
  }

  private static func isPostgres(_ process: Int32) -> Bool {
    let name = FileManager.default.contents(atPath: "/proc/\(process)/comm") ?? Data()
    return String(decoding: name, as: UTF8.self).hasPrefix("postgres")
  }

  static func configuration(
    _ local: LocalPostgreSQL, database: String
  ) -> PostgreSQLConfiguration {
    PostgreSQLConfiguration(
      connectionString: local.connectionString(
        role: LocalPostgreSQL.superuser, database: database),
      applicationName: "test")
  }
}

/// A new directory that a server which is not root can reach.
package func temporaryDirectory(_ name: String) throws -> String {
  let path =
    "/tmp/\(name)-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0...(.max)))"
  try FileManager.default.createDirectory(
    atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o711])
  return path
}

/// A database of the test cluster.
package struct TestDatabase: Sendable {
  package let name: String
  let local: LocalPostgreSQL

  package var connectionString: String {
    local.connectionString(role: LocalPostgreSQL.superuser, database: name)
  }

  package func configuration() -> PostgreSQLConfiguration {
    TestCluster.configuration(local, database: name)
  }

  /// Lends a pool and closes it afterwards.
  package nonisolated(nonsending) func withPool<Value>(
    limits: PostgreSQLPool.Limits = .init(), statementTimeout: Duration? = .seconds(30),
    _ body: (PostgreSQLPool) async throws -> Value
  ) async throws -> Value {
    var configuration = configuration()
    configuration.statementTimeout = statementTimeout
    let pool = PostgreSQLPool(configuration, limits: limits)
    do {
      let value = try await body(pool)
      await pool.close()
      return value
    } catch {
      await pool.close()
      throw error
    }
  }
}

private let leftovers = Mutex<[(directory: String, server: Int32?)]>([])

/// Nothing of a test cluster is worth an orderly end.
private func removeLeftovers() {
  for (directory, server) in leftovers.withLock({ $0 }) {
    if let server {
      kill(server, SIGQUIT)
      var status: Int32 = 0
      waitpid(server, &status, 0)
    }
    // At exit nobody is left to hear of a failure.
    try? FileManager.default.removeItem(atPath: directory)
  }
}
