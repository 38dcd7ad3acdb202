import Synchronization
import Testing

@testable import EIRNode

/// What makes no progress is ended, with all that it has begun.
struct WatchdogTests {
  private struct Failed: Error {}

  private static func watchdog(_ patience: Duration) -> Watchdog {
    Watchdog(patience: patience, complaint: "the other side says nothing")
  }

  /// Goes on until it is cancelled.
  private static func silence() async -> Bool {
    let (stream, _) = AsyncStream.makeStream(of: Void.self)
    for await _ in stream {}
    return Task.isCancelled
  }

  @Test func `what is ready in time is handed on, as value and as error`() async throws {
    let watchdog = Self.watchdog(.seconds(60))
    #expect(try await watchdog.watch { _ in 7 } == 7)
    await #expect(throws: Failed.self) {
      try await watchdog.watch { _ -> Int in throw Failed() }
    }
  }

  @Test func `what is silent for too long is ended, and that is said`() async throws {
    let wasCancelled = Mutex(false)
    let error = await #expect(throws: NodeError.self) {
      try await Self.watchdog(.milliseconds(50)).watch { progress in
        progress.made()
        let cancelled = await Self.silence()
        wasCancelled.withLock { $0 = cancelled }
      }
    }
    #expect(error?.code == .registryUnreachable)
    #expect(error?.description == "the other side says nothing")
    #expect(wasCancelled.withLock { $0 })
  }

  @Test func `whoever asked can give up first`() async throws {
    let started = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      try await Self.watchdog(.seconds(3_600)).watch { _ in
        started.continuation.yield()
        return await Self.silence()
      }
    }
    for await _ in started.stream { break }
    task.cancel()
    let result = await task.result
    if case .success(let wasCancelled) = result { #expect(wasCancelled) }
  }
}
