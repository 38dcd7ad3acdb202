import DeviceLists
package import PostgreSQL
package import RegistryStore

/// A registry in a database of its own, with a pool for each role.
package struct TestRegistry: Sendable {
  package let database: TestDatabase
  package let owner: PostgreSQLPool
  package let service: PostgreSQLPool
  package let publisher: PostgreSQLPool
  private let seat: Seat

  package var store: RegistryStore { RegistryStore(pool: service) }

  package static func make(
    in cluster: TestCluster = .shared, connections: Int = 16,
    publisherSetUp: [String] = [RegistryStore.searchPath]
  ) async throws -> TestRegistry {
    let seat = await Seat.take()
    let database = try await cluster.database()
    func pool(_ role: RegistryStore.Role?, _ connections: Int, _ setUp: [String])
      -> PostgreSQLPool
    {
      var configuration = database.configuration()
      configuration.role = role?.rawValue
      configuration.setUpStatements = setUp
      return PostgreSQLPool(configuration, limits: .init(maxConnections: connections))
    }
    let owner = pool(nil, 2, [])
    _ = try await Migrator(pool: owner).migrate()
    try await owner.transaction { connection in
      try await connection.script(RegistryStore.searchPath)
      guard let name = RegistryName("XA") else { return }
      _ = try await RegistryTransaction(connection: connection).create(
        name, timeZone: "Africa/Tunis", epoch: Epoch(high: 1, low: 2))
    }
    return TestRegistry(
      database: database, owner: owner,
      service: pool(.service, connections, [RegistryStore.searchPath]),
      publisher: pool(.publisher, 1, publisherSetUp), seat: seat)
  }

  package func close() async {
    await service.close()
    await publisher.close()
    await owner.close()
  }
}
