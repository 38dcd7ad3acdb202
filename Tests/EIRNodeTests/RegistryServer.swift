import Crypto
import DeviceLists
import EIRNode
import ExchangeTrust
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import ListExchange
import Logging
import NIOCore
import Simulation
import Synchronization

/// A registry over real sockets with certificates on both sides: the small one behind the interface
/// of the exchange, with faults on order.
final class RegistryServer: Sendable {
  /// `Range` and `If-Range` as they were sent, and what came of them.
  struct PartAsked: Sendable {
    var range: String
    var condition: String?
    var status: Int
  }

  struct State {
    var registry = SmallRegistry()
    var port = 0
    var snapshotCount = 0
    /// Questions for a snapshot that named a part, in their order.
    var partsAsked: [PartAsked] = []
    var acknowledgements: [Acknowledgement] = []
    var parameters = ParametersAnswer(inForce: ExchangeParameters())
    var confirmed: [Int] = []
    var instances: Set<String> = []
    var questions: [LUStatusRequest] = []
    /// The answer to such a question; nil for silence.
    var status: CheckAnswer? = .black
    var requests: [DeviceRequest] = []
    /// Lines of sightings, and the keys under which they came.
    var sightings: [Sighting] = []
    var sightingKeys: [String] = []
    /// The answer to sightings instead of taking them.
    var refusesSightings: ExchangeCode?
    var certificatesIssued = 0
    /// Bytes after which the next snapshot stops, until ``breaksOff``: then it is cut.
    var snapshotStopsAfter: Int?
    var breaksOff = false
    var prefersSnapshot = false
    var changesCount = 0
    /// The snapshot of the registry as it is: signed again it would be another file.
    var served: [UInt8]?
    var running: Task<Void, any Error>?
  }

  let state = Mutex(State())
  private let directory: String
  private let authority: TestAuthority
  private let files: TrustedFiles
  let connections = PeerConnections()

  init(directory: String, authority: TestAuthority = .shared) throws {
    self.directory = directory
    self.authority = authority
    files = try TrustedFiles(
      authority.write(.ceir, to: directory + "/ceir-tls", name: "ceir"))
  }

  var registry: SmallRegistry { state.withLock { $0.registry } }
  var snapshotCount: Int { state.withLock { $0.snapshotCount } }
  var url: String { state.withLock { "https://127.0.0.1:\($0.port)" } }

  func change<Value>(_ body: (inout SmallRegistry) -> sending Value) -> Value {
    state.withLock { state in
      state.served = nil
      return body(&state.registry)
    }
  }

  func see<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
    state.withLock { body(&$0) }
  }

  /// Listens, again on the same port after a stop.
  func start() async throws {
    let port = state.withLock { $0.port }
    let (ready, isReady) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "registry")
    logger.logLevel = .critical
    let gate = PeerGate(
      files: files, accepting: .anyNode, connections: connections, logger: logger)
    let application = Application(
      router: router(), server: .exchange(gate),
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

  private func router() -> Router<ConnectionRequestContext> {
    let router = Router(context: ConnectionRequestContext.self)
    router.add(middleware: PeerMiddleware(connections))
    let routes = router.group(context: ExchangeRequestContext.self)
    routes.get(RouterPath(ExchangePath.changes)) { [self] request, _ in
      note(request)
      return try await changes(request)
    }
    routes.get(RouterPath(ExchangePath.snapshot)) { [self] request, _ in
      note(request)
      return try snapshot(request)
    }
    addMessages(to: routes)
    routes.post(RouterPath(ExchangePath.certificates)) { [self] request, context in
      let text = String(buffer: try await request.body.collect(upTo: 8_192))
      let chain = try authority.authority.issue(
        context.peer.name.role, for: CertificateRequest(pem: text), days: 90, asOf: .now())
      see { $0.certificatesIssued += 1 }
      let pem = try chain.map { try $0.pemText() }.joined()
      return Self.response(Array(pem.utf8), ExchangePath.certificateChain, status: .created)
    }
    return router
  }

  private func addMessages(to routes: RouterGroup<ExchangeRequestContext>) {
    routes.post(RouterPath(ExchangePath.acknowledgements)) { [self] request, _ in
      let message = try Acknowledgement(json: await body(of: request))
      see { $0.acknowledgements.append(message) }
      return answer(Response(status: .noContent))
    }
    routes.get(RouterPath(ExchangePath.parameters)) { [self] _, _ in
      answer(Self.response(see { $0.parameters }.json, ExchangePath.json))
    }
    routes.post(RouterPath(ExchangePath.parameterConfirmations)) { [self] request, _ in
      let message = try ParametersConfirmation(json: await body(of: request))
      guard see({ $0.parameters.proposed?.version }) == message.version else {
        return Self.refused(.notProposed)
      }
      see { $0.confirmed.append(message.version) }
      return answer(Self.response(message.confirmed, ExchangePath.json))
    }
    routes.post(RouterPath(ExchangePath.luStatus)) { [self] request, _ in
      let question = try LUStatusRequest(json: await body(of: request), most: 10)
      see { $0.questions.append(question) }
      guard let status = see({ $0.status }) else {
        try await pace(milliseconds: 30_000)
        return Self.refused(.unavailable)
      }
      let verdict = LUStatusVerdict(status: status, grounds: .init(.stolen), rule: .imei)
      let answer = LUStatusResponse(
        verdict, validUntil: Instant.now().adding(seconds: 3_600), epoch: registry.epoch,
        position: registry.position)
      return Self.response(answer.json, ExchangePath.json)
    }
    routes.post(RouterPath(ExchangePath.sightings)) { [self] request, _ in
      let bytes = try await request.body.collect(upTo: ExchangeLimits.longestSightingsBytes)
      let lines = try Sighting.lines(Array(bytes.readableBytesView))
      let key = HTTPField.Name(ExchangeHeader.idempotencyKey).flatMap { request.headers[$0] }
      let refusal = see { state in
        state.sightingKeys.append(key ?? "none")
        if state.refusesSightings == nil { state.sightings += lines }
        return state.refusesSightings
      }
      if let refusal { return Self.refused(refusal) }
      return Self.response(
        SightingsAnswer(taken: lines.count, repeated: 0).json, ExchangePath.json)
    }
    routes.post(RouterPath(ExchangePath.requests)) { [self] request, _ in
      let message = try DeviceRequest(json: await body(of: request))
      see { $0.requests.append(message) }
      return Self.response(Self.pending.json, ExchangePath.json, status: .created)
    }
    routes.get("/exchange/v1/requests/:id") { _, _ in
      Self.response(Self.pending.json, ExchangePath.json)
    }
  }

  private static let pending = DeviceRequestAnswer(
    request: RequestID("7e2a90c4b1f84d06953a2c7e8b1d4f60")!, state: .pending)

  private func body(of request: Request) async throws -> [UInt8] {
    Array(try await request.body.collect(upTo: 65_536).readableBytesView)
  }

  private func note(_ request: Request) {
    guard let name = HTTPField.Name(ExchangeHeader.instance) else { return }
    let instance = request.headers[name] ?? "none"
    see { _ = $0.instances.insert(instance) }
  }

  /// With the newest version of the parameters.
  private func answer(_ response: Response) -> Response {
    var response = response
    if let name = HTTPField.Name(ExchangeHeader.parameters) {
      let parameters = see { $0.parameters }
      response.headers[name] = String(
        parameters.proposed?.version ?? parameters.inForce.version)
    }
    return response
  }

  private func changes(_ request: Request) async throws -> Response {
    see { $0.changesCount += 1 }
    let question: ChangesRequest
    do {
      question = try ChangesRequest { name in
        request.uri.queryParameters[Substring(name)].map(String.init)
      }
    } catch {
      return Self.refused(.badRequest)
    }
    if see({ $0.prefersSnapshot }), !question.insists { return Self.refused(.snapshotIsCheaper) }
    let deadline = ContinuousClock.now + .seconds(question.waitSeconds)
    switch registry.answer(question) {
    case .failure(let refusal): return Self.refused(refusal.problem)
    case .success: break
    }
    let body = ResponseBody { [self] writer in
      var position = question.after
      repeat {
        let now = registry
        let isLast = ContinuousClock.now > deadline
        if now.epoch != question.epoch || now.position < position { break }
        if now.position > position || isLast {
          let bytes = now.delta(after: position)
          var decoder = DeltaDecoder(feed: SmallRegistry.feed, after: position)
          try decoder.append(bytes)
          position = try decoder.finish().checkpoint.position
          try await writer.write(ByteBuffer(bytes: bytes))
        }
        if isLast, position >= now.position { break }
        try await pace(milliseconds: 10)
      } while true
      try await writer.finish(nil)
    }
    return answer(
      Response(status: .ok, headers: [.contentType: ExchangePath.ndjson], body: body))
  }

  private func snapshot(_ request: Request) throws -> Response {
    see { $0.snapshotCount += 1 }
    var bytes = try snapshotBytes()
    let whole = bytes.count
    let tag = "\"\(ContentHash(SHA256.hash(data: bytes)))\""
    var response = Self.response(bytes, ExchangePath.index)
    if let range = request.headers[.range] {
      let condition = request.headers[.ifRange]
      let isSame = condition == tag
      see { state in
        state.partsAsked.append(
          PartAsked(range: range, condition: condition, status: isSame ? 206 : 200))
      }
      let first = Int(range.dropFirst("bytes=".count).prefix { $0 != "-" }) ?? 0
      guard !isSame || first < whole else { return Self.refused(.rangeNotSatisfiable) }
      if isSame {
        bytes = Array(bytes[first...])
        response = Self.response(bytes, ExchangePath.index, status: .partialContent)
        response.headers[.contentRange] = "bytes \(first)-\(whole - 1)/\(whole)"
      }
    }
    response.headers[.eTag] = tag
    if let count = see({ $0.snapshotStopsAfter.take() }) {
      let part = ByteBuffer(bytes: bytes.prefix(count))
      response.body = ResponseBody(contentLength: bytes.count) { [self] writer in
        try await writer.write(part)
        while !see({ $0.breaksOff }) { try await pace(milliseconds: 10) }
        throw RegistryFault()
      }
    }
    return answer(response)
  }

  /// The same file until the registry changes.
  private func snapshotBytes() throws -> [UInt8] {
    try state.withLock { state in
      if let served = state.served { return served }
      let path = "\(directory)/served-\(state.snapshotCount).index"
      try state.registry.writeSnapshot(to: path)
      let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
      try FileManager.default.removeItem(atPath: path)
      state.served = bytes
      return bytes
    }
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

/// A connection that breaks off in the middle.
private struct RegistryFault: Error {}
