import Logging
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Tells once when every listener that was expected has arrived.
final class Arrivals: Sendable {
  private struct State {
    var missing: Int
    var admin: SocketAddress?
    var exchange: SocketAddress?
  }

  private let state: Mutex<State>
  private let onAll: @Sendable (SocketAddress, SocketAddress?) -> Void

  init(expected: Int, onAll: @escaping @Sendable (SocketAddress, SocketAddress?) -> Void) {
    state = Mutex(State(missing: expected))
    self.onAll = onAll
  }

  func admin(_ address: SocketAddress) { arrived { $0.admin = address } }
  func exchange(_ address: SocketAddress) { arrived { $0.exchange = address } }

  private func arrived(_ note: (inout State) -> Void) {
    let now = state.withLock { state in
      note(&state)
      state.missing -= 1
      return state
    }
    if now.missing == 0, let admin = now.admin { onAll(admin, now.exchange) }
  }
}

/// Work that goes on until the process is asked to end.
struct LoopService: Service {
  let loop: @Sendable () async -> Void

  func run() async throws {
    await cancelWhenGracefulShutdown { await loop() }
  }
}

/// A listener, which ends in good order.
struct ListenerService: Service {
  let shutdown: @Sendable () async -> Void

  func run() async throws {
    try await gracefulShutdown()
    await shutdown()
  }
}

/// What is to be done once more although the patience with the others may be over, which cancels
/// every service.
private func atTheEnd(_ work: @escaping @Sendable () async -> Void) async {
  await Task { await work() }.value
}

/// Keeps sightings on disk, and once more at the end.
struct SightingService: Service {
  let loop: SightingLoop

  func run() async throws {
    await cancelWhenGracefulShutdown { await loop.keep() }
    await atTheEnd { _ = await loop.flush() }
  }
}

/// Keeps events of devices on disk, and once more at the end.
struct EventService: Service {
  let events: DeviceEvents

  func run() async throws {
    await cancelWhenGracefulShutdown { await events.keep() }
    await atTheEnd { _ = await events.flush() }
  }
}

/// Writes the check log twice a second, and once more at the end.
struct LogService: Service {
  let log: CheckLog
  let threads: NIOThreadPool
  let pause: Duration
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var isNews = true
      while !Task.isCancelled {
        isNews = await flush(isNews)
        // Ends early only because the task is cancelled, which the loop looks at.
        try? await Task.sleep(for: pause)
      }
    }
    await atTheEnd { _ = await flush(true) }
  }

  /// False after a failure, which is said once.
  private func flush(_ isNews: Bool) async -> Bool {
    do {
      try await threads.runIfActive { try log.flush() }
      return true
    } catch {
      if isNews {
        logger.warning("cannot write the check log", metadata: ["reason": "\(error)"])
      }
      return false
    }
  }
}
