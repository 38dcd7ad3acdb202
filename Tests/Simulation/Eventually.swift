import Glibc

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

/// Spaces out the steps of a load or of a stand-in's own polling; no test waits for it.
package nonisolated(nonsending) func pace(milliseconds: Int) async throws {
  try await Task.sleep(for: .milliseconds(milliseconds))
}

/// Calls `body` until it returns a value, where nothing can be awaited; nil after `seconds`.
package func retried<Value>(within seconds: Int, _ body: () throws -> Value?) rethrows -> Value? {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < deadline {
    if let value = try body() { return value }
    usleep(1_000)
  }
  return nil
}
