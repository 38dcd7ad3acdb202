import Foundation
import LocalPostgreSQL
import PostgreSQL
import Simulation
import Synchronization
import Testing

@Suite(.serialized) struct RecoveryTests {
  @Test func `two users share a server and the last one stops it`() async throws {
    try await withCluster { first, directory in
      let server = try await first.serverNumber()
      let second = LocalPostgreSQL(configuration(directory, roles: ["worker", "late"]))
      try await second.start()
      #expect(try await second.serverNumber() == server)
      // The second brought a role of its own, which the running server had to learn.
      _ = try await second.withPool(role: "late") { pool in
        try await pool.withConnection { try await $0.query("SELECT 1") }
      }
      try await first.stop()
      #expect(isAlive(server))
      #expect(try await second.answer("SELECT 5::int8") == 5)
      try await second.stop()
      #expect(!isAlive(server))
    }
  }

  @Test func `a server whose users were killed is taken over and then stopped`() async throws {
    let directory = try temporaryDirectory("ceir-local-test")
    let server = try await abandonServer(directory)
    let heir = LocalPostgreSQL(configuration(directory))
    try await heir.start()
    #expect(try await heir.serverNumber() == server)
    #expect(try await heir.answer("SELECT 5::int8") == 5)
    try await heir.stop()
    #expect(!isAlive(server))
    try FileManager.default.removeItem(atPath: directory)
  }

  /// As a killed process does: no stop, and the system drops the lock.
  private func abandonServer(_ directory: String) async throws -> Int32 {
    let local = LocalPostgreSQL(configuration(directory))
    try await local.start()
    return try await local.serverNumber()
  }

  @Test func `a killed server is started again and the pool goes on`() async throws {
    try await withCluster { local, _ in
      let events = Events()
      let supervising = Task { await local.supervise { events.append($0) } }
      try await local.withPool { pool in
        try await pool.withConnection { try await $0.script("CREATE TABLE t (a int8)") }
        for round in 1...3 {
          let server = try await local.serverNumber()
          let error = await #expect(throws: PostgreSQLError.self) {
            try await pool.transaction { connection in
              try await connection.query("INSERT INTO t VALUES (1)")
              kill(server, SIGKILL)
              while true { try await connection.query("SELECT 1") }
            }
          }
          #expect(error?.code == .connectionLost)
          try await until { events.all.count == round * 2 }
          let count = try await pool.withConnection {
            try await $0.query("SELECT count(*) FROM t").only().int64(0)
          }
          #expect(count == 0)
        }
      }
      #expect(events.all == [.died, .restarted, .died, .restarted, .died, .restarted])
      try await local.stop()
      await supervising.value
      try await local.start()
    }
  }

  @Test func `a copy under way when the server is killed stores nothing`() async throws {
    try await withCluster { local, _ in
      let supervising = Task { await local.supervise() }
      try await local.withPool { pool in
        try await pool.withConnection { try await $0.script("CREATE TABLE t (a int8)") }
        let server = try await local.serverNumber()
        let error = await #expect(throws: PostgreSQLError.self) {
          try await pool.withConnection { connection in
            try await connection.copyIn("COPY t FROM STDIN") { copy in
              let lines = [UInt8](repeating: UInt8(ascii: "1"), count: 1) + [UInt8(ascii: "\n")]
              for _ in 0..<200_000 { try await copy.write(lines) }
              kill(server, SIGKILL)
              while true { try await copy.write(lines) }
            }
          }
        }
        #expect(error?.code == .connectionLost)
        try await until { await local.processIdentifier != server }
        try await until { (try? await local.answer("SELECT 1::int8")) == 1 }
        let count = try await local.answer("SELECT count(*) FROM t")
        #expect(count == 0)
      }
      supervising.cancel()
      await supervising.value
    }
  }

  @Test func `a listener is told to look again after a restart`() async throws {
    try await withCluster { local, _ in
      let supervising = Task { await local.supervise() }
      let listener = PostgreSQLListener(
        PostgreSQLConfiguration(
          connectionString: local.connectionString(role: "worker", database: "registry")),
        channels: ["changes"])
      var events = listener.events.makeAsyncIterator()
      #expect(await events.next() == .connected)
      kill(try await local.serverNumber(), SIGKILL)
      #expect(await events.next() == .lost)
      #expect(await events.next() == .reconnected)
      _ = try await local.withPool { pool in
        try await pool.withConnection { try await $0.script("NOTIFY changes, 'x'") }
      }
      #expect(await events.next() == .notification(channel: "changes", payload: "x"))
      await listener.close()
      supervising.cancel()
      await supervising.value
    }
  }

  /// A backend in a long computation does not notice that its server was killed.
  @Test func `children that outlive a killed server do not keep the next one out`() async throws {
    try await withCluster { local, directory in
      let server = try await local.serverNumber()
      let connectionString = local.connectionString(role: "worker", database: "registry")
      let busy = Task {
        let pool = PostgreSQLPool(PostgreSQLConfiguration(connectionString: connectionString))
        _ = try? await pool.withConnection {
          try await $0.query("SELECT count(*) FROM generate_series(1, 100000000000)")
        }
        await pool.close()
      }
      try await until {
        try await local.answer(
          """
          SELECT count(*) FROM pg_stat_activity
           WHERE query LIKE '%1000000000%' AND state = 'active'
          """
        ) > 1
      }
      kill(server, SIGKILL)
      try await until { !isAlive(server) }
      let next = LocalPostgreSQL(configuration(directory))
      try await next.start()
      #expect(try await next.answer("SELECT 1::int8") == 1)
      await busy.value
      try await next.stop()
    }
  }

  @Test func `a lock file whose number belongs to somebody else does not keep us out`() async throws
  {
    try await withCluster { local, directory in
      try await local.stop()
      // Our own process stands for the stranger that got the number.
      let stale = "\(getpid())\n\(directory)/postgresql/data\n0\n5432\n\n\n\n"
      for file in ["data/postmaster.pid", "socket/.s.PGSQL.5432.lock"] {
        try stale.write(
          toFile: directory + "/postgresql/" + file, atomically: false, encoding: .utf8)
      }
      try await local.start()
      #expect(try await local.answer("SELECT 1::int8") == 1)
    }
  }

  @Test func `a first start that was killed half way is begun anew`() async throws {
    let directory = try temporaryDirectory("ceir-local-test")
    let half = directory + "/postgresql/data.new"
    try FileManager.default.createDirectory(atPath: half, withIntermediateDirectories: true)
    try "15\n".write(toFile: half + "/PG_VERSION", atomically: false, encoding: .utf8)
    try await withCluster(in: directory) { local, _ in
      let answer = try await local.answer("SELECT 1::int8")
      #expect(answer == 1)
    }
  }

  @Test func `a stop ends statements under way within its time`() async throws {
    try await withCluster { local, _ in
      let connectionString = local.connectionString(role: "worker", database: "registry")
      let pool = PostgreSQLPool(PostgreSQLConfiguration(connectionString: connectionString))
      let sleeping = Task {
        try await pool.withConnection { try await $0.query("SELECT pg_sleep(600)") }
      }
      try await until {
        try await local.answer(
          "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'") == 1
      }
      try await local.stop()
      let error = await #expect(throws: PostgreSQLError.self) { try await sleeping.value }
      #expect(error?.code == .connectionLost)
      await pool.close()
    }
  }

  private final class Events: Sendable {
    private let list = Mutex<[LocalPostgreSQL.Event]>([])
    var all: [LocalPostgreSQL.Event] { list.withLock { $0 } }
    func append(_ event: LocalPostgreSQL.Event) { list.withLock { $0.append(event) } }
  }
}
