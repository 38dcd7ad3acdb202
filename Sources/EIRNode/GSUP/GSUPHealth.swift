package import Logging
import Synchronization

/// What the relay has to say of itself. It logs once that the HLR is away, and once that it is
/// back.
package final class GSUPHealth: Sendable {
  package struct Counts: Hashable, Sendable {
    /// Clients that are connected.
    package var connections = 0
    /// Connections that ended because the HLR did not accept one or ended one.
    package var hlrLost = 0
    /// Check-IMEI requests that were answered by an error, or could not be answered.
    package var illFormed = 0
  }

  private struct State {
    var counts = Counts()
    var isAway = false
  }

  private let state = Mutex(State())
  private let logger: Logger

  package init(logger: Logger) { self.logger = logger }

  package var counts: Counts { state.withLock { $0.counts } }

  func opened() { state.withLock { $0.counts.connections += 1 } }
  func closed() { state.withLock { $0.counts.connections -= 1 } }
  func illFormed() { state.withLock { $0.counts.illFormed += 1 } }

  func lost(_ reason: String) {
    let isNews = state.withLock { state in
      state.counts.hlrLost += 1
      defer { state.isAway = true }
      return !state.isAway
    }
    if isNews {
      logger.warning("the HLR is away: its clients are let go", metadata: ["reason": "\(reason)"])
    }
  }

  func reached() {
    let isNews = state.withLock { state in
      defer { state.isAway = false }
      return state.isAway
    }
    if isNews { logger.info("the HLR is back") }
  }
}
