import CheckServer
import DeviceLists
import ExchangeTrust
import Hummingbird
import ListExchange
import Logging
import NIOCore
import NIOPosix
import RegistryStore
import ServiceLifecycle

/// The listeners of the exchange, and all that works behind them.
struct ExchangeSide: Sendable {
  let shared: ExchangeServices
  private let settings: CEIRSettings
  private let bells: Bells
  private let folder: AuthorityFolder
  private let files: TrustedFiles
  private let signer: RegistrySigner
  private let connections: PeerConnections
  private let logger: Logger

  /// Nil where the registry has no certificates yet.
  init?(
    settings: CEIRSettings, registry: RegistryName, store: RegistryStore, messages: RegistryStore,
    lists: RegistryLists, bells: Bells, limits: NodeLimits, metrics: CEIRMetrics, logger: Logger
  ) async throws {
    let folder = AuthorityFolder(directory: settings.certificateDirectory)
    guard folder.exists else {
      logger.warning(
        "No certificates: nodes are not answered. Make them by `ceir pki init`, then start again.",
        metadata: ["directory": "\(folder.directory)"])
      return nil
    }
    self.settings = settings
    self.bells = bells
    self.folder = folder
    self.logger = logger
    files = try TrustedFiles(folder.ceir)
    guard files.current.own.registry == registry else {
      throw SettingsError(
        "The certificates in \(folder.directory) are of the registry "
          + "\(files.current.own.registry), not of \(registry): name another pki.directory.")
    }
    signer = try RegistrySigner(folder.signer)
    connections = PeerConnections()
    let roster = NodeRoster(
      store: store, bell: bells.roster, connections: connections, metrics: metrics,
      logger: logger)
    let shelf = SnapshotShelf(
      store: store, lists: lists, signer: signer, directory: "\(lists.directory)/snapshots",
      logger: logger)
    try shelf.clear()
    // Nobody is answered before it is known whose certificates no longer count.
    try await roster.look()
    shared = ExchangeServices(
      registry: registry, store: store, messages: messages, lists: lists, roster: roster,
      deltas: DeltaSource(store: store, registry: registry, signer: signer, metrics: metrics),
      shelf: shelf, desk: StatusDesk(lists: lists), authority: CertificateDesk(folder),
      limits: limits, allowances: Allowances(limits), journalBell: bells.journal, metrics: metrics)
  }

  func services(_ ready: ReadyGate) -> [any Service] {
    let gate = PeerGate(
      files: files, accepting: .anyNode, connections: connections, logger: logger)
    return [
      shared.roster,
      OwnCertificates(
        folder: folder, files: files, signer: signer, store: shared.store, logger: logger),
      QueryWorker(
        store: shared.store, desk: shared.desk, roster: shared.roster, bell: bells.queries,
        metrics: shared.metrics, logger: logger),
      Broadcaster(
        services: shared, files: files, connections: connections, rosterBell: bells.roster,
        logger: logger),
      FileExchange(
        settings: .init(
          directory: settings.filesDirectory ?? "\(settings.dataDirectory)/files",
          keepDays: settings.filesKeepDays, subscriberDays: settings.subscriberDays),
        registry: shared.registry, store: shared.store, lists: shared.lists,
        metrics: shared.metrics, logger: logger, signer: { [signer] in try signer.current }),
      application(gate, ready),
      StatusListener(
        address: settings.statusListen, gate: gate,
        responder: StatusResponder(desk: shared.desk, roster: shared.roster), ready: ready),
    ]
  }

  private func application(_ gate: PeerGate, _ ready: ReadyGate) -> some ApplicationProtocol {
    Application(
      router: ExchangeRoutes(services: shared).router(connections), server: .exchange(gate),
      configuration: .init(
        address: .hostname(settings.exchangeListen.host, port: settings.exchangeListen.port),
        serverName: "ceir"),
      onServerRunning: { channel in
        ready.opened(.exchange, channel.localAddress?.port ?? 0)
      }, logger: logger)
  }
}

/// `lu-status` alone, on the fast listener.
struct StatusListener: Service {
  let address: ListenAddress
  let gate: PeerGate
  let responder: StatusResponder
  let ready: ReadyGate

  func run() async throws {
    var limits = CheckServerLimits()
    limits.bodyBytes = ExchangeLimits.longestLUStatusBytes
    let server: CheckServer
    do {
      server = try await CheckServer.start(
        host: address.host, port: address.port, group: MultiThreadedEventLoopGroup.singleton,
        limits: limits,
        security: ConnectionSecurity { [gate] channel, identify in
          try gate.handlers(for: channel) { identify($0) }
        }, responder: responder)
    } catch {
      throw SettingsError(
        "Nothing can listen on \(address): stop the other program there, or give "
          + "exchange.statusListen another address.")
    }
    ready.opened(.status, server.port)
    await gracefulShutdown()
    await server.shutdown()
  }
}

extension StatusListener {
  /// Until the process is asked to end, or this task is cancelled.
  private func gracefulShutdown() async {
    let end = Bell()
    await withGracefulShutdownHandler {
      while !Task.isCancelled, !Task.isShuttingDownGracefully {
        await end.wait(since: end.strokes, timeout: .seconds(60))
      }
    } onGracefulShutdown: {
      end.ring()
    }
  }
}
