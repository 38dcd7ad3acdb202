import PostgreSQL
import Simulation
import Testing

@Suite struct ListenerTests {
  @Test func `notifications arrive, also after the connection was lost`() async throws {
    let database = try await TestCluster.shared.database()
    let listener = PostgreSQLListener(
      database.configuration(), channels: ["changes", "Odd \"name"])
    var events = listener.events.makeAsyncIterator()
    #expect(await events.next() == .connected)
    try await database.withPool { pool in
      try await pool.withConnection {
        try await $0.script(#"NOTIFY changes, '17'; NOTIFY "Odd ""name", 'x'; NOTIFY other"#)
      }
    }
    #expect(await events.next() == .notification(channel: "changes", payload: "17"))
    #expect(await events.next() == .notification(channel: "Odd \"name", payload: "x"))
    try await database.endConnections()
    #expect(await events.next() == .lost)
    #expect(await events.next() == .reconnected)
    try await database.withPool { pool in
      try await pool.withConnection { try await $0.script("NOTIFY changes, '18'") }
    }
    #expect(await events.next() == .notification(channel: "changes", payload: "18"))
    await listener.close()
    #expect(await events.next() == nil)
  }

  @Test func `a listener without a server keeps trying and can be closed`() async throws {
    let (failures, sink) = AsyncStream.makeStream(of: PostgreSQLError.self)
    let listener = PostgreSQLListener(
      PostgreSQLConfiguration(connectionString: "host=/nonexistent"), channels: ["a"]
    ) { sink.yield($0) }
    var iterator = failures.makeAsyncIterator()
    for _ in 0..<3 { #expect(await iterator.next()?.code == .cannotConnect) }
    await listener.close()
  }
}
