internal import CLibPQ
internal import Synchronization

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// Shared by a task, which may ask for the end, and the session that works for it.
final class Cancellation: Sendable {
  private let flag = Atomic(false)
  var isRequested: Bool { flag.load(ordering: .acquiring) }
  func request() { flag.store(true, ordering: .releasing) }
}

/// One connection, and the thread that alone touches it. Swift's shared pool never waits for
/// the database: tasks leave a job here and are resumed when it is done.
final class Session: Sendable {
  struct Job: Sendable {
    let cancellation: Cancellation?
    /// Gets `nil` if the session ended first.
    let body: @Sendable (Wire?) -> Void
  }

  /// `unusable` also in the middle of a COPY.
  enum Health { case idle, inTransaction, unusable }

  private struct State {
    var jobs: [Job] = []
    var isClosing = false
    /// The thread takes no more jobs.
    var hasEnded = false
    var health = Health.idle
  }

  typealias NotificationHandler = @Sendable ((channel: String, payload: String)) -> Void

  private let state = Mutex(State())
  private let wakeDescriptor = makeWakeDescriptor()
  private let onNotification: NotificationHandler?
  private let onEnd: @Sendable () -> Void

  private init(
    onNotification: NotificationHandler?, onEnd: @escaping @Sendable () -> Void
  ) {
    self.onNotification = onNotification
    self.onEnd = onEnd
  }

  deinit { Self.closeDescriptor(wakeDescriptor) }

  private static func closeDescriptor(_ descriptor: Int32) {
    #if canImport(Musl)
      _ = Musl.close(descriptor)
    #else
      _ = Glibc.close(descriptor)
    #endif
  }

  /// Connects. `onEnd` is called once, after a session that was opened has lost its connection
  /// or was closed.
  static func open(
    _ configuration: PostgreSQLConfiguration, onNotification: NotificationHandler? = nil,
    onEnd: @escaping @Sendable () -> Void = {}
  ) async throws(PostgreSQLError) -> Session {
    let session = Session(onNotification: onNotification, onEnd: onEnd)
    guard session.wakeDescriptor >= 0 else {
      throw PostgreSQLError(.cannotConnect, "No file descriptor for a database connection")
    }
    let opened: Result<Void, PostgreSQLError> = await withCheckedContinuation { continuation in
      let started = startThread(session) { session in
        session.main(configuration) { continuation.resume(returning: $0) }
      }
      if !started {
        let failure = PostgreSQLError(.cannotConnect, "No thread for a database connection")
        continuation.resume(returning: .failure(failure))
      }
    }
    try opened.get()
    return session
  }

  var health: Health { state.withLock { $0.health } }

  /// Finishes the jobs already given, then closes the connection.
  func close() {
    state.withLock { $0.isClosing = true }
    wake(wakeDescriptor)
  }

  /// Runs `body` on the session's thread. Always returns after `body` did, even when the task
  /// is cancelled: what `body` points to stays valid.
  func run<Value: Sendable>(
    cancellable: Bool = true,
    _ body: @escaping @Sendable (Wire) throws(PostgreSQLError) -> Value
  ) async throws(PostgreSQLError) -> Value {
    let cancellation = cancellable ? Cancellation() : nil
    let result: Result<Value, PostgreSQLError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        submit(
          Job(cancellation: cancellation) { wire in
            continuation.resume(returning: self.outcome(wire, body))
          })
      }
    } onCancel: {
      guard let cancellation else { return }
      cancellation.request()
      wake(wakeDescriptor)
    }
    return try result.get()
  }

  /// Runs `body`; who waits for the outcome then also finds `health` up to date.
  private func outcome<Value>(
    _ wire: Wire?, _ body: (Wire) throws(PostgreSQLError) -> Value
  ) -> Result<Value, PostgreSQLError> {
    guard let wire else { return .failure(.connectionLost()) }
    defer {
      wire.endJob()
      publishHealth(of: wire)
    }
    do throws(PostgreSQLError) {
      return .success(try body(wire))
    } catch {
      return .failure(error)
    }
  }

  private func submit(_ job: Job) {
    let isAccepted = state.withLock { state in
      if !state.hasEnded { state.jobs.append(job) }
      return !state.hasEnded
    }
    if isAccepted { wake(wakeDescriptor) } else { job.body(nil) }
  }
}

extension Session {
  private func main(
    _ configuration: PostgreSQLConfiguration, opened: (Result<Void, PostgreSQLError>) -> Void
  ) {
    do throws(PostgreSQLError) {
      let wire = try Wire(configuration, wakeDescriptor: wakeDescriptor)
      opened(.success(()))
      work(on: wire)
    } catch {
      opened(.failure(error))
      return
    }
    // The connection is closed by now.
    let unserved = state.withLock { state in
      state.hasEnded = true
      state.health = .unusable
      defer { state.jobs = [] }
      return state.jobs
    }
    for job in unserved { job.body(nil) }
    onEnd()
  }

  private func work(on wire: Wire) {
    while let job = nextJob(wire) {
      wire.beginJob(cancellation: job.cancellation)
      job.body(wire)
      deliver(wire.takeNotifications())
    }
  }

  /// Sleeps until there is a job; `nil` once the session is closed or the connection lost.
  private func nextJob(_ wire: Wire) -> Job? {
    while !wire.isLost {
      let (job, isClosing) = state.withLock { state in
        (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.isClosing)
      }
      if let job { return job }
      if isClosing { return nil }
      sleep(wire)
    }
    publishHealth(of: wire)
    return nil
  }

  /// Until woken, or until the server says something: a notification, or good-bye.
  private func sleep(_ wire: Wire) {
    withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) { polled in
      // Between the calls of a COPY what the server says waits for the next call.
      let socket = wire.mode == .statements ? PQsocket(wire.connection) : -1
      polled[0] = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
      polled[1] = pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)
      guard Wire.pollAll(polled, -1) > 0 else { return }
      if polled[1].revents != 0 { drain(wakeDescriptor) }
      guard polled[0].revents != 0 else { return }
      if let notifications = wire.readBetweenStatements() { deliver(notifications) }
    }
  }

  private func deliver(_ notifications: [(channel: String, payload: String)]) {
    guard let onNotification else { return }
    for notification in notifications { onNotification(notification) }
  }

  private func publishHealth(of wire: Wire) {
    let health: Health =
      if wire.isLost || wire.mode != .statements {
        .unusable
      } else {
        wire.transactionStatus == PQTRANS_IDLE ? .idle : .inTransaction
      }
    state.withLock { $0.health = health }
  }
}
