import CheckServer
import Logging

/// What a node that is stopping still has to do, in the log while it waits for that.
struct Drain: Sendable {
  /// Between two lines.
  static let period = Duration.seconds(2)

  /// By the name of the listener's setting.
  let openConnections: @Sendable () -> [(listener: String, count: Int)]
  /// Requests that were understood and have no answer yet.
  let outstanding: @Sendable () -> Int
  let logger: Logger

  /// Runs `work`, and says what is still open until it is done.
  func watch(_ work: () async -> Void) async {
    report("stopping: no more connections are taken, and what was asked is answered")
    let lines = Task {
      while (try? await Task.sleep(for: Self.period)) != nil {
        report("waiting for those who are connected")
      }
    }
    await work()
    lines.cancel()
    report("no more is answered")
  }

  private func report(_ what: Logger.Message) {
    var metadata: Logger.Metadata = ["outstanding": "\(outstanding())"]
    for (listener, count) in openConnections() {
      metadata["\(listener).connections"] = "\(count)"
    }
    logger.notice(what, metadata: metadata)
  }
}
