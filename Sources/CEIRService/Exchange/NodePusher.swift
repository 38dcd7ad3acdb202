import AsyncHTTPClient
import DeviceLists
import ExchangeTrust
import ListExchange
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import RegistryStore

/// Pushes to one node. ``BroadcastSession`` decides; this does it and tells what came of it.
actor NodePusher {
  static let connectPatience = TimeAmount.seconds(5)

  private let services: ExchangeServices
  private let known: KnownNode
  private let endpoint: String
  private let client: PeerClient
  private let logger: Logger
  private let bell = Bell()
  private var session: BroadcastSession
  private var chance = SystemRandomNumberGenerator()
  private var hasWarned = false

  init(
    services: ExchangeServices, node: KnownNode, endpoint: String, files: TrustedFiles,
    connections: PeerConnections, logger: Logger
  ) {
    self.services = services
    known = node
    self.endpoint = endpoint
    var logger = logger
    logger[metadataKey: "node"] = "\(node.identity.operatorCode)/\(node.identity.name)"
    self.logger = logger
    session = BroadcastSession(confirmSeconds: node.inForce.window.seconds)
    var configuration = HTTPClient.Configuration()
    configuration.timeout.connect = Self.connectPatience
    client = PeerClient(
      files: files, expecting: .exactly(node.role), connections: connections,
      group: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
  }

  /// Until it is cancelled.
  func run() async {
    services.acknowledgements.listen(to: known.identity, with: bell)
    let forwarding = Task { [journal = services.journalBell, bell] in
      var seen = journal.strokes
      while !Task.isCancelled {
        await journal.wait(since: seen, timeout: .seconds(1))
        seen = journal.strokes
        bell.ring()
      }
    }
    logger.info("Pushing begins.", metadata: ["endpoint": "\(endpoint)"])
    while !Task.isCancelled {
      let seen = bell.strokes
      takeAcknowledgements()
      do {
        if try await step() { continue }
      } catch {
        guard !Task.isCancelled else { break }
        failed(error)
      }
      await bell.wait(since: seen, timeout: .seconds(1))
    }
    forwarding.cancel()
    services.acknowledgements.stopListening(to: known.identity, with: bell)
    do {
      try await client.shutdown()
    } catch {
      logger.debug("A connection was not closed well.", metadata: ["error": "\(error)"])
    }
    logger.info("Pushing ends.")
  }

  /// The node as it is known now: its parameters may have changed since the task began.
  private var node: KnownNode {
    services.roster.node(
      PeerName(registry: services.registry, role: known.role)) ?? known
  }

  /// Does what is to be done now. Returns whether to look again at once.
  private func step() async throws -> Bool {
    // A node that does not answer costs no look at the journal.
    guard !session.isWaiting(asOf: .now) else { return false }
    let node = node
    session.confirmSeconds = node.inForce.window.seconds
    let head = try await services.deltas.journalHead()
    let action = session.next(try await offer(head, to: node), asOf: .now)
    session.began(action)
    switch action {
    case .wait: return false
    case .leave(let standing):
      warn("The node is ahead of the registry.", ["position": "\(standing.position)"])
      return false
    case .ask:
      session.answered(try await status(), asOf: .now)
      note()
      return true
    case .delta(let after), .confirm(let after):
      let delta = try await services.deltas.delta(
        of: node, after: after, limit: node.inForce.window.changes, at: head)
      guard let delta else { throw ExchangeProblemError(.beforeHorizon, head: head) }
      try await send(.bytes(delta.bytes), ExchangePath.ndjson, to: node)
      services.metrics.changesSent.add(Int64(delta.count))
      return true
    case .snapshot(let position):
      let reached = services.lists.position ?? .start
      let cut = try await services.shelf.cut(
        of: node.feed, number: node.scope, notBelow: min(position, reached), asOf: .now)
      try await send(body(of: cut), ExchangePath.index, to: node)
      services.metrics.snapshots.add()
      return true
    }
  }

  private func offer(
    _ head: JournalHead, to node: KnownNode
  ) async throws -> BroadcastSession.Offer {
    guard let standing = session.standing else {
      return .init(
        epoch: head.epoch, position: head.position, digestThere: nil, cheaperWay: .snapshot)
    }
    let there = try await digest(of: node, at: standing.position, head)
    if let there, standing.epoch == head.epoch {
      services.roster.noteComparison(of: node.identity, differs: there != standing.digest)
    }
    let way = try await services.cheaperWay(for: node, after: standing.position, at: head)
    return .init(
      epoch: head.epoch, position: head.position, digestThere: there, cheaperWay: way)
  }

  /// Of the feed at a position; nil where it cannot be known.
  private func digest(
    of node: KnownNode, at position: Position, _ head: JournalHead
  ) async throws -> ListDigest? {
    guard position <= head.position else { return nil }
    if position == head.position {
      return head.digests[.all, default: .zero] + head.digests[node.scope, default: .zero]
    }
    return try await services.deltas.delta(
      of: node, after: position, limit: node.inForce.window.changes, at: head)?.digestAfter
  }

  private func takeAcknowledgements() {
    for acknowledgement in services.acknowledgements.take(of: known.identity) {
      session.acknowledged(acknowledgement, asOf: .now, using: &chance)
    }
  }
}

// MARK: - Over the wire

extension NodePusher {
  private func status() async throws -> NodeStatus {
    let response = try await client.execute(
      request(ExchangePath.status), deadline: .now() + .seconds(20))
    let body = try await Self.body(response)
    guard response.status == .ok else { throw Self.problem(response, body).error }
    return try NodeStatus(json: body)
  }

  private func send(
    _ body: HTTPClientRequest.Body, _ mediaType: String, to node: KnownNode
  ) async throws {
    var request = request(ExchangePath.broadcast)
    request.method = .POST
    request.headers.add(name: "content-type", value: mediaType)
    request.headers.add(
      name: ExchangeHeader.parameters, value: String(node.newestVersion))
    if node.inForce.style == .pushAsync {
      request.headers.add(name: ExchangeHeader.prefer, value: ExchangeHeader.respondAsync)
    }
    request.body = body
    // However long a snapshot takes: what comes to a stop is ended by the client.
    let response = try await client.execute(request, deadline: .distantFuture)
    let answer = try await Self.body(response)
    services.metrics.broadcasts.add()
    guard response.status == .ok || response.status == .accepted else {
      let problem = Self.problem(response, answer)
      session.refused(problem, asOf: .now, using: &chance)
      if problem.error.code != .standsElsewhere {
        warn("The node refuses what it is handed.", ["reason": "\(problem.error)"])
      }
      return
    }
    session.answered(try BroadcastResponse(json: answer), asOf: .now, using: &chance)
    hasWarned = false
    note()
  }

  private func request(_ path: String) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: endpoint + path)
    request.headers.add(name: "user-agent", value: "openceir-ceir/1")
    return request
  }

  /// The file a piece at a time.
  private func body(of cut: SnapshotCut) -> HTTPClientRequest.Body {
    let lists = services.lists
    let pieces = SnapshotPieces(cut: cut) { place, count in
      try await lists.blocking { try cut.piece(at: place, count: count) }
    }
    return .stream(pieces, length: .known(Int64(cut.byteCount)))
  }

  private static func body(_ response: HTTPClientResponse) async throws -> [UInt8] {
    Array(
      try await response.body.collect(upTo: ExchangeLimits.longestDocumentBytes)
        .readableBytesView)
  }

  /// What a refusal says; by its status alone where it is no problem document of ours.
  private static func problem(
    _ response: HTTPClientResponse, _ body: [UInt8]
  ) -> ExchangeProblem {
    do throws(ExchangeError) {
      return try ExchangeProblem(json: body)
    } catch {
      return ExchangeProblem(
        ExchangeError(.unavailable, "HTTP status \(response.status.code)"))
    }
  }
}

// MARK: - What is said of it

extension NodePusher {
  /// What the node holds, for those who look at the registry.
  private func note() {
    guard let standing = session.standing else { return }
    services.roster.note(
      NodeReport(
        standing: .init(
          epoch: standing.epoch, position: standing.position, digest: standing.digest),
        style: DeliveryStyle(known.inForce.style)), of: known.identity)
  }

  private func failed(_ error: any Error) {
    session.failed(asOf: .now, using: &chance)
    services.metrics.failedBroadcasts.add()
    warn("The node cannot be reached.", ["error": "\(String(reflecting: error))"])
  }

  /// Once, until something has gone well.
  private func warn(_ what: Logger.Message, _ metadata: Logger.Metadata) {
    guard !hasWarned else { return }
    hasWarned = true
    logger.warning(what, metadata: metadata)
  }
}

/// A snapshot as it is sent.
private struct SnapshotPieces: AsyncSequence, Sendable {
  let cut: SnapshotCut
  let read: @Sendable (Int, Int) async throws -> ByteBuffer

  struct AsyncIterator: AsyncIteratorProtocol {
    let pieces: SnapshotPieces
    var place = 0

    mutating func next() async throws -> ByteBuffer? {
      guard place < pieces.cut.byteCount else { return nil }
      let piece = try await pieces.read(place, PatientWriter.pieceBytes)
      guard piece.readableBytes > 0 else {
        throw ExchangeError(.internalFailure, "the snapshot ends too early")
      }
      place += piece.readableBytes
      return piece
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: self) }
}
