import AsyncHTTPClient
import DeviceLists
import ExchangeTrust
import Hummingbird
import ListExchange
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Everything by which a node and its registry exchange lists and messages.
struct NodeExchange: Sendable {
  private static let connectSeconds: Int64 = 5
  /// Questions under way at once in the mode of authorisation.
  private static let askingConnections = 16

  let settings: NodeSettings
  let credentials: NodeCredentials
  let keeper: ListKeeper
  let threads: NIOThreadPool
  let logger: Logger

  let parameters: ParametersKeeper
  let health = FeedHealth()
  let proof: SignatureProof
  let asker: RegistryAsker?
  /// Nil where there is no way to the registry.
  let sightings: SightingLoop?
  /// Rung when the feed loop may go on.
  let wakeUp = WakeUp()
  let acknowledge = AcknowledgementBell()
  let filesState = FilesState()
  private let peer: PeerClient
  private let askingPeer: PeerClient?
  private let client: RegistryClient?
  private let startedAt = Instant.now()

  init(
    settings: NodeSettings, credentials: NodeCredentials, keeper: ListKeeper,
    threads: NIOThreadPool, logger: Logger
  ) throws(NodeError) {
    self.settings = settings
    self.credentials = credentials
    self.keeper = keeper
    self.threads = threads
    self.logger = logger
    let parameters = try ParametersKeeper(path: settings.parametersPath)
    self.parameters = parameters
    let health = health
    proof = SignatureProof(files: credentials.files, registry: settings.registry)
    let peer = Self.peer(credentials, connections: nil)
    self.peer = peer
    client = settings.ceirURL.map { url in
      RegistryClient(
        client: peer, url: url, instance: credentials.instance,
        announced: { parameters.announced($0) }, answered: { health.answered(asOf: .now()) })
    }
    let tells = settings.ceirURL != nil || settings.files?.outbox != nil
    sightings =
      tells
      ? try SightingLoop(
        directory: settings.directory + "/sightings", parameters: parameters, threads: threads,
        logger: logger) : nil
    guard let ask = settings.ask else {
      (asker, askingPeer) = (nil, nil)
      return
    }
    let askingPeer = Self.peer(credentials, connections: Self.askingConnections)
    self.askingPeer = askingPeer
    asker = RegistryAsker(
      client: RegistryClient(
        client: askingPeer, url: ask.url, instance: credentials.instance),
      timeoutMilliseconds: ask.timeoutMilliseconds)
  }

  /// - Parameter connections: at once; nil for the usual.
  package static func peer(
    _ credentials: NodeCredentials, connections: Int? = nil
  ) -> PeerClient {
    var configuration = HTTPClient.Configuration(
      timeout: .init(connect: .seconds(connectSeconds)))
    if let connections {
      configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
    }
    return PeerClient(
      files: credentials.files, expecting: .ceir,
      group: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
  }

  func shutdown() async throws {
    try await askingPeer?.shutdown()
    try await peer.shutdown()
  }

  /// - Parameter onListening: told where the registry can hand lists over.
  func services(
    pace: FeedLoop.Pace, onListening: @escaping @Sendable (SocketAddress) -> Void
  ) -> [any Service] {
    let logger = logger
    let files = credentials.files
    var services: [any Service] = [
      LoopService {
        await files.watch { error in
          if let error {
            logger.warning(
              "the new certificate is not used", metadata: ["reason": "\(error)"])
          }
        }
      }
    ]
    if let client { services += askingServices(client, pace: pace) }
    if parameters.state.inForce.style.isPushed, settings.exchangeListen == nil {
      logger.warning(
        """
        the registry hands lists over, and exchange.listen is not set: changes come late, when \
        this node asks by itself
        """)
    }
    if let files = settings.files { services.append(filesService(files, client)) }
    if let listen = settings.exchangeListen { services += listening(listen, onListening) }
    return services
  }

  private func askingServices(
    _ client: RegistryClient, pace: FeedLoop.Pace
  ) -> [any Service] {
    let feed = FeedLoop(
      keeper: keeper, client: client, proof: proof, parameters: parameters, feed: settings.feed,
      health: health, threads: threads, logger: logger, pace: pace, wakeUp: wakeUp,
      acknowledge: acknowledge, startedAt: startedAt)
    let settling = ParametersLoop(
      parameters: parameters, keeper: keeper, client: client,
      isListening: settings.exchangeListen != nil, takesFiles: settings.files != nil,
      logger: logger, wakeUp: wakeUp)
    let acknowledger = Acknowledger(
      keeper: keeper, client: client, logger: logger, bell: acknowledge)
    let renewal = CertificateRenewal(files: credentials.files, client: client)
    let (logger, sightings) = (logger, sightings)
    return [
      LoopService { await feed.run() }, LoopService { await settling.run() },
      LoopService { await acknowledger.run() },
      LoopService { await renewal.run(logger: logger) },
      LoopService { await sightings?.send(by: client) },
    ]
  }

  private func listening(
    _ listen: SocketAddress, _ onListening: @escaping @Sendable (SocketAddress) -> Void
  ) -> [any Service] {
    let taker = BroadcastTaker(
      keeper: keeper, health: health, threads: threads, logger: logger,
      acknowledge: acknowledge)
    let server = ExchangeServer(
      settings: settings, listen: listen, files: credentials.files,
      instance: credentials.instance, keeper: keeper, proof: proof, parameters: parameters,
      taker: taker, health: health, threads: threads, logger: logger)
    return [server.application { onListening($0) }, LoopService { await taker.run() }]
  }
}
