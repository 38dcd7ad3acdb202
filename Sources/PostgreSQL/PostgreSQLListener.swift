internal import Synchronization

/// LISTEN on a connection of its own, opened again after each loss.
///
/// A notification is a hint that may be lost: after `.connected`, the first time and each time
/// after that, look at the tables.
package final class PostgreSQLListener: Sendable {
  package enum Event: Sendable, Equatable {
    /// Listening from now on, for the first time or again.
    case connected
    case reconnected
    case notification(channel: String, payload: String)
    /// The connection broke; `.reconnected` follows when it is back.
    case lost
  }

  /// Events kept for a reader that is behind; the oldest are dropped.
  package static let bufferedEvents = 1024
  static let firstPause: Duration = .milliseconds(50)
  static let longestPause: Duration = .seconds(5)

  package let events: AsyncStream<Event>
  private let sink: AsyncStream<Event>.Continuation
  private let task: Task<Void, Never>

  /// Starts at once. `onFailure` is told each failed attempt to connect, for the log.
  package init(
    _ configuration: PostgreSQLConfiguration, channels: [String],
    onFailure: @escaping @Sendable (PostgreSQLError) -> Void = { _ in }
  ) {
    (events, sink) = AsyncStream.makeStream(
      of: Event.self, bufferingPolicy: .bufferingNewest(Self.bufferedEvents))
    task = Task { [sink] in
      await Self.listen(configuration, channels, sink, onFailure)
      sink.finish()
    }
  }

  deinit { task.cancel() }

  /// Ends the stream and waits until the connection is closed.
  package func close() async {
    task.cancel()
    await task.value
  }

  private static func listen(
    _ configuration: PostgreSQLConfiguration, _ channels: [String],
    _ sink: AsyncStream<Event>.Continuation,
    _ onFailure: @Sendable (PostgreSQLError) -> Void
  ) async {
    var pause = firstPause
    var hasConnected = false
    while !Task.isCancelled {
      do throws(PostgreSQLError) {
        let ended = Signal()
        let session = try await connect(configuration, channels, sink, ended)
        sink.yield(hasConnected ? .reconnected : .connected)
        hasConnected = true
        pause = firstPause
        await withTaskCancellationHandler {
          await ended.wait()
        } onCancel: {
          session.close()
        }
        if !Task.isCancelled { sink.yield(.lost) }
      } catch {
        if !Task.isCancelled { onFailure(error) }
      }
      // A sleep cut short means that the loop ends.
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, longestPause)
    }
  }

  private static func connect(
    _ configuration: PostgreSQLConfiguration, _ channels: [String],
    _ sink: AsyncStream<Event>.Continuation, _ ended: Signal
  ) async throws(PostgreSQLError) -> Session {
    let session = try await Session.open(
      configuration,
      onNotification: { sink.yield(.notification(channel: $0.channel, payload: $0.payload)) },
      onEnd: { ended.send() })
    let script = channels.map { "LISTEN \(quotedIdentifier($0))" }.joined(separator: "; ")
    do throws(PostgreSQLError) {
      try await session.run { wire throws(PostgreSQLError) in _ = try wire.script(script) }
    } catch {
      session.close()
      throw error
    }
    return session
  }
}

/// Something that happens once and that one task waits for.
private final class Signal: Sendable {
  private enum State {
    case nothing
    case waiting(CheckedContinuation<Void, Never>)
    case sent
  }
  private let state = Mutex(State.nothing)

  func send() {
    let waiting: CheckedContinuation<Void, Never>? = state.withLock { state in
      defer { state = .sent }
      if case .waiting(let continuation) = state { return continuation }
      return nil
    }
    waiting?.resume()
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isSent = state.withLock { state in
        if case .sent = state { return true }
        state = .waiting(continuation)
        return false
      }
      if isSent { continuation.resume() }
    }
  }
}
