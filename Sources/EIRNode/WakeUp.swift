import Synchronization

/// A sleep that somebody may end early.
final class WakeUp: Sendable {
  private struct State {
    var next = 0
    var all: [Int: CheckedContinuation<Void, Never>] = [:]
    /// While nobody slept: the next sleep ends at once.
    var isRung = false
  }

  private let waiting = Mutex(State())

  init() {}

  /// Ends early also when the task is cancelled.
  func wait(atMost duration: Duration) async {
    let number = waiting.withLock { state in
      state.next += 1
      return state.next
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await Task.sleep(for: duration) }
      group.addTask { await self.rung(number) }
      await group.next()
      group.cancelAll()
    }
  }

  func ring() {
    let all = waiting.withLock { state in
      defer { state.all = [:] }
      if state.all.isEmpty { state.isRung = true }
      return state.all
    }
    for continuation in all.values { continuation.resume() }
  }

  private func rung(_ number: Int) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = waiting.withLock { state in
          // Whoever sleeps looks again when this returns, so one ring is one early end.
          if state.isRung || Task.isCancelled {
            state.isRung = false
            return true
          }
          state.all[number] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      let continuation = waiting.withLock { $0.all.removeValue(forKey: number) }
      continuation?.resume()
    }
  }
}
