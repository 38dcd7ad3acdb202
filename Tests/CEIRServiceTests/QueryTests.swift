import CEIRService
import DeviceLists
import ListExchange
import PostgreSQL
import RegistryStore
import Simulation
import Testing

/// Queries that are answered later: none waits behind one that cannot be answered.
struct QueryTests {
  private static let queries = #"{"queries":[{"imei":"490154203237518"}]}"#

  @Test func `queries that cannot be answered end with a code, and the next are answered`()
    async throws
  {
    let world = try await ExchangeWorld.start()
    _ = try await world.node("alfa")
    let node = try await world.node("beta")
    let (gone, known) = (try await world.identity("alfa"), try await world.identity("beta"))
    let names = try await world.owner.transaction { connection in
      try await connection.script(RegistryStore.searchPath)
      let registry = RegistryTransaction(connection: connection)
      let inForce = try await registry.insertQuery(Array("{".utf8), of: known)
      // Nobody sees it before its node has retired: both are stored at once.
      let behind = try await registry.insertQuery(Array(Self.queries.utf8), of: gone)
      try await connection.query(
        "UPDATE node SET revoked_at = now() WHERE node_id = $1", gone.number)
      return (unreadable: inForce, former: behind)
    }
    let asked = try await node.send("POST", ExchangePath.queries, Self.queries, key: "q")
    #expect(asked.status == 202, "\(asked.text)")
    let location = try #require(asked.headers["location"])
    try await eventually("the answer behind them") {
      try await node.send("GET", location).text.contains(#""state":"answered""#)
    }
    let unreadable = try await node.send("GET", "\(ExchangePath.queries)/\(names.unreadable)")
    #expect(unreadable.code == .badRequest)
    let refused = QueryState.refused(code: Int(ExchangeCode.certificateRefused.rawValue))
    #expect(try await world.store.read { try await $0.query(names.former, of: gone) } == refused)
    try await world.stop()
  }
}
