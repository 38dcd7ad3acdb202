import DeviceLists
import ExchangeTrust
import HTTPTypes
import Hummingbird
import ListExchange
import Logging
import RegistryStore
import ServiceLifecycle

/// `GET /exchange/v1/changes`.
extension ExchangeRoutes {
  @Sendable func changes(_ asked: NodeRequest) async throws -> Response {
    let question = try asked.changesRequest()
    asked.note(question, in: services.roster)
    let deadline = ContinuousClock.now + .seconds(question.waitSeconds)
    let first = try await next(
      after: Standing(
        epoch: question.epoch, position: question.after, digest: question.digest),
      for: asked.node, until: deadline, insists: question.insists)
    let headers: HTTPFields = [.contentType: ExchangePath.ndjson]
    guard question.isStream else {
      sent(first)
      return Response(
        status: .ok, headers: headers, body: ResponseBody(byteBuffer: first.bytes))
    }
    return Response(
      status: .ok, headers: headers,
      body: stream(first, to: asked, until: deadline))
  }

  /// Delta after delta until the time is over. The next is read when the one before is taken.
  private func stream(
    _ first: EncodedDelta, to asked: NodeRequest, until deadline: ContinuousClock.Instant
  ) -> ResponseBody {
    ResponseBody { writer in
      let patient = PatientWriter(for: asked, of: services)
      var reader = writer
      try await patient.watched {
        var delta = first
        while true {
          try await patient.write(delta.bytes, to: &reader)
          sent(delta)
          guard ContinuousClock.now < deadline, !hasNews(for: asked.node) else { break }
          do {
            delta = try await next(
              after: delta.reached, for: asked.node, until: deadline, insists: true)
          } catch {
            // The deltas before are whole; why there are no more, the next question will hear.
            asked.context.logger.debug(
              "A stream of changes ends early.", metadata: ["error": "\(error)"])
            break
          }
        }
      }
      try await reader.finish(nil)
    }
  }

  private func sent(_ delta: EncodedDelta) {
    services.metrics.deltas.add()
    services.metrics.changesSent.add(Int64(delta.count))
  }

  /// What has changed since, as soon as there is something; at the deadline, when the node's window
  /// of silence is over, or when it has new parameters to hear of, a checkpoint alone.
  private func next(
    after standing: Standing, for node: KnownNode, until deadline: ContinuousClock.Instant,
    insists: Bool
  ) async throws -> EncodedDelta {
    let silence = ContinuousClock.now + .seconds(node.inForce.window.seconds)
    let end = min(deadline, silence)
    while true {
      let seen = services.journalBell.strokes
      let head = try await services.deltas.journalHead()
      try await check(standing, against: head, for: node, insists: insists)
      let delta = try await services.deltas.delta(
        of: node, after: standing.position, limit: node.inForce.window.changes, at: head)
      guard let delta else { throw ExchangeProblemError(.beforeHorizon, head: head) }
      let differs = delta.digestAfter != standing.digest
      services.roster.noteComparison(of: node.identity, differs: differs)
      guard !differs else {
        throw ExchangeProblemError(.digestDiffers, head: head)
      }
      let left = ContinuousClock.now.duration(to: end)
      // Where others' changes fill a window there is nothing to tell but how far it leads.
      if delta.count > 0 || delta.isCut || left <= .zero || hasNews(for: node) { return delta }
      await withGracefulShutdownHandler {
        await services.journalBell.wait(since: seen, timeout: min(left, .seconds(1)))
      } onGracefulShutdown: {
        services.journalBell.ring()
      }
    }
  }

  /// Whether a node should not be kept waiting for changes.
  private func hasNews(for node: KnownNode) -> Bool {
    Task.isShuttingDownGracefully
      || services.roster.newestVersion(of: node) != node.newestVersion
  }

  private func check(
    _ standing: Standing, against head: JournalHead, for node: KnownNode, insists: Bool
  ) async throws {
    guard standing.epoch == head.epoch else {
      throw ExchangeProblemError(.epochChanged, head: head)
    }
    guard standing.position <= head.position else {
      throw ExchangeProblemError(.nodeAhead, head: head)
    }
    guard !insists else { return }
    let way = try await services.cheaperWay(for: node, after: standing.position, at: head)
    guard way == .delta else { throw ExchangeProblemError(.snapshotIsCheaper, head: head) }
  }
}

extension ExchangeServices {
  func cheaperWay(
    for node: KnownNode, after position: Position, at head: JournalHead
  ) async throws -> CheaperWay {
    try await lists.cheaperWay(of: node.scope, after: position, upTo: head.position)
  }
}

extension NodeRequest {
  fileprivate func changesRequest() throws(ExchangeError) -> ChangesRequest {
    var values: [String: String] = [:]
    for name in ["epoch", "after", "digest", "wait", "stream", "insist"] {
      values[name] = try parameter(name)
    }
    return try ChangesRequest { values[$0] }
  }

  fileprivate func note(_ question: ChangesRequest, in roster: NodeRoster) {
    let standing = NodeReport.Standing(
      epoch: question.epoch, position: question.after, digest: question.digest)
    roster.note(report(standing: standing), of: identity)
  }

  func report(standing: NodeReport.Standing? = nil, held: Int? = nil) -> NodeReport {
    NodeReport(
      standing: standing, held: held, style: DeliveryStyle(node.inForce.style),
      instance: request.headers[.instance], serial: context.peer.serial.description)
  }
}

extension DeliveryStyle {
  init?(_ style: ExchangeParameters.Style) { self.init(rawValue: style.rawValue) }
}
