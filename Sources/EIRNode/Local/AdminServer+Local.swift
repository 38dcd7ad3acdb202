import Hummingbird
import Logging
import NIOPosix

extension AdminServer {
  /// `GET` and `POST /local`, `GET` and `DELETE /local/NAME`: for who has the token.
  func addLocal(to router: Router<BasicRequestContext>) {
    router.get("/local") { request, _ in
      try await authorized(request) {
        let question = try Self.question(of: request)
        return try await onThread { try Self.json($0.entries(question)) }
      }
    }
    router.post("/local") { request, _ in
      try await authorized(request) {
        let order = try await Self.body(LocalOrder.self, of: request)
        let entry = try await onThread { try $0.add(order, asOf: .now()) }
        // What it is about stands in its file; a log has no IMEI.
        logger.notice("a local entry was added", metadata: ["entry": "\(entry.name)"])
        return try Self.json(entry)
      }
    }
    router.get("/local/:name") { request, context in
      try await authorized(request) {
        let name = try context.parameters.require("name")
        return try await onThread { try Self.json($0.entry(named: name)) }
      }
    }
    router.delete("/local/:name") { request, context in
      try await authorized(request) {
        let name = try context.parameters.require("name")
        let author = try await Self.body(LocalAuthor.self, of: request)
        let ended = try await onThread { try $0.end(name, author, asOf: .now()) }
        logger.notice(
          "local entries were ended",
          metadata: ["entries": "\(ended.map(\.name).joined(separator: ", "))"])
        return try Self.json(LocalReport(entries: ended))
      }
    }
  }

  /// The entries are on disk, or read beside who writes them.
  private func onThread<Value: Sendable>(
    _ body: @escaping @Sendable (DecisionKeeper) throws -> Value
  ) async throws -> Value {
    let inForce = judge.inForce
    return try await threads.runIfActive { try body(inForce) }
  }

  private static func question(of request: Request) throws(NodeError) -> LocalQuestion {
    var question = LocalQuestion()
    question.isWithEnded = request.uri.queryParameters["all"] == "true"
    if let text = request.uri.queryParameters["after"] {
      guard let id = LocalID(text) else {
        throw NodeError(.settings, "after must name a local entry, such as L17")
      }
      question.after = id
    }
    return question
  }
}

extension LocalEntry {
  fileprivate var name: String { id?.description ?? "" }
}
