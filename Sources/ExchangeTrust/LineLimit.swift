package import NIOCore
import Synchronization

/// So many lines of the log within a minute about something that a stranger can cause.
package final class LineLimit: Sendable {
  private static let minute = TimeAmount.minutes(1)

  private struct State {
    var since: NIODeadline?
    var count = 0
  }

  private let most: Int
  private let state = Mutex(State())

  package init(most: Int) { self.most = most }

  /// Whether one more is to be said.
  package func takesOne(asOf now: NIODeadline) -> Bool {
    state.withLock { state in
      if state.since.map({ now - $0 >= Self.minute }) ?? true { state = State(since: now) }
      state.count += 1
      return state.count <= most
    }
  }
}
