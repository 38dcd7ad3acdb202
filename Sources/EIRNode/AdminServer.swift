import DeviceIdentity
package import DeviceLists
import ExchangeTrust
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix

/// What a person asks of a running node.
package struct CheckQuestion: Hashable, Codable, Sendable {
  package var imei: String
  package var imsi: String?

  package init(imei: String, imsi: String? = nil) {
    self.imei = imei
    self.imsi = imsi
  }

  /// Fifteen digits are as printed on the device, so their check digit is verified; fourteen or
  /// sixteen are as signalled.
  package func query() throws(NodeError) -> CheckQuery {
    let digitCount = imei.utf8.count { 0x30...0x39 ~= $0 }
    var query: CheckQuery
    do throws(IdentityError) {
      if digitCount == 14 || digitCount == 16 {
        query = CheckQuery(identity: .device(try IMEISV(signalled: imei.utf8)))
      } else {
        query = CheckQuery(identity: .device(IMEISV(imei: try IMEI(dialled: imei))))
      }
    } catch {
      var sentence = "the IMEI \(error)"
      if case .checkDigit = error.code {
        sentence += "; where it came off the wire, give its first 14 digits"
      }
      throw NodeError(.settings, sentence)
    }
    do throws(IdentityError) {
      query.imsi = try imsi.map { text throws(IdentityError) in try IMSI(text) }
    } catch {
      throw NodeError(.settings, "the IMSI \(error)")
    }
    return query
  }
}

/// What `accept` has set free.
package struct AcceptReport: Hashable, Codable, Sendable {
  package var subjects: Int

  init(_ acceptance: ListKeeper.Acceptance) { subjects = acceptance.subjects }

  package var text: String {
    subjects == 0 ? "nothing is held" : "accepted: \(subjects) held subjects"
  }
}

/// Health, metrics, status, explanations and orders, on loopback.
struct AdminServer: Sendable {
  static let longestBodyBytes = 4_096

  let settings: NodeSettings
  let token: AdminToken
  let keeper: ListKeeper
  let judge: Judge
  /// Nil where S13 is not answered.
  let s13Peers: S13Peers?
  /// Nil where no access token is asked for.
  let tokens: TokenGate?
  let exchange: NodeExchange
  /// Nil where nobody is told of devices that change.
  let events: DeviceEvents?
  /// Nil where GSUP is not spoken.
  let gsup: GSUPHealth?
  let listeners: @Sendable () -> [StatusReport.Listener]
  let keyFiles: [@Sendable () -> StatusReport.KeyFiles]
  let reloader: SettingsReloader
  let threads: NIOThreadPool
  let logger: Logger

  func application(
    onRunning: @escaping @Sendable (SocketAddress) async -> Void
  ) -> some ApplicationProtocol {
    let address = settings.admin
    var quiet = logger
    quiet.logLevel = .warning
    return Application(
      router: router(),
      configuration: ApplicationConfiguration(
        address: .hostname(address.host, port: address.port), serverName: "openceir-eir"),
      onServerRunning: { channel in
        let port = channel.localAddress?.port ?? address.port
        await onRunning(SocketAddress(host: address.host, port: port))
      }, logger: quiet)
  }

  private func router() -> Router<BasicRequestContext> {
    let router = Router(options: [.autoGenerateHeadEndpoints])
    router.add(middleware: ExactPathMiddleware())
    router.get("/health/live") { _, _ in Self.text("alive\n") }
    router.get("/health/ready") { _, _ in
      let isReady = status().ready
      return Self.text(
        isReady ? "ready\n" : "not ready\n", status: isReady ? .ok : .serviceUnavailable)
    }
    router.get("/metrics") { _, _ in
      let text = MetricsText(
        status: status(), health: exchange.health.report, counters: judge.counters,
        asked: judge.asker?.counts, sightings: exchange.sightings, events: events,
        s13: s13Peers, tokens: tokens?.counts, gsup: gsup?.counts,
        droppedLines: judge.checkLog.droppedCount)
      return Self.text(text.text, type: MetricsText.contentType)
    }
    router.get("/status") { _, _ in try Self.json(status()) }
    router.post("/check") { request, _ in
      try await authorized(request) { try await check(request) }
    }
    router.post("/accept") { request, _ in
      try await authorized(request) { try await accept() }
    }
    router.post("/reload") { request, _ in
      try await authorized(request) { try Self.json(try await reloader.reload()) }
    }
    addLocal(to: router)
    return router
  }

  private func status() -> StatusReport {
    var report = StatusReport(
      judge.inForce.current, keeper: keeper, health: exchange.health.report, asOf: .now())
    report.s13Peers = s13Peers?.reports
    report.files = settings.files == nil ? nil : exchange.filesState.report
    report.exchange = .init(
      exchange.parameters.state, instance: exchange.credentials.instance,
      certificate: exchange.credentials.files.current.credential.leaf,
      lastBroadcast: exchange.health.report.lastBroadcast)
    report.listeners = listeners()
    report.gsup = gsup.map { .init(connections: $0.counts.connections, hlrReachable: !$0.isAway) }
    report.events = events.map { .init(inMemory: $0.memory.pendingCount, $0.queue) }
    report.sightings = exchange.sightings.map {
      .init(inMemory: $0.notes.pendingCount, $0.queue)
    }
    report.keyFiles = keyFiles.isEmpty ? nil : keyFiles.map { $0() }
    // Without an address to ask, nobody tells the node how it is served.
    if settings.files != nil, settings.ceirURL == nil { report.exchange?.style = "files" }
    return report
  }

  func authorized(
    _ request: Request, _ answer: () async throws -> Response
  ) async throws -> Response {
    guard token.matches(authorization: request.headers[.authorization]) else {
      return Self.text("the token of this node is needed\n", status: .unauthorized)
    }
    do {
      return try await answer()
    } catch let error as NodeError {
      logger.warning("an order failed", metadata: ["reason": "\(error.debugDescription)"])
      return Self.text(error.description + "\n", status: Self.status(of: error))
    } catch let error as SettingsError {
      return Self.text(error.description + "\n", status: .badRequest)
    }
  }

  private static func status(of error: NodeError) -> HTTPResponse.Status {
    switch error.code {
    case .settings: .badRequest
    case .notAccepted: .conflict
    default: .internalServerError
    }
  }

  static func body<Value: Decodable>(
    _ type: Value.Type, of request: Request
  ) async throws -> Value {
    let body = try await request.body.collect(upTo: Self.longestBodyBytes)
    do {
      return try NodeJSON.decode(type, from: Data(body.readableBytesView))
    } catch {
      throw NodeError(.settings, "the question is no JSON of the form that is asked for")
    }
  }

  private func check(_ request: Request) async throws -> Response {
    let query = try await Self.body(CheckQuestion.self, of: request).query()
    var explanation = judge.explain(query, asOf: .now())
    explanation.running = true
    if case .device(let device) = query.identity {
      let inForce = judge.inForce
      let found = try await threads.runIfActive { inForce.entries(matching: device) }
      explanation.local = found.isEmpty ? nil : found
    }
    return try Self.json(explanation)
  }

  private func accept() async throws -> Response {
    let acceptance = try await threads.runIfActive { try keeper.accept() }
    if acceptance.subjects > 0 {
      logger.notice(
        "a person has accepted what the brake held",
        metadata: ["subjects": "\(acceptance.subjects)"])
      exchange.acknowledge.ring()
    }
    return try Self.json(AcceptReport(acceptance))
  }

  private static func text(
    _ text: String, type: String = "text/plain; charset=utf-8",
    status: HTTPResponse.Status = .ok
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  static func json(_ value: some Encodable) throws -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: try NodeJSON.encode(value))))
  }
}
