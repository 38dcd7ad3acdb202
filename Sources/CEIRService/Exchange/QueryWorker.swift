import ListExchange
import Logging
import RegistryStore
import ServiceLifecycle

/// Answers the questions that may take their time, one after the other, from the lists.
struct QueryWorker: Service {
  static let pollInterval = Duration.seconds(1)

  let store: RegistryStore
  let desk: StatusDesk
  let roster: NodeRoster
  let bell: Bell
  let metrics: CEIRMetrics
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var pause = Backoff()
      while !Task.isCancelled {
        let seen = bell.strokes
        do {
          while try await answerOne() {}
          pause = Backoff()
          await bell.wait(since: seen, timeout: Self.pollInterval)
        } catch {
          guard !Task.isCancelled else { return }
          logger.error(
            "A query cannot be answered and will be tried again.",
            metadata: ["error": "\(String(reflecting: error))"])
          await bell.wait(since: bell.strokes, timeout: pause.next())
        }
      }
    }
  }

  /// Whether there was one. It is taken and answered in one transaction: a crash leaves it to the
  /// next who looks.
  private func answerOne() async throws -> Bool {
    try await store.write { registry in
      guard let query = try await registry.claimQuery() else { return false }
      let known = roster.nodes.first { $0.identity == query.node }
      guard let node = known else {
        throw ExchangeError(.unavailable, "the node of a query is not known yet")
      }
      let asked = try LUStatusRequest(json: query.request, most: ExchangeLimits.mostQueries)
      let answer = try desk.answer(
        LUStatusRequest(many: asked.queries), for: node, asOf: .now)
      try await registry.answer(query, with: answer)
      metrics.queries.add()
      return true
    }
  }
}
