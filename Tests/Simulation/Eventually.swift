/// What was waited for did not come.
package struct NotInTime: Error, CustomStringConvertible {
  package let description: String

  package init(description: String) { self.description = description }
}

/// Asks again and again until the answer is yes; the only place where tests wait.
package nonisolated(nonsending) func eventually(
  _ what: String, within seconds: Int = 60, _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while try await !condition() {
    guard ContinuousClock.now < deadline else {
      throw NotInTime(description: "\(what) has not happened within \(seconds) seconds")
    }
    try await Task.sleep(for: .milliseconds(5))
  }
}
