import ExchangeTrust
import Glibc
import Hummingbird
import LocalPostgreSQL
package import Logging
import NIOCore
import PostgreSQL
import RegistryStore
import ServiceLifecycle
import UnixSignals

/// The CEIR as one process: publisher, lists, interfaces, and its embedded cluster if it has one.
package struct CEIRServer: Sendable {
  private let settings: CEIRSettings
  private let limits: NodeLimits
  private let logger: Logger

  package init(settings: CEIRSettings, limits: NodeLimits = NodeLimits(), logger: Logger) {
    self.settings = settings
    self.limits = limits
    self.logger = logger
  }

  /// Serves until SIGTERM or SIGINT. `onReady` is told where once everything answers.
  package func run(onReady: @escaping @Sendable (ServedAddresses) -> Void) async throws {
    Heap.returnLargePieces()
    try DataDirectory.create(settings.dataDirectory)
    let lock = try DirectoryLock(directory: settings.dataDirectory)
    let database = try await RegistryDatabase.open(settings)
    do {
      try await serve(database, onReady: onReady)
    } catch {
      try await database.close()
      throw error
    }
    try await database.close()
    lock.release()
  }

  private func serve(
    _ database: RegistryDatabase, onReady: @escaping @Sendable (ServedAddresses) -> Void
  ) async throws {
    let preparation = try await database.prepare(settings)
    let servicePool = database.pool(role: .service)
    let messagePool = database.pool(role: .service)
    let publisherPool = database.pool(
      role: .publisher, connections: 1, setUpStatements: Publisher.setUpStatements)
    let store = RegistryStore(pool: servicePool)
    if let path = try await FirstToken.make(in: settings.dataDirectory, store: store) {
      logger.notice(
        "A token for the administrator was written; move it to a safe place.",
        metadata: ["file": "\(path)"])
    }
    let bells = Bells()
    let metrics = CEIRMetrics()
    let lists = RegistryLists(
      store: store, registry: preparation.registryName,
      directory: "\(settings.dataDirectory)/lists", journalBell: bells.journal,
      metrics: metrics, logger: logger)
    let exchange = try await ExchangeSide(
      settings: settings, registry: preparation.registryName, store: store,
      messages: RegistryStore(pool: messagePool), lists: lists, bells: bells, limits: limits,
      metrics: metrics, logger: logger)
    let ready = ReadyGate(
      waitingFor: exchange == nil ? [.http] : [.http, .exchange, .status], settings: settings,
      then: onReady)
    let application = application(store: store, lists: lists, metrics: metrics, ready: ready)
    var services: [any Service] = [
      Publisher(
        pool: publisherPool, dirtyBell: bells.dirty, journalBell: bells.journal,
        metrics: metrics, logger: logger),
      DatabaseHints(database: database, bells: bells, logger: logger), lists,
      Retention(
        store: store, settings: settings, metrics: metrics, logger: logger,
        reached: { lists.position }),
      application,
    ]
    if let exchange { services += exchange.services(ready) }
    if database.local != nil { services.insert(EmbeddedCluster(database, logger), at: 0) }
    let group = ServiceGroup(
      configuration: .init(
        services: services.map { .init(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    do {
      try await group.run()
    } catch {
      await close(servicePool, messagePool, publisherPool)
      if let error = error as? IOError, error.errnoCode == EADDRINUSE {
        throw SettingsError(
          "Another program listens on \(settings.httpHost), port \(settings.httpPort), or on "
            + "\(settings.exchangeListen): stop it, or give http.port or exchange.listen another "
            + "number.")
      }
      throw error
    }
    await close(servicePool, messagePool, publisherPool)
  }

  private func close(_ pools: PostgreSQLPool...) async {
    for pool in pools { await pool.close() }
  }

  private func application(
    store: RegistryStore, lists: RegistryLists, metrics: CEIRMetrics, ready: ReadyGate
  ) -> some ApplicationProtocol {
    let router = Router(context: BasicRequestContext.self)
    router.add(middleware: ProblemMiddleware())
    router.add(middleware: ExactPathMiddleware())
    HealthRoutes(store: store, lists: lists, metrics: metrics).add(to: router)
    StaffRoutes(store: store, metrics: metrics).add(to: router.group("v1"))
    return Application(
      router: router,
      configuration: .init(
        address: .hostname(settings.httpHost, port: settings.httpPort), serverName: "ceir"),
      onServerRunning: { channel in ready.opened(.http, channel.localAddress?.port ?? 0) },
      logger: logger)
  }
}

/// Keeps the embedded cluster alive.
struct EmbeddedCluster: Service {
  private let database: RegistryDatabase
  private let logger: Logger

  init(_ database: RegistryDatabase, _ logger: Logger) {
    self.database = database
    self.logger = logger
  }

  func run() async throws {
    await cancelWhenGracefulShutdown { [logger] in
      await database.local?.supervise { event in
        logger.error("The embedded PostgreSQL: \(event).")
      }
    }
  }
}
