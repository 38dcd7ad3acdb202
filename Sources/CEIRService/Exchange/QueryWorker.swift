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
    let rounds = Rounds(
      bell: bell, interval: Self.pollInterval, logger: logger,
      complaint: "A query cannot be answered and will be tried again.")
    await rounds.run {
      try await refuseQueriesOfFormerNodes()
      while try await answerOne() {}
    }
  }

  private func refuseQueriesOfFormerNodes() async throws {
    _ = try await store.write {
      try await $0.refuseQueriesOfFormerNodes(code: Int(ExchangeCode.certificateRefused.rawValue))
    }
  }

  /// Whether there was one. It is taken and ended in one transaction: a crash leaves it to the
  /// next who looks. One that cannot be answered ends with a code, so that none waits behind it.
  private func answerOne() async throws -> Bool {
    try await store.write { registry in
      guard let query = try await registry.claimQuery() else { return false }
      do {
        let node = try await node(query.node)
        try await registry.answer(query, with: answer(query, for: node))
        metrics.queries.add()
      } catch let error as ExchangeError where error.code != .unavailable {
        try await registry.refuse(query, code: Int(error.code.rawValue))
      }
      return true
    }
  }

  private func answer(_ query: PendingQuery, for node: KnownNode) throws(ExchangeError) -> [UInt8] {
    let asked = try LUStatusRequest(json: query.request, most: ExchangeLimits.mostQueries)
    return try desk.answer(LUStatusRequest(many: asked.queries), for: node, asOf: .now)
  }

  /// Looks again where it is unknown: another process may have made it a moment ago.
  private func node(_ identity: NodeIdentity) async throws -> KnownNode {
    if let node = roster.nodes.first(where: { $0.identity == identity }) { return node }
    try await roster.look()
    guard let node = roster.nodes.first(where: { $0.identity == identity }) else {
      throw ExchangeError(.certificateRefused, "the node of a query is not in force")
    }
    return node
  }
}
