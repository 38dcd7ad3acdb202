import Synchronization

/// Ends what makes no progress for too long.
struct Watchdog: Sendable {
  /// Told by the work whenever it has come a step further.
  final class Progress: Sendable {
    private let last = Mutex(ContinuousClock.now)

    func made() { last.withLock { $0 = .now } }

    fileprivate func rest(of patience: Duration) -> Duration {
      patience - (ContinuousClock.now - last.withLock { $0 })
    }
  }

  let patience: Duration
  /// What is said when it is over.
  let complaint: String

  func watch<Value: Sendable>(
    _ work: @escaping @Sendable (Progress) async throws -> Value
  ) async throws -> Value {
    let progress = Progress()
    return try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await work(progress) }
      group.addTask {
        while true {
          let rest = progress.rest(of: patience)
          guard rest > .zero else { return nil }
          try await Task.sleep(for: rest)
        }
      }
      defer { group.cancelAll() }
      guard let first = try await group.next(), let value = first else {
        throw NodeError(.registryUnreachable, complaint)
      }
      return value
    }
  }
}
