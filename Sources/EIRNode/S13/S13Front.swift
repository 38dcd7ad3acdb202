import CheckServer
import Logging
import NIOPosix

/// Every address on which S13 is answered.
struct S13Front: Sendable {
  let peers: S13Peers
  /// For people: `127.0.0.1:3868`, the first that is listened on.
  let address: SocketAddress
  private let listeners: [StreamListener]

  static func start(
    _ settings: S13Settings, logger: Logger, decide: @escaping S13Service.Decide
  ) async throws(NodeError) -> S13Front {
    let peers = S13Peers(allowed: settings.peers)
    let service = S13Service(settings, peers: peers, logger: logger, decide: decide)
    var listeners: [StreamListener] = []
    var addresses: [SocketAddress] = []
    do {
      if let place = settings.listen {
        let listener = try await service.start(
          host: place.host, port: place.port, group: MultiThreadedEventLoopGroup.singleton)
        listeners.append(listener)
        addresses.append(SocketAddress(host: place.host, port: listener.port))
      }
      if let place = settings.sctpListen {
        let (socket, port) = try SCTPSocket.bound(to: place)
        listeners.append(
          try await service.start(
            socket: socket, port: port, group: MultiThreadedEventLoopGroup.singleton))
        addresses.append(SocketAddress(host: place.host, port: port))
      }
    } catch {
      for listener in listeners { await listener.shutdown() }
      if let error = error as? NodeError { throw error }
      throw NodeError(.cannotListen, "\(error)", underlying: error)
    }
    return S13Front(peers: peers, address: addresses[0], listeners: listeners)
  }

  func shutdown() async {
    await withTaskGroup { group in
      for listener in listeners { group.addTask { await listener.shutdown() } }
    }
  }
}
