import Foundation
import HTTPTypes
import Hummingbird
import ListExchange
import Logging
import NIOCore
import Simulation
import Synchronization

/// A registry over real HTTP: the small one behind the interface of the exchange.
final class RegistryServer: Sendable {
  static let token = "test-token-of-alpha"

  struct State {
    var registry = SmallRegistry()
    var port = 0
    var snapshotCount = 0
    var requestCount = 0
    var running: Task<Void, any Error>?
  }

  private let state = Mutex(State())
  private let directory: String

  init(directory: String) { self.directory = directory }

  var registry: SmallRegistry { state.withLock { $0.registry } }
  var snapshotCount: Int { state.withLock { $0.snapshotCount } }
  var url: String { state.withLock { "http://127.0.0.1:\($0.port)" } }

  func change<Value>(_ body: (inout SmallRegistry) -> sending Value) -> Value {
    state.withLock { body(&$0.registry) }
  }

  /// Listens, again on the same port after a stop.
  func start() async throws {
    let port = state.withLock { $0.port }
    let (ready, isReady) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "registry")
    logger.logLevel = .critical
    let application = Application(
      router: router(),
      configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
      onServerRunning: { isReady.yield($0.localAddress?.port ?? 0) }, logger: logger)
    let task = Task { try await application.run() }
    for await port in ready {
      state.withLock { state in
        state.port = port
        state.running = task
      }
      return
    }
  }

  func stop() async {
    let task = state.withLock { $0.running }
    task?.cancel()
    _ = await task?.result
  }

  private func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.get("/exchange/v1/changes") { [self] request, _ in
      guard isKnown(request) else { return Self.refused(.unauthenticated) }
      let question: ChangesRequest
      do {
        question = try ChangesRequest { name in
          request.uri.queryParameters[Substring(name)].map(String.init)
        }
      } catch {
        return Self.refused(.badRequest)
      }
      return try await answer(question)
    }
    router.get("/exchange/v1/snapshot") { [self] request, _ in
      guard isKnown(request) else { return Self.refused(.unauthenticated) }
      let number = state.withLock { state in
        state.snapshotCount += 1
        return state.snapshotCount
      }
      let path = "\(directory)/served-\(number).index"
      try registry.writeSnapshot(to: path)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      try FileManager.default.removeItem(atPath: path)
      return Self.response(Array(bytes), ExchangePath.index)
    }
    return router
  }

  private func answer(_ question: ChangesRequest) async throws -> Response {
    let deadline = ContinuousClock.now + .seconds(question.waitSeconds)
    while true {
      switch registry.answer(question) {
      case .failure(let refusal): return Self.refused(refusal.problem)
      case .success(let bytes):
        if registry.position > question.after || ContinuousClock.now > deadline {
          return Self.response(bytes, ExchangePath.ndjson)
        }
      }
      try await pace(milliseconds: 10)
    }
  }

  private func isKnown(_ request: Request) -> Bool {
    request.headers[.authorization] == "Bearer \(Self.token)"
  }

  private static func refused(_ code: ExchangeCode) -> Response {
    refused(ExchangeProblem(ExchangeError(code)))
  }

  private static func refused(_ problem: ExchangeProblem) -> Response {
    response(
      problem.json, ExchangePath.problem,
      status: HTTPResponse.Status(code: problem.error.code.httpStatus))
  }

  private static func response(
    _ bytes: [UInt8], _ type: String, status: HTTPResponse.Status = .ok
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
