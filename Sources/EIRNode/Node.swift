import AsyncHTTPClient
import CheckServer
import DeviceLists
import EquipmentCheck
import Hummingbird
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// One EIR process: answers from its list, follows the registry, and lets itself be asked about it.
package struct Node: Sendable {
  /// Where it can be reached, once it can.
  package struct Addresses: Hashable, Sendable {
    package var checks: SocketAddress
    package var admin: SocketAddress
  }

  /// Threads that wait for the disk: one for the list, one to compact it, one for small files.
  private static let waitingThreads = 3
  private static let betweenLogFlushes = Duration.milliseconds(500)
  private static let shutdownPatience = Duration.seconds(15)

  private let settings: NodeSettings
  private let logger: Logger
  var pace = FeedLoop.Pace()

  package init(settings: NodeSettings, logger: Logger) {
    self.settings = settings
    self.logger = logger
  }

  /// Runs until SIGTERM or SIGINT, answering from what is on disk at once.
  package func run(
    onReady: @escaping @Sendable (Addresses) -> Void
  ) async throws {
    let keeper = try ListKeeper(
      directory: settings.directory, registry: settings.registry, feed: settings.feed,
      brakeLimit: settings.brake)
    for notice in keeper.notices {
      logger.warning("the list was repaired", metadata: ["notice": "\(notice)"])
    }
    let token = try AdminToken.obtain(path: settings.adminTokenPath)
    let threads = NIOThreadPool(numberOfThreads: Self.waitingThreads)
    threads.start()
    let client = HTTPClient(
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: Self.clientSettings)
    let outcome: Result<Void, any Error>
    do {
      try await serve(keeper, token, threads, client, onReady)
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    AdminClient.removeAddress(of: settings)
    try await client.shutdown()
    try await threads.shutdownGracefully()
    try outcome.get()
  }

  private static var clientSettings: HTTPClient.Configuration {
    let silenceSeconds = Int64(FeedLoop.Pace().waitSeconds + RegistryClient.patienceSeconds)
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(5), read: .seconds(silenceSeconds)))
    configuration.httpVersion = .http1Only
    // The feed loop has its own patience, and says what it waits for.
    configuration.connectionPool.retryConnectionEstablishment = false
    return configuration
  }

  private func serve(
    _ keeper: ListKeeper, _ token: AdminToken, _ threads: NIOThreadPool, _ client: HTTPClient,
    _ onReady: @escaping @Sendable (Addresses) -> Void
  ) async throws {
    let judge = Judge(
      engine: DecisionEngine(settings: settings.decision), keeper: keeper,
      counters: CheckCounters(), checkLog: settings.checkLog.map { CheckLog(path: $0) })
    let health = FeedHealth()
    let wakeUp = WakeUp()
    let listener = try await listener(judge)
    let checks = SocketAddress(host: settings.listen.host, port: listener.port)
    let admin = AdminServer(
      settings: settings, token: token, keeper: keeper, judge: judge, health: health,
      threads: threads, wakeUp: wakeUp, logger: logger
    ).application { address in
      tellTools(address)
      onReady(Addresses(checks: checks, admin: address))
    }
    // Stopped from the last to the first, so that the log hears of the last answer.
    var services: [any Service] = []
    if let checkLog = judge.checkLog {
      services.append(
        LogService(log: checkLog, threads: threads, pause: Self.betweenLogFlushes, logger: logger))
    }
    services += [ListenerService(listener: listener), admin]
    if let ceir = settings.ceir {
      let registry = RegistryClient(
        client: client, url: ceir.url, token: ceir.token, threads: threads)
      services.append(
        FeedService(
          loop: FeedLoop(
            keeper: keeper, client: registry, feed: settings.feed, health: health,
            threads: threads, logger: logger, pace: pace, wakeUp: wakeUp)))
    }
    try await run(services)
  }

  private func run(_ services: [any Service]) async throws {
    var configuration = ServiceGroupConfiguration(
      services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = Self.shutdownPatience
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch let error as IOError {
      throw NodeError(.cannotListen, "cannot listen on \(settings.admin)", underlying: error)
    }
  }

  /// Writes where the operator's tools find this node.
  private func tellTools(_ address: SocketAddress) {
    do throws(NodeError) {
      try SmallFile.replace(
        AdminClient.addressPath(of: settings), with: Array(address.description.utf8))
    } catch {
      logger.warning(
        "cannot say where the tools find this node", metadata: ["reason": "\(error)"])
    }
  }

  private func listener(_ judge: Judge) async throws(NodeError) -> CheckServer {
    do throws(CheckServerError) {
      return try await CheckServer.start(
        host: settings.listen.host, port: settings.listen.port,
        group: MultiThreadedEventLoopGroup.singleton,
        responder: N17Responder { query in judge.answer(query, asOf: .now()) })
    } catch {
      throw NodeError(.cannotListen, error.description, underlying: error)
    }
  }
}

private struct ListenerService: Service {
  let listener: CheckServer

  func run() async throws {
    try await gracefulShutdown()
    await listener.shutdown()
  }
}

private struct FeedService: Service {
  let loop: FeedLoop

  func run() async throws {
    await cancelWhenGracefulShutdown { await loop.run() }
  }
}

/// Writes the check log twice a second, and once more at the end.
private struct LogService: Service {
  let log: CheckLog
  let threads: NIOThreadPool
  let pause: Duration
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var isNews = true
      while !Task.isCancelled {
        isNews = await flush(isNews)
        // Ends early only because the task is cancelled, which the loop looks at.
        try? await Task.sleep(for: pause)
      }
    }
    _ = await flush(true)
  }

  /// False after a failure, which is said once.
  private func flush(_ isNews: Bool) async -> Bool {
    do {
      try await threads.runIfActive { try log.flush() }
      return true
    } catch {
      if isNews {
        logger.warning("cannot write the check log", metadata: ["reason": "\(error)"])
      }
      return false
    }
  }
}
