import Synchronization

/// Wakes whoever waits for something new. A hint only: whoever waits looks again by itself when the
/// time is up.
package final class Bell: Sendable {
  private struct Waiter {
    let continuation: CheckedContinuation<Void, Never>
    let timer: Task<Void, Never>
  }

  private struct State {
    var strokes: UInt64 = 0
    var waiting: [UInt64: Waiter] = [:]
    var nextNumber: UInt64 = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// How often it has rung: read before looking, so that no stroke falls between.
  package var strokes: UInt64 { state.withLock { $0.strokes } }

  package func ring() {
    let woken = state.withLock { state in
      state.strokes += 1
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for waiter in woken { Self.wake(waiter) }
  }

  /// Returns at once if it has rung since `seen`; otherwise at the next stroke, after `timeout`, or
  /// when the task is cancelled.
  package func wait(since seen: UInt64, timeout: Duration) async {
    let number = state.withLock { state in
      state.nextNumber += 1
      return state.nextNumber
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isLate = state.withLock { state in
          if state.strokes != seen || Task.isCancelled { return true }
          let timer = Task { await self.wake(number, after: timeout) }
          state.waiting[number] = Waiter(continuation: continuation, timer: timer)
          return false
        }
        if isLate { continuation.resume() }
      }
    } onCancel: {
      wake(number)
    }
  }

  private func wake(_ number: UInt64, after timeout: Duration) async {
    do {
      try await Task.sleep(for: timeout)
      wake(number)
    } catch {
      return  // The waiter was woken before its time.
    }
  }

  private func wake(_ number: UInt64) {
    state.withLock { $0.waiting.removeValue(forKey: number) }.map(Self.wake)
  }

  private static func wake(_ waiter: Waiter) {
    waiter.timer.cancel()
    waiter.continuation.resume()
  }
}
