/// Who has which connection of a pool, as a value: its methods say what is to be done.
struct Lending {
  typealias WaiterID = UInt64
  typealias Outcome = Result<Session, PostgreSQLError>

  enum Action {
    case resume(CheckedContinuation<Outcome, Never>, Outcome)
    /// Open one more connection and tell `returned` or `openingFailed`.
    case open
    case close(Session)
    case closed(@Sendable () -> Void)
  }

  private let limits: PostgreSQLPool.Limits
  private var idle: [Session] = []
  /// Opened, lent or being opened.
  private var count = 0
  private var opening = 0
  private var waiters: [(id: WaiterID, continuation: CheckedContinuation<Outcome, Never>)] = []
  private var lastWaiter: WaiterID = 0
  /// Callers that have a number but do not wait yet; with an error, they gave up meanwhile.
  private var announced: [WaiterID: PostgreSQLError?] = [:]
  private var isClosed = false
  private var onClosed: [@Sendable () -> Void] = []

  init(_ limits: PostgreSQLPool.Limits) { self.limits = limits }

  var hasWaiters: Bool { !waiters.isEmpty }

  var waitingCount: Int { waiters.count }
  var idleCount: Int { idle.count }

  func isWaiting(_ id: WaiterID) -> Bool { waiters.contains { $0.id == id } }

  mutating func newWaiter() -> WaiterID {
    lastWaiter += 1
    announced[lastWaiter] = .some(nil)
    return lastWaiter
  }

  mutating func wait(
    _ id: WaiterID, _ continuation: CheckedContinuation<Outcome, Never>
  ) -> [Action] {
    if let error = announced.removeValue(forKey: id) ?? nil {
      return [.resume(continuation, .failure(error))]
    }
    guard !isClosed else { return [.resume(continuation, .failure(Self.closedError))] }
    let dropped = dropUnusableIdle()
    if waiters.isEmpty, let session = idle.popLast() {
      return dropped + [.resume(continuation, .success(session))]
    }
    guard waiters.count < limits.maxWaiting else {
      return dropped + [.resume(continuation, .failure(Self.crowdedError))]
    }
    waiters.append((id, continuation))
    return dropped + openIfNeeded()
  }

  mutating func giveUp(_ id: WaiterID, _ error: PostgreSQLError) -> [Action] {
    guard let index = waiters.firstIndex(where: { $0.id == id }) else {
      // One that is neither waiting nor announced has its connection already.
      if announced[id] != nil { announced[id] = .some(error) }
      return []
    }
    return [.resume(waiters.remove(at: index).continuation, .failure(error))]
  }

  /// A connection came back.
  mutating func returned(_ session: Session) -> [Action] {
    guard !isClosed else {
      count -= 1
      return [.close(session)] + closedIfEmpty()
    }
    guard !waiters.isEmpty else {
      idle.append(session)
      return []
    }
    return [.resume(waiters.removeFirst().continuation, .success(session))]
  }

  /// A connection that was lent is gone.
  mutating func dropped() -> [Action] {
    count -= 1
    return openIfNeeded() + closedIfEmpty()
  }

  mutating func opened(_ session: Session) -> [Action] {
    opening -= 1
    return returned(session)
  }

  /// The first caller learns why; for the others it is tried again.
  mutating func openingFailed(_ error: PostgreSQLError) -> [Action] {
    opening -= 1
    count -= 1
    guard !waiters.isEmpty else { return closedIfEmpty() }
    return [.resume(waiters.removeFirst().continuation, .failure(error))] + openIfNeeded()
  }

  /// Some connection ended. If it was lent, who has it will notice.
  mutating func forgetEnded() -> [Action] { dropUnusableIdle() + openIfNeeded() }

  mutating func close(_ notify: @escaping @Sendable () -> Void) -> [Action] {
    isClosed = true
    onClosed.append(notify)
    var actions = waiters.map { Action.resume($0.continuation, .failure(Self.closedError)) }
    waiters = []
    actions += idle.map(Action.close)
    count -= idle.count
    idle = []
    return actions + closedIfEmpty()
  }
}

extension Lending {
  private static let closedError = PostgreSQLError(
    .poolClosed, "The database connections were closed")
  private static let crowdedError = PostgreSQLError(
    .poolExhausted, "Too many callers wait for a database connection")

  private mutating func dropUnusableIdle() -> [Action] {
    let unusable = idle.filter { $0.health != .idle }
    guard !unusable.isEmpty else { return [] }
    idle.removeAll { session in unusable.contains { $0 === session } }
    count -= unusable.count
    return unusable.map(Action.close)
  }

  private mutating func openIfNeeded() -> [Action] {
    var actions: [Action] = []
    while !isClosed, count < limits.maxConnections, opening < waiters.count {
      count += 1
      opening += 1
      actions.append(.open)
    }
    return actions
  }

  private mutating func closedIfEmpty() -> [Action] {
    guard isClosed, count == 0 else { return [] }
    defer { onClosed = [] }
    return onClosed.map(Action.closed)
  }
}
