import DeviceLists
import ExchangeTrust
import Hummingbird
import ListExchange
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// The node's side of the exchange: the registry, and nobody else, hands lists over.
struct ExchangeServer: Sendable {
  static let served: [(method: String, path: String)] = [
    ("GET", ExchangePath.openAPI), ("GET", ExchangePath.status),
    ("POST", ExchangePath.broadcast),
  ]
  /// Bytes of a delta: its most changes with lines of a usual length, several times over.
  static let longestDeltaBytes = 16 << 20
  /// How long a body may make no progress.
  static let bodyPatience = Duration.seconds(30)

  let settings: NodeSettings
  let listen: SocketAddress
  let files: TrustedFiles
  let instance: InstanceID
  let keeper: ListKeeper
  let proof: SignatureProof
  let parameters: ParametersKeeper
  let taker: BroadcastTaker
  let health: FeedHealth
  let threads: NIOThreadPool
  let logger: Logger
  let connections = PeerConnections()
  let turnstile = Turnstile()

  func application(
    onRunning: @escaping @Sendable (SocketAddress) async -> Void
  ) -> some ApplicationProtocol {
    var quiet = logger
    quiet.logLevel = .warning
    let gate = PeerGate(
      files: files, accepting: .ceir, connections: connections, logger: logger)
    return Application(
      router: router(), server: .exchange(gate),
      configuration: ApplicationConfiguration(
        address: .hostname(listen.host, port: listen.port), serverName: "openceir-eir"),
      onServerRunning: { channel in
        let port = channel.localAddress?.port ?? listen.port
        await onRunning(SocketAddress(host: listen.host, port: port))
      }, logger: quiet)
  }
}

/// Lets one in at a time.
final class Turnstile: Sendable {
  private let isTaken = Mutex(false)

  func enter() -> Bool {
    isTaken.withLock { taken in
      defer { taken = true }
      return !taken
    }
  }

  func leave() { isTaken.withLock { $0 = false } }
}
