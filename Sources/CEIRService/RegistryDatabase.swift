package import DeviceLists
import Glibc
package import LocalPostgreSQL
import Logging
package import PostgreSQL
package import RegistryStore

/// The database of a registry, embedded or given, with a pool for each role.
package struct RegistryDatabase: Sendable {
  /// Connections of one pool: for people, lists and pushers, and as many for what nodes write. The
  /// publisher has one of its own.
  static let serviceConnections = 16
  static let databaseName = "ceir"
  static let defaultName = "XA"
  static let defaultTimeZone = "UTC"

  package let local: LocalPostgreSQL?
  private let url: String?

  /// Starts the embedded cluster, or attaches to it where another process has started it. With a
  /// database URL nothing is connected yet.
  package static func open(_ settings: CEIRSettings) async throws -> RegistryDatabase {
    if let url = settings.databaseURL { return RegistryDatabase(local: nil, url: url) }
    try DataDirectory.create(settings.dataDirectory)
    let local = LocalPostgreSQL(
      LocalPostgreSQLConfiguration(
        dataDirectory: settings.dataDirectory, roles: RegistryStore.Role.allCases.map(\.rawValue),
        databases: [.init(name: databaseName, owner: LocalPostgreSQL.superuser)]))
    try await local.start()
    return RegistryDatabase(local: local, url: nil)
  }

  /// Leaves the embedded cluster; the last one to leave stops it.
  package func close() async throws { try await local?.stop() }

  package func pool(
    role: RegistryStore.Role, connections: Int = serviceConnections,
    setUpStatements: [String] = [RegistryStore.searchPath],
    statementTimeout: Duration? = .seconds(30)
  ) -> PostgreSQLPool {
    var configuration = PostgreSQLConfiguration(
      connectionString: url ?? "", applicationName: role.rawValue,
      setUpStatements: setUpStatements, statementTimeout: statementTimeout)
    if let local {
      configuration.connectionString = local.connectionString(
        role: role.rawValue, database: Self.databaseName)
    } else {
      configuration.role = role.rawValue
    }
    return PostgreSQLPool(configuration, limits: .init(maxConnections: connections))
  }

  /// Whether a cluster was made in the directory of these settings, or a database is named.
  ///
  /// - Throws: ``FileError`` where this user may not look.
  package static func exists(_ settings: CEIRSettings) throws(FileError) -> Bool {
    guard settings.databaseURL == nil else { return true }
    if access("\(settings.dataDirectory)/postgresql/data/PG_VERSION", F_OK) == 0 { return true }
    guard errno == EACCES else { return false }
    throw FileError(
      "This user may not read the registry in \(settings.dataDirectory): run ceir as root, or as "
        + "the user that runs `ceir serve`.")
  }

  /// For hints of new marks and new batches.
  package func listener(
    channels: [String], onFailure: @escaping @Sendable (PostgreSQLError) -> Void
  ) -> PostgreSQLListener {
    PostgreSQLListener(
      ownerConfiguration("ceir_listener"), channels: channels, onFailure: onFailure)
  }

  /// The database as its owner sees it: for migrations alone.
  package func ownerPool() -> PostgreSQLPool {
    PostgreSQLPool(ownerConfiguration("ceir_migrate"), limits: .init(maxConnections: 1))
  }

  private func ownerConfiguration(_ name: String) -> PostgreSQLConfiguration {
    PostgreSQLConfiguration(
      connectionString: local?.connectionString(
        role: LocalPostgreSQL.superuser, database: Self.databaseName) ?? url ?? "",
      applicationName: name)
  }

  /// What `ceir migrate` did.
  package struct Preparation: Sendable {
    package let appliedVersions: [Int]
    package let isNewRegistry: Bool
    package let registryName: RegistryName
  }

  /// Brings the schema to this program's version and names the registry where it has no name yet.
  package func prepare(_ settings: CEIRSettings) async throws -> Preparation {
    let pool = ownerPool()
    do {
      let applied = try await Migrator(pool: pool).migrate()
      let preparation = try await pool.transaction { connection in
        try await connection.script(RegistryStore.searchPath)
        let registry = RegistryTransaction(connection: connection)
        var generator = SystemRandomNumberGenerator()
        guard let name = RegistryName(settings.registryName ?? Self.defaultName) else {
          throw SettingsError("registry.name cannot be the name of a registry.")
        }
        let isNew = try await registry.create(
          name, timeZone: settings.timeZone ?? Self.defaultTimeZone,
          epoch: Epoch(using: &generator))
        let found = try await registry.registry()
        try settings.expect(name: found.name.description, timeZone: found.timeZone)
        return Preparation(
          appliedVersions: applied, isNewRegistry: isNew,
          registryName: found.name)
      }
      await pool.close()
      return preparation
    } catch {
      await pool.close()
      throw error
    }
  }
}
