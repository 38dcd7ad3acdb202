import CheckServer
import DeviceIdentity
import DeviceLists
import EIRNode
import EquipmentCheck
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// A relay in the test's own process.
struct RelayUnderTest {
  let listener: StreamListener
  let health: GSUPHealth
  let log: LogLines

  /// - Parameter decide: by default the last digit decides: 1 black, 2 grey, 3 white, else unknown.
  static func start(
    hlr host: String = "127.0.0.1", _ port: Int, unknown: GSUPUnknown = .allow,
    limits: GSUPLimits = GSUPLimits(), decide: @escaping GSUPRelay.Decide = byLastDigit
  ) async throws -> RelayUnderTest {
    let log = LogLines()
    let health = GSUPHealth(logger: Logger(label: "gsup") { _ in log.handler })
    var settings = GSUPSettings(
      listen: SocketAddress(host: "127.0.0.1", port: 0),
      hlr: SocketAddress(host: host, port: port))
    settings.unknown = unknown
    let relay = GSUPRelay(settings: settings, limits: limits, health: health, decide: decide)
    let listener = try await relay.start(group: MultiThreadedEventLoopGroup.singleton)
    return RelayUnderTest(listener: listener, health: health, log: log)
  }

  func client(reads: Bool = true) async throws -> TCPPeer {
    try await TCPPeer.connect("127.0.0.1", listener.port, reads: reads)
  }

  static let byLastDigit: GSUPRelay.Decide = { query, _ in
    guard case .device(let device) = query.identity else { return .now(.unknown) }
    return .now(answer(device.imei.number))
  }

  static func answer(_ imei: UInt64) -> CheckAnswer {
    switch imei % 10 {
    case 1: .black
    case 2: .grey
    case 3: .white
    default: .unknown
    }
  }
}

/// Keeps what is logged.
final class LogLines: Sendable {
  private let kept = Mutex<[String]>([])

  var lines: [String] { kept.withLock { $0 } }
  var handler: Handler { Handler(lines: self) }

  struct Handler: LogHandler {
    let lines: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(lines: LogLines) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      lines.kept.withLock {
        $0.append("\(event.level): \(event.message) \(event.metadata ?? [:])")
      }
    }
  }
}
