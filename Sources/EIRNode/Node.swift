import AsyncHTTPClient
import CheckServer
import DeviceLists
import EquipmentCheck
import ExchangeTrust
import Hummingbird
import ListExchange
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// One EIR process: answers from its list, follows the registry or is handed lists by it, and lets
/// itself be asked about that.
package struct Node: Sendable {
  /// Where it can be reached, once it can.
  package struct Addresses: Sendable {
    package var checks: SocketAddress
    /// By the name of their setting; empty where S13 is not answered.
    package var s13: [(name: String, address: SocketAddress)] = []
    package var admin: SocketAddress
    /// Nil where the registry cannot hand lists over.
    package var exchange: SocketAddress?
    /// Nil where GSUP is not spoken.
    package var gsup: SocketAddress?
  }

  /// Threads that wait for the disk: one for the list, one to look after it, one for known devices,
  /// two for files.
  private static let waitingThreads = 5
  private static let betweenLogFlushes = Duration.milliseconds(500)
  private static let shutdownPatience = Duration.seconds(15)

  let settings: NodeSettings
  /// Where they are read again from.
  let sources: SettingsSources
  let logger: Logger
  package var pace = FeedLoop.Pace()
  package var notice = ServiceNotice(environment: [:])

  package init(settings: NodeSettings, sources: SettingsSources, logger: Logger) {
    self.settings = settings
    self.sources = sources
    self.logger = logger
  }

  /// Runs until SIGTERM or SIGINT, answering from what is on disk at once.
  package func run(
    onReady: @escaping @Sendable (Addresses) -> Void
  ) async throws {
    OpenFiles.raiseLimit(for: settings, logger: logger)
    for warning in settings.warnings { logger.warning("\(warning)") }
    // From here on SIGHUP ends nothing.
    let hangUps = await UnixSignalsSequence(trapping: .sighup)
    let credentials = try NodeCredentials(settings)
    let keeper = try ListKeeper(
      directory: settings.directory, registry: settings.registry, feed: settings.feed,
      brakeLimit: settings.brake)
    for notice in keeper.notices {
      logger.warning("the list was repaired", metadata: ["notice": "\(notice)"])
    }
    let token = try AdminToken.obtain(path: settings.adminTokenPath)
    let threads = NIOThreadPool(numberOfThreads: Self.waitingThreads)
    threads.start()
    let exchange = try NodeExchange(
      settings: settings, credentials: credentials, keeper: keeper, threads: threads,
      logger: logger)
    let outcome: Result<Void, any Error>
    do {
      try await serve(keeper, token, threads, exchange, hangUps, onReady)
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    AdminClient.removeAddress(of: settings)
    try await exchange.shutdown()
    try await threads.shutdownGracefully()
    try outcome.get()
    logger.notice("stopped")
  }

  private func serve(
    _ keeper: ListKeeper, _ token: AdminToken, _ threads: NIOThreadPool,
    _ exchange: NodeExchange, _ hangUps: UnixSignalsSequence,
    _ onReady: @escaping @Sendable (Addresses) -> Void
  ) async throws {
    let inForce = try DecisionKeeper(settings: settings, asOf: .now())
    warn(of: inForce.current.local)
    let events = try deviceEvents(threads)
    let judge = Judge(
      inForce: inForce, keeper: keeper,
      counters: CheckCounters(), checkLog: CheckLog(path: settings.checkLog),
      sightings: exchange.sightings?.notes, asker: exchange.asker,
      devices: events?.memory)
    let front = try await N17Front(settings.n17, logger: logger)
    let listener = try await listener(judge, front)
    let gsup = try await gsupListener(judge)
    let checks = SocketAddress(host: settings.listen.host, port: listener.port)
    let s13 = try await s13Front(judge)
    let notice = notice
    let arrivals = Arrivals(expected: settings.exchangeListen == nil ? 1 : 2) { admin, exchange in
      tellTools(admin)
      notice.tell(.ready)
      onReady(
        Addresses(
          checks: checks, s13: s13?.addresses ?? [], admin: admin, exchange: exchange,
          gsup: gsup?.address))
    }
    let reloader = SettingsReloader(
      sources: sources, judge: judge, threads: threads, logger: logger)
    let admin = AdminServer(
      settings: settings, token: token, keeper: keeper, judge: judge, s13Peers: s13?.peers,
      tokens: front.gate, exchange: exchange, events: events, gsup: gsup?.health,
      listeners: {
        let first = [("n17", checks)] + (s13?.addresses ?? [])
        let all = first + (gsup.map { [("gsup", $0.address)] } ?? []) + arrivals.addresses
        return all.map { StatusReport.Listener($0.0, $0.1) }
      },
      keyFiles: front.reports + (s13?.reports ?? []),
      reloader: reloader, threads: threads, logger: logger
    ).application { arrivals.admin($0) }
    let drain = Drain(
      openConnections: {
        var open = [(listener: "n17", count: listener.openConnections)]
        if let s13 { open.append(("s13", s13.openConnections)) }
        if let gsup { open.append(("gsup", gsup.listener.openConnections)) }
        return open
      },
      outstanding: { (judge.asker?.waitingCount ?? 0) + (front.gate?.waitingCount ?? 0) },
      logger: logger)
    // Stopped from the last to the first, so that all who note answers hear of the last one.
    var services: [any Service] = []
    if let sightings = exchange.sightings {
      services.append(FlushService(pause: SightingLoop.between, flush: sightings.flush))
    }
    if let events {
      services +=
        [
          FlushService(pause: DeviceEvents.betweenFlushes, flush: events.flush),
          LoopService(loop: events.deliver),
        ] as [any Service]
    }
    services.append(
      FlushService(pause: Self.betweenLogFlushes) { isNews in
        await flush(judge.checkLog, on: threads, isNews)
      })
    services += front.services
    services.append(admin)
    services += s13?.services ?? []
    services.append(
      ListenerService {
        await drain.watch {
          // All at once: each waits for its peers.
          async let n17: Void = listener.shutdown()
          async let diameter: Void? = s13?.shutdown()
          await gsup?.listener.shutdown()
          _ = await (n17, diameter)
        }
      })
    let care = ListCare(
      keeper: keeper, threads: threads, logger: logger, replaced: { exchange.wakeUp.ring() })
    services.append(LoopService { await care.run() })
    services += exchange.services(pace: pace) { arrivals.exchange($0) }
    services.append(ListenerService { notice.tell(.stopping) })
    services.append(
      LoopService { for await _ in hangUps { await reloader.reloadUnasked() } })
    try await run(services)
  }

  private func warn(of local: LocalCounts) {
    guard local.damagedLines > 0 else { return }
    logger.warning(
      "lines of local.ndjson are damaged: entries before them are suspended and make nothing black",
      metadata: [
        "damagedLines": "\(local.damagedLines)", "suspended": "\(local.suspended)",
        "advice": "\(LocalCounts.advice)",
      ])
  }

  /// False after a failure, which is said once.
  private func flush(_ log: CheckLog, on threads: NIOThreadPool, _ isNews: Bool) async -> Bool {
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

  private func deviceEvents(_ threads: NIOThreadPool) throws(NodeError) -> DeviceEvents? {
    guard let events = settings.events else {
      try DeviceEvents.removeAll(in: settings.directory)
      return nil
    }
    return try DeviceEvents(
      events, directory: settings.directory, threads: threads, logger: logger)
  }

  private func run(_ services: [any Service]) async throws {
    var configuration = ServiceGroupConfiguration(
      services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = Self.shutdownPatience
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch let error as IOError {
      let exchange = settings.exchangeListen.map { " or \($0) (exchange.listen)" } ?? ""
      throw NodeError(
        .cannotListen, "cannot listen on \(settings.admin) (admin)\(exchange): name a free address",
        underlying: error)
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

  private func s13Front(_ judge: Judge) async throws(NodeError) -> S13Front? {
    guard let settings = settings.s13 else { return nil }
    return try await S13Front.start(
      settings, directory: self.settings.directory, logger: logger
    ) { query, eventLoop in
      judge.answer(query, from: .s13, asOf: .now(), on: eventLoop)
    }
  }

  private func listener(
    _ judge: Judge, _ front: N17Front
  ) async throws(NodeError) -> CheckServer {
    do throws(CheckServerError) {
      return try await CheckServer.start(
        host: settings.listen.host, port: settings.listen.port,
        group: MultiThreadedEventLoopGroup.singleton, security: front.tls?.security,
        responder: N17Responder(gate: front.gate, instanceID: settings.n17.nfInstanceID) {
          query, eventLoop, patience in
          judge.ruled(query, from: .n17, asOf: .now(), on: eventLoop, within: patience)
        })
    } catch {
      throw NodeError(.cannotListen, error.description, underlying: error)
    }
  }

  /// What speaks GSUP, and what it has to say of itself.
  private struct GSUPListener {
    let listener: StreamListener
    let address: SocketAddress
    let health: GSUPHealth
  }

  private func gsupListener(_ judge: Judge) async throws(NodeError) -> GSUPListener? {
    guard let gsup = settings.gsup else { return nil }
    let health = GSUPHealth(logger: logger)
    let relay = GSUPRelay(settings: gsup, health: health) { query, eventLoop in
      judge.answer(query, from: .gsup, asOf: .now(), on: eventLoop)
    }
    do throws(CheckServerError) {
      let listener = try await relay.start(group: MultiThreadedEventLoopGroup.singleton)
      let address = SocketAddress(host: gsup.listen.host, port: listener.port)
      return GSUPListener(listener: listener, address: address, health: health)
    } catch {
      throw NodeError(.cannotListen, error.description, underlying: error)
    }
  }
}
