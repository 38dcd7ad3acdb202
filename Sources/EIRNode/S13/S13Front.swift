import CheckServer
import Logging
import NIOPosix
import ServiceLifecycle

/// Every address on which S13 is answered.
struct S13Front: Sendable {
  let peers: S13Peers
  /// By the name of their setting without `.listen`: `s13`, `s13.tls`, `s13.sctp`.
  private(set) var addresses: [(name: String, address: SocketAddress)] = []
  /// Watch the certificates.
  private(set) var services: [any Service] = []
  /// How the files of the certificates are.
  private(set) var reports: [@Sendable () -> StatusReport.KeyFiles] = []
  private var listeners: [StreamListener] = []

  private init(peers: S13Peers) { self.peers = peers }

  static func start(
    _ settings: S13Settings, directory: String, logger: Logger,
    decide: @escaping S13Service.Decide
  ) async throws(NodeError) -> S13Front {
    let peers = S13Peers(allowed: settings.peers)
    let service = S13Service(
      settings, peers: peers,
      originStateID: try OriginState.next(in: directory, asOf: .now()), logger: logger,
      decide: decide)
    var front = S13Front(peers: peers)
    do {
      try await front.listen(settings, service)
    } catch {
      await front.shutdown()
      if let error = error as? NodeError { throw error }
      throw NodeError(.cannotListen, "\(error)", underlying: error)
    }
    return front
  }

  private mutating func listen(_ settings: S13Settings, _ service: S13Service) async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    if let place = settings.listen {
      let listener = try await service.start(host: place.host, port: place.port, group: group)
      add("s13", place, listener)
    }
    if let place = settings.tlsListen, let files = settings.tls {
      let watched = try SignallingTLS.watched(
        files, for: "s13.tls", what: "the certificates of S13", logger: service.logger)
      services.append(watched.watch)
      reports.append(watched.report)
      let listener = try await service.start(
        host: place.host, port: place.port, group: group, security: watched.tls.security)
      add("s13.tls", place, listener)
    }
    if let place = settings.sctpListen {
      let (socket, port) = try SCTPSocket.bound(to: place)
      let listener = try await service.start(socket: socket, port: port, group: group)
      add("s13.sctp", place, listener)
    }
  }

  private mutating func add(_ name: String, _ place: SocketAddress, _ listener: StreamListener) {
    listeners.append(listener)
    addresses.append((name, SocketAddress(host: place.host, port: listener.port)))
  }

  var openConnections: Int { listeners.reduce(0) { $0 + $1.openConnections } }

  func shutdown() async {
    await withTaskGroup { group in
      for listener in listeners { group.addTask { await listener.shutdown() } }
    }
  }
}
