import ExchangeTrust
package import Logging
import NIOCore
import Synchronization

/// What the relay has to say of itself. It logs once that the HLR is away, and once that it is
/// back.
package final class GSUPHealth: Sendable {
  package struct Counts: Hashable, Sendable {
    /// Clients that are connected.
    package var connections = 0
    /// Clients let go because the HLR could not be reached.
    package var hlrLost = 0
    /// Clients let go because the HLR ended their connection, or did not read it.
    package var hlrEnded = 0
    /// Check-IMEI requests that were answered by an error, or could not be answered.
    package var illFormed = 0
  }

  private struct State {
    var counts = Counts()
    var isAway = false
  }

  /// In the log within a minute, of connections that the HLR ended; all of them are counted.
  static let mostEndedLines = 20

  private let state = Mutex(State())
  private let endedLines = LineLimit(most: mostEndedLines)
  private let logger: Logger

  package init(logger: Logger) { self.logger = logger }

  package var counts: Counts { state.withLock { $0.counts } }
  var isAway: Bool { state.withLock { $0.isAway } }

  func opened() { state.withLock { $0.counts.connections += 1 } }
  func closed() { state.withLock { $0.counts.connections -= 1 } }
  func illFormed() { state.withLock { $0.counts.illFormed += 1 } }

  /// The HLR had accepted the connection: why it ended is between it and this client.
  func ended(_ reason: String, client: String) {
    state.withLock { $0.counts.hlrEnded += 1 }
    guard endedLines.takesOne(asOf: .now()) else { return }
    logger.info(
      "the HLR is done with a client, which is let go",
      metadata: ["client": "\(client)", "reason": "\(reason)"])
  }

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
