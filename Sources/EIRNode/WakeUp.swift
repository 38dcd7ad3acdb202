import Synchronization

/// A sleep that somebody may end early.
final class WakeUp: Sendable {
  private let waiting = Mutex<(next: Int, all: [Int: CheckedContinuation<Void, Never>])>((0, [:]))

  init() {}

  /// Ends early also when the task is cancelled.
  func sleep(for duration: Duration) async {
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
      return state.all
    }
    for continuation in all.values { continuation.resume() }
  }

  private func rung(_ number: Int) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isCancelled = waiting.withLock { state in
          if Task.isCancelled { return true }
          state.all[number] = continuation
          return false
        }
        if isCancelled { continuation.resume() }
      }
    } onCancel: {
      let continuation = waiting.withLock { $0.all.removeValue(forKey: number) }
      continuation?.resume()
    }
  }
}
