import NIOHTTP1

/// Local entries, by the running node or, where none runs, in its directory.
extension AdminClient {
  package func add(_ order: LocalOrder) async throws(NodeError) -> LocalEntry {
    if let entry: LocalEntry = try await asked(.POST, "/local", order) { return entry }
    return try withFiles { (inForce) throws(NodeError) in try inForce.add(order, asOf: .now()) }
  }

  /// - Parameter name: of an entry, or its subject.
  package func end(
    _ name: String, _ author: LocalAuthor
  ) async throws(NodeError) -> LocalReport {
    // Nothing else goes into a path.
    guard let path = LocalID(name)?.description ?? LocalSubject(name)?.description else {
      throw NodeError(
        .settings, "give the name of an entry, such as L17, or \(LocalSubject.advice)")
    }
    if let report: LocalReport = try await asked(.DELETE, "/local/\(path)", author) {
      return report
    }
    return try withFiles { (inForce) throws(NodeError) in
      LocalReport(entries: try inForce.end(path, author, asOf: .now()))
    }
  }

  /// - Parameter isWithEnded: also those that are no longer in force.
  package func entries(isWithEnded: Bool) async throws(NodeError) -> LocalReport {
    var entries: [LocalEntry] = []
    var question = LocalQuestion(isWithEnded: isWithEnded)
    repeat {
      let page = try await page(question)
      entries += page.entries
      question.after = page.next
    } while question.after != nil
    return LocalReport(entries: entries)
  }

  package func entry(_ name: String) async throws(NodeError) -> LocalReport {
    guard let id = LocalID(name) else {
      throw NodeError(.settings, "give the name of an entry, such as L17")
    }
    if let entry: LocalEntry = try await asked(.GET, "/local/\(id)", nil) {
      return LocalReport(entries: [entry])
    }
    return try withFiles { (inForce) throws(NodeError) in
      LocalReport(entries: [try inForce.entry(named: name)])
    }
  }

  private func page(_ question: LocalQuestion) async throws(NodeError) -> LocalPage {
    let after = question.after.map { "&after=\($0)" } ?? ""
    let path = "/local?all=\(question.isWithEnded)\(after)"
    if let page: LocalPage = try await asked(.GET, path, nil) { return page }
    return try withFiles { (inForce) throws(NodeError) in inForce.entries(question) }
  }

  /// The directory is held meanwhile, so that no node starts on it.
  private func withFiles<Value>(
    _ body: (DecisionKeeper) throws(NodeError) -> Value
  ) throws(NodeError) -> Value {
    let keeper = try keeper()
    defer { withExtendedLifetime(keeper) {} }
    return try body(try inForce())
  }
}
