import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Simulation
import Synchronization

/// The operator's own system: takes what is posted, with faults on order.
final class WebhookServer: Sendable {
  enum Mood: Hashable, Sendable {
    case takes, refuses, hangs
    /// Takes the message, and the answer does not say so.
    case takesAndFails
    case redirects
  }

  struct Message: Hashable, Sendable {
    var key: String
    var type: String
    var authorization: String
    var path: String
    var lines: [String]
  }

  struct State {
    var mood = Mood.takes
    var port = 0
    /// All that came, taken or not.
    var tried: [Message] = []
    var taken: [Message] = []
    var running: Task<Void, any Error>?
  }

  let state = Mutex(State())

  var port: Int { see { $0.port } }
  var url: String { "http://localhost:\(port)/devices?secret=wallaby" }

  func see<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
    state.withLock { body(&$0) }
  }

  /// Lines of the messages that were taken, each message once.
  var lines: [String] {
    var keys: Set<String> = []
    return see { $0.taken }.filter { keys.insert($0.key).inserted }.flatMap(\.lines)
  }

  /// Listens, again on the same port after a stop.
  func start() async throws {
    let port = see { $0.port }
    let (ready, isReady) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "webhook")
    logger.logLevel = .critical
    let application = Application(
      router: router(),
      configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
      onServerRunning: { isReady.yield($0.localAddress?.port ?? 0) }, logger: logger)
    let task = Task { try await application.run() }
    for await port in ready {
      see { state in
        state.port = port
        state.running = task
      }
      return
    }
  }

  func stop() async {
    let task = see { $0.running }
    task?.cancel()
    _ = await task?.result
  }

  private func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.post("/devices") { [self] request, _ in
      let body = String(buffer: try await request.body.collect(upTo: 4 << 20))
      let key = HTTPField.Name("Idempotency-Key").flatMap { request.headers[$0] }
      let message = Message(
        key: key ?? "none", type: request.headers[.contentType] ?? "none",
        authorization: request.headers[.authorization] ?? "none", path: request.uri.description,
        lines: body.split(separator: "\n").map(String.init))
      let mood = see { state in
        state.tried.append(message)
        if [.takes, .takesAndFails].contains(state.mood) { state.taken.append(message) }
        return state.mood
      }
      switch mood {
      case .takes: return Response(status: .noContent)
      case .refuses, .takesAndFails: return Response(status: .internalServerError)
      case .redirects: return Response(status: .found, headers: [.location: "/elsewhere"])
      case .hangs:
        try await pace(milliseconds: 3_600_000)
        return Response(status: .noContent)
      }
    }
    return router
  }
}
