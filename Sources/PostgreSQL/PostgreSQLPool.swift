internal import Synchronization

/// Lends connections, at most `maxConnections`, first come first served. Connections are opened
/// when needed and kept; one that breaks is dropped and replaced when next needed, so that a
/// restart of the server costs the statements under way and no more.
package final class PostgreSQLPool: Sendable {
  package struct Limits: Sendable {
    package var maxConnections: Int
    /// How long a caller waits for a connection, opening one included.
    package var acquireTimeout: Duration
    /// Callers that may wait at once; further ones are refused immediately.
    package var maxWaiting: Int

    package init(
      maxConnections: Int = 10, acquireTimeout: Duration = .seconds(10), maxWaiting: Int = 10_000
    ) {
      self.maxConnections = maxConnections
      self.acquireTimeout = acquireTimeout
      self.maxWaiting = maxWaiting
    }
  }

  /// Pause before a starting server is tried again.
  static let startingPause: Duration = .milliseconds(50)

  let configuration: PostgreSQLConfiguration
  let limits: Limits
  let lending: Mutex<Lending>

  /// Opens nothing yet.
  package init(_ configuration: PostgreSQLConfiguration, limits: Limits = Limits()) {
    self.configuration = configuration
    self.limits = limits
    lending = Mutex(Lending(limits))
  }

  /// Threads of idle connections would outlive a pool that nobody closed.
  deinit { perform(lending.withLock { $0.close {} }) }

  /// Lends a connection to `body`. A transaction that `body` left open is rolled back.
  @discardableResult
  package nonisolated(nonsending) func withConnection<Value>(
    _ body: (PostgreSQLConnection) async throws -> Value
  ) async throws -> Value {
    let session = try await acquire()
    let lease = Lease()
    let outcome: Result<Value, any Error>
    do {
      outcome = .success(try await body(PostgreSQLConnection(session: session, lease: lease)))
    } catch {
      outcome = .failure(error)
    }
    lease.end()
    await giveBack(session)
    return try outcome.get()
  }

  /// Lends a connection to `body` inside a transaction; see `PostgreSQLConnection.transaction`.
  @discardableResult
  package nonisolated(nonsending) func transaction<Value>(
    isolation: PostgreSQLIsolation = .readCommitted, readOnly: Bool = false,
    statementTimeout: Duration? = nil,
    _ body: (PostgreSQLConnection) async throws -> Value
  ) async throws -> Value {
    try await withConnection { connection in
      try await connection.transaction(
        isolation: isolation, readOnly: readOnly, statementTimeout: statementTimeout, body)
    }
  }

  /// Refuses new callers at once, then waits until all connections are back and closed.
  package func close() async {
    await withCheckedContinuation { continuation in
      perform(lending.withLock { $0.close { continuation.resume() } })
    }
  }

  /// Callers that wait for a connection: a number to watch.
  package var waitingCount: Int { lending.withLock { $0.waitingCount } }

  /// Connections that wait for callers.
  package var idleCount: Int { lending.withLock { $0.idleCount } }

  private func giveBack(_ session: Session) async {
    if session.health == .inTransaction {
      do {
        try await session.run(cancellable: false) { wire throws(PostgreSQLError) in
          try wire.rollBack()
        }
      } catch {
        // What could not be rolled back is not lent again.
        session.close()
        perform(lending.withLock { $0.dropped() })
        return
      }
    }
    let isUsable = session.health == .idle
    if !isUsable { session.close() }
    perform(lending.withLock { isUsable ? $0.returned(session) : $0.dropped() })
  }
}

extension PostgreSQLPool {
  private func acquire() async throws(PostgreSQLError) -> Session {
    let waiter = lending.withLock { $0.newWaiter() }
    let timer = Timer()
    let outcome: Result<Session, PostgreSQLError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        perform(lending.withLock { $0.wait(waiter, continuation) })
        guard lending.withLock({ $0.isWaiting(waiter) }) else { return }
        timer.start(limits.acquireTimeout) { [self] in
          giveUp(waiter, Self.exhausted(limits.acquireTimeout))
        }
      }
    } onCancel: {
      giveUp(waiter, .cancelled())
    }
    timer.stop()
    return try outcome.get()
  }

  private static func exhausted(_ limit: Duration) -> PostgreSQLError {
    PostgreSQLError(
      .poolExhausted, "No database connection became free within \(limit.wholeMilliseconds) ms")
  }

  private func giveUp(_ waiter: Lending.WaiterID, _ error: PostgreSQLError) {
    perform(lending.withLock { $0.giveUp(waiter, error) })
  }

  func perform(_ actions: [Lending.Action]) {
    for action in actions {
      switch action {
      case .resume(let continuation, let outcome): continuation.resume(returning: outcome)
      case .open: Task { await self.open() }
      case .close(let session): session.close()
      case .closed(let notify): notify()
      }
    }
  }

  private func open() async {
    do throws(PostgreSQLError) {
      let session = try await Session.open(
        configuration, onEnd: { [weak self] in self?.forgetEnded() })
      perform(lending.withLock { $0.opened(session) })
    } catch {
      await retryOrFail(error)
    }
  }

  private func forgetEnded() { perform(lending.withLock { $0.forgetEnded() }) }

  /// A server that is starting or stopping is tried again while anybody waits.
  private func retryOrFail(_ error: PostgreSQLError) async {
    guard error.isServerStarting, lending.withLock({ $0.hasWaiters }) else {
      perform(lending.withLock { $0.openingFailed(error) })
      return
    }
    // Were the sleep cut short, it would only be tried sooner.
    try? await Task.sleep(for: Self.startingPause)
    await open()
  }
}

/// Calls once after a time, unless stopped before; may be stopped before it is started.
private final class Timer: Sendable {
  private enum State {
    case ready
    case running(Task<Void, Never>)
    case stopped
  }
  private let state = Mutex(State.ready)

  func start(_ delay: Duration, _ body: @escaping @Sendable () -> Void) {
    state.withLock { state in
      guard case .ready = state else { return }
      let task = Task {
        // A sleep that was cut short means that the timer was stopped.
        guard (try? await Task.sleep(for: delay)) != nil else { return }
        body()
      }
      state = .running(task)
    }
  }

  func stop() {
    state.withLock { state in
      if case .running(let task) = state { task.cancel() }
      state = .stopped
    }
  }
}
