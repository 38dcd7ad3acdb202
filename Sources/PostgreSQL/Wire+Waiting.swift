internal import CLibPQ

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

extension Wire {
  func sent(_ status: Int32) throws(PostgreSQLError) {
    guard status == 1 else { throw lost() }
    try flush()
  }

  /// Sends what libpq holds, reading meanwhile so that neither side waits for the other.
  func flush() throws(PostgreSQLError) {
    while true {
      switch PQflush(connection) {
      case 0: return
      case 1:
        let ready = try wait(for: Int16(POLLIN | POLLOUT))
        if ready & Int16(POLLIN) != 0, PQconsumeInput(connection) == 0 { throw lost() }
      default: throw lost()
      }
    }
  }

  /// Reads results until the statement is over; returns the last one or throws the first error.
  func collect() throws(PostgreSQLError) -> QueryResult {
    var last: QueryResult?
    var failure: PostgreSQLError?
    while let pointer = try nextResult() {
      switch PQresultStatus(pointer) {
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        PQclear(pointer)
        lose()
        throw .misuse("COPY was started by a call that does not copy")
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE:
        last = QueryResult(pointer)
      default:
        if failure == nil { failure = error(of: pointer) }
        PQclear(pointer)
      }
    }
    if PQstatus(connection) != CONNECTION_OK { lose() }
    if let failure { throw isLost ? failure.recodedAsLost : failure }
    guard let last, !isLost else { throw lost() }
    return last
  }

  /// The next result, waiting for it; `nil` after the last.
  func nextResult() throws(PostgreSQLError) -> OpaquePointer? {
    while PQisBusy(connection) == 1 {
      _ = try wait(for: Int16(POLLIN))
      // After a loss libpq hands out the server's last words, if any, without waiting.
      if PQconsumeInput(connection) == 0 { break }
    }
    return PQgetResult(connection)
  }

  func lost() -> PostgreSQLError {
    lose()
    return .connectionLost(logText: errorText)
  }

  /// Waits until the socket is ready for one of `events` and returns for which.
  ///
  /// A cancelled task or a passed deadline asks the server, once, to stop the statement; its
  /// answer is then waited for, so that no stop request can hit a later statement.
  func wait(for events: Int16) throws(PostgreSQLError) -> Int16 {
    while true {
      if limits.stopReason == nil, limits.cancellation?.isRequested ?? false {
        stopStatement(because: .cancelled)
      }
      guard PQsocket(connection) >= 0 else { throw lost() }
      let ready = poll(events, timeoutMilliseconds: millisecondsLeft())
      if ready != 0 { return ready }
      guard let deadline = limits.deadline, deadline <= .now else { continue }
      guard limits.stopReason == nil else {
        lose()
        throw PostgreSQLError(.connectionLost, "The database stopped answering")
      }
      stopStatement(because: .timeout)
    }
  }

  private func millisecondsLeft() -> Int32 {
    guard let deadline = limits.deadline else { return -1 }
    let left = ContinuousClock.now.duration(to: deadline).wholeMilliseconds
    return Int32(clamping: max(0, left + 1))
  }

  /// 0 after a wake-up or at the time limit.
  private func poll(_ events: Int16, timeoutMilliseconds: Int32) -> Int16 {
    withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) { polled in
      polled[0] = pollfd(fd: PQsocket(connection), events: events, revents: 0)
      polled[1] = pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)
      guard Self.pollAll(polled, timeoutMilliseconds) > 0 else { return 0 }
      if polled[1].revents != 0 { drain(wakeDescriptor) }
      let ready = polled[0].revents
      let isBroken = ready & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
      return isBroken ? ready | events : ready
    }
  }

  static func pollAll(
    _ polled: UnsafeMutableBufferPointer<pollfd>, _ timeoutMilliseconds: Int32
  ) -> Int32 {
    #if canImport(Musl)
      Musl.poll(polled.baseAddress, nfds_t(polled.count), timeoutMilliseconds)
    #else
      Glibc.poll(polled.baseAddress, nfds_t(polled.count), timeoutMilliseconds)
    #endif
  }

  func stopStatement(because reason: PostgreSQLError.Code) {
    limits.stopReason = reason
    limits.deadline = .now + Self.silenceGrace
    stopRequest = StopRequest.send(toStop: connection)
  }

  /// Ends a job. A stop request still on its way must not hit the next statement.
  func endJob() {
    guard let request = stopRequest else { return }
    stopRequest = nil
    if !request.waitUntilDelivered(Self.silenceGrace) { lose() }
  }
}

extension Wire {
  /// Reads what arrives between statements; returns the notifications, or `nil` once the
  /// connection is lost.
  func readBetweenStatements() -> [(channel: String, payload: String)]? {
    guard !isLost, PQconsumeInput(connection) == 1, PQstatus(connection) == CONNECTION_OK else {
      lose()
      return nil
    }
    return takeNotifications()
  }

  func takeNotifications() -> [(channel: String, payload: String)] {
    var notifications: [(channel: String, payload: String)] = []
    while let pointer = PQnotifies(connection) {
      notifications.append(
        (String(cString: pointer.pointee.relname), String(cString: pointer.pointee.extra)))
      PQfreemem(pointer)
    }
    return notifications
  }

  /// The server's error as ours. A refusal that we asked for takes the reason that we had.
  func error(of result: OpaquePointer) -> PostgreSQLError {
    let sqlState = field(result, "C")
    let isFatal = ["FATAL", "PANIC"].contains(field(result, "V"))
    if isFatal || sqlState == nil || PQstatus(connection) != CONNECTION_OK { lose() }
    let logText = Self.logText(sqlState: sqlState, primary: field(result, "M"))
    let failure = PostgreSQLError(
      sqlState.map { .server(sqlState: $0) } ?? .connectionLost,
      "The database refused the statement", sqlState: sqlState,
      constraint: field(result, "n"), table: field(result, "t"), column: field(result, "c"),
      logText: logText ?? errorText)
    if isLost { return failure.recodedAsLost }
    guard sqlState == "57014" else { return failure }
    if limits.stopReason == .cancelled {
      return failure.recoded(.cancelled, "The database statement was cancelled")
    }
    return failure.recoded(.timeout, "The database statement ran longer than its limit")
  }

  /// The codes are the PG_DIAG_ constants of postgres_ext.h, which are character macros.
  private func field(_ result: OpaquePointer, _ code: Unicode.Scalar) -> String? {
    guard let text = PQresultErrorField(result, Int32(code.value)) else { return nil }
    return String(cString: text).oneLine
  }

  /// The primary message of class 22 (data exceptions) quotes the value that did not fit.
  private static func logText(sqlState: String?, primary: String?) -> String? {
    guard let sqlState, sqlState.hasPrefix("22") else { return primary }
    return "message withheld, for it quotes the value"
  }
}
