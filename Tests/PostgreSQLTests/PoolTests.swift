import PostgreSQL
import Simulation
import Synchronization
import Testing

@Suite struct PoolTests {
  @Test func `no more connections than allowed, and every caller is served`() async throws {
    let limits = PostgreSQLPool.Limits(maxConnections: 3, acquireTimeout: .seconds(60))
    try await TestCluster.shared.database().withPool(limits: limits) { pool in
      let pids = try await withThrowingTaskGroup(of: Int32.self) { group in
        for _ in 0..<200 {
          group.addTask {
            try await pool.withConnection {
              try await $0.query("SELECT pg_backend_pid()").only().int32(0)
            }
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(pids.count == 200)
      #expect(Set(pids).count <= 3)
    }
  }

  @Test func `who waits too long is told that the pool is exhausted`() async throws {
    let limits = PostgreSQLPool.Limits(maxConnections: 1, acquireTimeout: .seconds(2))
    try await TestCluster.shared.database().withPool(limits: limits) { pool in
      try await pool.withConnection { _ in
        let error = await #expect(throws: PostgreSQLError.self) {
          try await pool.withConnection { _ in }
        }
        #expect(error?.code == .poolExhausted)
      }
      try await pool.withConnection { _ in }
    }
  }

  @Test func `who waits beyond the crowd limit is refused at once`() async throws {
    let limits = PostgreSQLPool.Limits(maxConnections: 1, maxWaiting: 0)
    try await TestCluster.shared.database().withPool(limits: limits) { pool in
      let error = await #expect(throws: PostgreSQLError.self) {
        try await pool.withConnection { _ in }
      }
      #expect(error?.code == .poolExhausted)
    }
  }

  @Test func `callers are served in the order in which they came`() async throws {
    try await TestCluster.shared.database().withPool(limits: .init(maxConnections: 1)) { pool in
      let order = Order()
      let waiting = try await pool.withConnection { _ in
        var waiting: [Task<Void, any Error>] = []
        for number in 0..<20 {
          waiting.append(
            Task { try await pool.withConnection { _ in order.append(number) } })
          try await until { pool.waitingCount == number + 1 }
        }
        return waiting
      }
      for task in waiting { try await task.value }
      #expect(order.numbers == Array(0..<20))
    }
  }

  private final class Order: Sendable {
    private let list = Mutex<[Int]>([])
    var numbers: [Int] { list.withLock { $0 } }
    func append(_ number: Int) { list.withLock { $0.append(number) } }
  }

  @Test func `a waiting caller can be cancelled`() async throws {
    try await TestCluster.shared.database().withPool(limits: .init(maxConnections: 1)) { pool in
      try await pool.withConnection { _ in
        let task = Task { try await pool.withConnection { _ in } }
        try await until { pool.waitingCount == 1 }
        task.cancel()
        let error = await #expect(throws: PostgreSQLError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(pool.waitingCount == 0)
      }
    }
  }

  @Test func `a broken connection is replaced`() async throws {
    let database = try await TestCluster.shared.database()
    try await database.withPool(limits: .init(maxConnections: 4)) { pool in
      let lost = await #expect(throws: PostgreSQLError.self) {
        try await pool.withConnection { connection in
          try await database.endConnections()
          try await until {
            _ = try await connection.query("SELECT 1")
            return false
          }
        }
      }
      #expect(lost?.code == .connectionLost)
      for _ in 0..<8 {
        try await pool.withConnection { _ = try await $0.query("SELECT 1") }
      }
    }
  }

  @Test func `an idle connection that broke is not lent again`() async throws {
    let database = try await TestCluster.shared.database()
    try await database.withPool(limits: .init(maxConnections: 1)) { pool in
      for _ in 0..<10 {
        try await pool.withConnection { _ = try await $0.query("SELECT 1") }
        try await database.endConnections()
        try await until { pool.idleCount == 0 }
        try await pool.withConnection { _ = try await $0.query("SELECT 1") }
      }
    }
  }

  @Test func `a closed pool refuses, after those who have a connection are done`() async throws {
    let database = try await TestCluster.shared.database()
    let pool = PostgreSQLPool(database.configuration(), limits: .init(maxConnections: 1))
    let closing = try await pool.withConnection { connection in
      let closing = Task { await pool.close() }
      try await until {
        do {
          try await pool.withConnection { _ in }
          return false
        } catch let error as PostgreSQLError {
          return error.code == .poolClosed
        }
      }
      try await connection.query("SELECT 1")
      return closing
    }
    await closing.value
  }

  @Test func `each connection is set up`() async throws {
    let database = try await TestCluster.shared.database()
    try await database.withPool { pool in
      try await pool.withConnection {
        try await $0.script(#"CREATE ROLE "Odd ""role"; CREATE SCHEMA s"#)
      }
    }
    var configuration = database.configuration()
    configuration.role = #"Odd "role"#
    configuration.setUpStatements = ["SET search_path = s"]
    let pool = PostgreSQLPool(configuration)
    let row = try await pool.withConnection {
      try await $0.query(
        """
        SELECT current_user::text, current_setting('search_path'), current_setting('timezone'),
               current_setting('application_name')
        """
      ).only()
    }
    #expect(try (0..<4).map { try row.string(.index($0)) } == [#"Odd "role"#, "s", "UTC", "test"])
    await pool.close()
  }

  @Test func `of several hosts the one that serves is taken`() async throws {
    let database = try await TestCluster.shared.database()
    var configuration = database.configuration()
    configuration.connectionString =
      configuration.connectionString.replacing(
        "host='", with: "host='/nonexistent,", maxReplacements: 1)
      + " target_session_attrs=read-write"
    let pool = PostgreSQLPool(configuration)
    let answer = try await pool.withConnection { try await $0.query("SELECT 1").only().int32(0) }
    #expect(answer == 1)
    await pool.close()
  }
}
