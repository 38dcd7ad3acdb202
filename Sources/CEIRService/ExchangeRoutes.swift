import DeviceLists
import Hummingbird
import ListExchange
import Logging
import PostgreSQL
import RegistryStore
import ServiceLifecycle

/// `/exchange/v1`: the lists, for the operators' EIR nodes. `Schema/exchange/`.
struct ExchangeRoutes: Sendable {
  /// Rows of the journal after which a delta ends with the batch that it is in.
  static let deltaLimit = 10_000

  let store: RegistryStore
  let registry: RegistryName
  let lists: RegistryLists
  let journalBell: Bell
  let metrics: CEIRMetrics

  func add(to router: some RouterMethods<BasicRequestContext>) {
    router.get("changes") { request, context in
      try await answer(request, context) { try await changes(request, for: $0) }
    }
    router.get("snapshot") { request, context in
      try await answer(request, context) { node in
        try await snapshot(request, for: node, context: context)
      }
    }
    router.get("status") { request, context in
      try await answer(request, context) { _ in try await status() }
    }
  }

  private func status() async throws -> Response {
    let head = try await store.read { try await $0.journalHead() }
    let status = RegistryStatus(registry: registry, epoch: head.epoch, position: head.position)
    return Response(
      status: .ok, headers: [.contentType: ExchangePath.json],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: status.json)))
  }

  private func snapshot(
    _ request: Request, for node: NodeIdentity, context: BasicRequestContext
  ) async throws -> Response {
    let position = request.uri.queryParameters["after"].flatMap { UInt64($0) } ?? 0
    // A node that is ahead of the registry, after a restore, takes what there is.
    let reached = lists.position ?? .start
    let file = try await lists.snapshot(
      for: node, notBelow: min(Position(position), reached), asOf: .now)
    metrics.snapshots.add()
    return Response(
      status: .ok, headers: [.contentType: ExchangePath.index],
      body: try await FileIO().loadFile(path: file.path, context: context))
  }

  private func changes(_ request: Request, for node: NodeIdentity) async throws -> Response {
    let asked = try ChangesRequest { name in
      request.uri.queryParameters[Substring(name)].map(String.init)
    }
    let deadline = ContinuousClock.now + .seconds(asked.waitSeconds)
    while true {
      let seen = journalBell.strokes
      let (delta, epoch) = try await delta(asked, for: node)
      let left = ContinuousClock.now.duration(to: deadline)
      if !delta.changes.isEmpty || left <= .zero || Task.isShuttingDownGracefully {
        return encode(delta, after: asked.after, epoch: epoch, for: node)
      }
      await withGracefulShutdownHandler {
        await journalBell.wait(since: seen, timeout: min(left, .seconds(1)))
      } onGracefulShutdown: {
        journalBell.ring()
      }
    }
  }

  /// What has changed for this node, or why it cannot be told so.
  private func delta(
    _ asked: ChangesRequest, for node: NodeIdentity
  ) async throws -> (FeedDelta, Epoch) {
    try await store.read { registry in
      guard try await registry.isInForce(node) else {
        throw ExchangeError(.unauthenticated, "The node's token has been revoked.")
      }
      let head = try await registry.journalHead()
      guard asked.epoch == head.epoch else {
        throw ExchangeProblemError(.epochChanged, head: head)
      }
      guard asked.after <= head.position else {
        throw ExchangeProblemError(.nodeAhead, head: head)
      }
      guard
        let delta = try await registry.delta(
          of: node.operatorNumber, after: asked.after, limit: Self.deltaLimit)
      else { throw ExchangeProblemError(.beforeHorizon, head: head) }
      let digest = try await registry.digest(of: node.operatorNumber, at: asked.after)
      guard digest == asked.digest else {
        throw ExchangeProblemError(.digestDiffers, head: head)
      }
      return (delta, head.epoch)
    }
  }

  private func encode(
    _ delta: FeedDelta, after: Position, epoch: Epoch, for node: NodeIdentity
  ) -> Response {
    var encoder = DeltaEncoder(after: after)
    for row in delta.changes {
      encoder.append(
        Change(
          position: row.position, subject: row.subject,
          scope: row.scope == .all ? .all : .only(node.operatorCode),
          entryClass: row.entryClass))
    }
    metrics.deltas.add()
    metrics.changesSent.add(Int64(delta.changes.count))
    let bytes = encoder.finish(
      registry: registry, feed: Feed(of: node.operatorCode),
      head: ListHead(
        epoch: epoch, position: delta.upTo, digest: delta.digest, issuedAt: .now))
    return Response(
      status: .ok, headers: [.contentType: ExchangePath.ndjson],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// Knows the node by its token, notes where it stands, and answers refusals in the contract's
  /// form.
  private func answer(
    _ request: Request, _ context: BasicRequestContext,
    _ body: (NodeIdentity) async throws -> Response
  ) async throws -> Response {
    do {
      guard let secret = request.bearerToken,
        let node = try await store.read({ try await $0.node(tokenHash: secret.hash) })
      else {
        metrics.refusedRequests.add()
        throw ExchangeError(.unauthenticated, "A node's token in force is needed.")
      }
      try await note(request, of: node)
      return try await body(node)
    } catch let error as ExchangeError {
      throw ExchangeProblemError(error)
    } catch let error as PostgreSQLError {
      context.logger.error(
        "A node could not be answered.", metadata: ["error": "\(String(reflecting: error))"])
      throw ExchangeProblemError(
        ExchangeError(.unavailable, "The registry's database does not answer: try again."))
    }
  }

  private func note(_ request: Request, of node: NodeIdentity) async throws {
    let parameters = request.uri.queryParameters
    guard let epoch = parameters["epoch"].flatMap({ Epoch($0) }),
      let position = parameters["after"].flatMap({ UInt64($0) })
    else { return }
    try await store.write {
      try await $0.report(
        of: node,
        NodeReport(standing: .init(epoch: epoch, position: Position(position))))
    }
  }
}

/// A refusal in the form of the contract.
struct ExchangeProblemError: Error, HTTPResponseError {
  let error: ExchangeError
  var head: JournalHead?

  init(_ error: ExchangeError) { self.error = error }

  init(_ code: ExchangeCode, head: JournalHead) {
    error = ExchangeError(code)
    self.head = head
  }

  var status: HTTPResponse.Status { .init(code: error.code.httpStatus) }

  func response(from request: Request, context: some RequestContext) throws -> Response {
    let problem = ExchangeProblem(error, epoch: head?.epoch, position: head?.position)
    var headers: HTTPFields = [.contentType: ExchangePath.problem]
    if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
    return Response(
      status: status, headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: problem.json)))
  }
}
