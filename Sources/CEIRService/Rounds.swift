import ListExchange
import Logging
import ServiceLifecycle

/// Work that is done when a bell rings, and after a time without it, until its service ends. Work
/// that fails is logged and tried again, ever more slowly.
struct Rounds {
  let bell: Bell
  /// The longest time between two rounds that go well.
  let interval: Duration
  let logger: Logger
  /// What is logged with an error.
  let complaint: Logger.Message

  func run(_ work: @escaping @Sendable () async throws -> Void) async {
    await cancelWhenGracefulShutdown {
      var pause = Backoff.ofService
      while !Task.isCancelled {
        let seen = bell.strokes
        do {
          try await work()
          pause = Backoff.ofService
          await bell.wait(since: seen, timeout: interval)
        } catch {
          guard !Task.isCancelled else { return }
          logger.error(complaint, metadata: ["error": "\(String(reflecting: error))"])
          await bell.wait(since: bell.strokes, timeout: pause.next())
        }
      }
    }
  }
}
