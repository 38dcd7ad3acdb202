import DeviceLists
import ExchangeTrust
import HTTPTypes
import Hummingbird
import ListExchange
import Logging
import RegistryStore

/// What the routes of the exchange, the status listener and the broadcaster share.
struct ExchangeServices: Sendable {
  let registry: RegistryName
  let store: RegistryStore
  /// For what nodes write: lists, roster and pushers never wait for one of its connections.
  let messages: RegistryStore
  let lists: RegistryLists
  let roster: NodeRoster
  let deltas: DeltaSource
  let shelf: SnapshotShelf
  let desk: StatusDesk
  let authority: CertificateDesk
  let limits: NodeLimits
  let allowances: Allowances
  let acknowledgements = Acknowledgements()
  let journalBell: Bell
  let metrics: CEIRMetrics
}

/// `/exchange/v1` for the operators' nodes. `Schema/exchange/openapi.yaml`.
package struct ExchangeRoutes: Sendable {
  typealias Handler = @Sendable (NodeRequest) async throws -> Response

  let services: ExchangeServices

  /// As the contract has them.
  package static let served: [(method: String, path: String)] = [
    ("GET", ExchangePath.openAPI), ("GET", ExchangePath.status), ("GET", ExchangePath.changes),
    ("GET", ExchangePath.snapshot), ("POST", ExchangePath.luStatus),
    ("POST", ExchangePath.queries), ("GET", ExchangePath.queries + "/{id}"),
    ("POST", ExchangePath.acknowledgements), ("GET", ExchangePath.parameters),
    ("POST", ExchangePath.parameterConfirmations), ("POST", ExchangePath.sightings),
    ("POST", ExchangePath.requests), ("GET", ExchangePath.requests),
    ("GET", ExchangePath.requests + "/{id}"), ("PUT", ExchangePath.ownList),
    ("PATCH", ExchangePath.ownList), ("POST", ExchangePath.fileResends),
    ("POST", ExchangePath.certificates),
  ]

  private func handler(_ method: String, _ path: String) -> Handler? {
    switch (method, path) {
    case ("GET", ExchangePath.openAPI): contract
    case ("GET", ExchangePath.status): status
    case ("GET", ExchangePath.changes): changes
    case ("GET", ExchangePath.snapshot): snapshot
    case ("POST", ExchangePath.luStatus): luStatus
    case ("POST", ExchangePath.queries): ask
    case ("GET", ExchangePath.queries + "/{id}"): query
    case ("POST", ExchangePath.acknowledgements): acknowledge
    case ("GET", ExchangePath.parameters): parameters
    case ("POST", ExchangePath.parameterConfirmations): confirmParameters
    case ("POST", ExchangePath.sightings): takeSightings
    case ("POST", ExchangePath.requests): submitRequest
    case ("GET", ExchangePath.requests): requests
    case ("GET", ExchangePath.requests + "/{id}"): request
    case ("PUT", ExchangePath.ownList): replaceOwnList
    case ("PATCH", ExchangePath.ownList): changeOwnList
    case ("POST", ExchangePath.fileResends): resendFile
    case ("POST", ExchangePath.certificates): issueCertificate
    default: nil
    }
  }

  /// Every route behind the verified peer and the forms of refusal.
  func router(_ connections: PeerConnections) -> Router<ConnectionRequestContext> {
    let router = Router(
      context: ConnectionRequestContext.self, options: [.autoGenerateHeadEndpoints])
    router.add(
      middleware: ExchangeProblemMiddleware(
        allowed: AllowedMethods(Self.served), metrics: services.metrics))
    router.add(middleware: ExactPathMiddleware())
    router.add(middleware: PeerMiddleware(connections))
    let group = router.group(context: ExchangeRequestContext.self)
    for (method, path) in Self.served {
      guard let handler = handler(method, path), let method = HTTPRequest.Method(method) else {
        preconditionFailure("\(method) \(path) is served by nobody.")
      }
      group.on(RouterPath(path), method: method) { request, context in
        try await answer(request, context, handler)
      }
    }
    return router
  }

  /// Knows the node by its certificate, bounds what it may ask, and says in every answer which
  /// parameters are the newest.
  private func answer(
    _ request: Request, _ context: ExchangeRequestContext, _ handler: Handler
  ) async throws -> Response {
    if let instance = request.headers[.instance], InstanceID(instance) == nil {
      throw ExchangeError(.badRequest, "\(ExchangeHeader.instance) is unusable")
    }
    let node = try await services.roster.required(context.peer)
    let asked = NodeRequest(
      request: request, context: context, node: node,
      room: BodyRoom(services.allowances, of: node.identity))
    services.roster.note(asked.report(), of: node.identity)
    try services.allowances.take(from: node.identity)
    var response = try await handler(asked)
    response.headers[.newestParameters] = String(services.roster.newestVersion(of: node))
    return response
  }
}

/// What needs no more than the registry itself.
extension ExchangeRoutes {
  @Sendable private func contract(_ asked: NodeRequest) async throws -> Response {
    Response(
      status: .ok, headers: [.contentType: ExchangePath.yaml],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: ExchangeContract.yaml)))
  }

  @Sendable private func status(_ asked: NodeRequest) async throws -> Response {
    let head = try await services.deltas.journalHead()
    let status = RegistryStatus(
      registry: services.registry, epoch: head.epoch, position: head.position)
    return asked.json(status.json)
  }

  @Sendable private func luStatus(_ asked: NodeRequest) async throws -> Response {
    let body = try await asked.body(
      ExchangePath.json, upTo: ExchangeLimits.longestLUStatusBytes)
    return asked.json(
      try body.withUnsafeBytes { try services.desk.answer($0, for: asked.node, asOf: .now) })
  }
}
