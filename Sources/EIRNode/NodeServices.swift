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

  /// Those that have arrived, by the name of their listener.
  var addresses: [(name: String, address: SocketAddress)] {
    state.withLock { state in
      [("exchange", state.exchange), ("admin", state.admin)].compactMap { name, address in
        address.map { (name, $0) }
      }
    }
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

/// Brings to the disk what is gathered in memory, again and again, and a last time at the end.
struct FlushService: Service {
  let pause: Duration
  /// Told whether a failure is news; false after one, which is said once.
  let flush: @Sendable (_ isNews: Bool) async -> Bool

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var isNews = true
      while !Task.isCancelled {
        isNews = await flush(isNews)
        // Ends early only because the task is cancelled, which the loop looks at.
        try? await Task.sleep(for: pause)
      }
    }
    // In a task of its own: the patience with the others may be over, which cancels every service.
    _ = await Task { await flush(true) }.value
  }
}
