internal import CLibPQ

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// One libpq connection in non-blocking mode, used only on its session's thread.
final class Wire {
  enum Mode { case statements, copyIn, copyOut }

  /// What still may stop the job under way.
  struct Limits {
    var cancellation: Cancellation?
    var deadline: ContinuousClock.Instant?
    /// Set once the server was asked to stop the statement.
    var stopReason: PostgreSQLError.Code?
  }

  /// How long after its own limit a silent server is given up.
  static let silenceGrace: Duration = .seconds(5)

  let connection: OpaquePointer
  let wakeDescriptor: Int32
  var prepared: PreparedStatements
  var mode = Mode.statements
  var limits = Limits()
  var stopRequest: StopRequest?
  /// The configured limit, and inside a transaction the one that replaces it (`nil` in it is
  /// none).
  let statementTimeout: Duration?
  var transactionTimeout: Duration??
  private(set) var isLost = false

  /// Connects and runs the set-up script. Blocks.
  init(
    _ configuration: PostgreSQLConfiguration, wakeDescriptor: Int32
  ) throws(PostgreSQLError) {
    connection = try Self.connect(configuration)
    self.wakeDescriptor = wakeDescriptor
    prepared = PreparedStatements(limit: configuration.preparedStatementLimit)
    statementTimeout = configuration.statementTimeout
    PQsetNoticeReceiver(connection, { _, _ in }, nil)
    guard PQsetnonblocking(connection, 1) == 0 else {
      throw .connectionLost(logText: errorText)
    }
    beginJob(cancellation: nil)
    do {
      _ = try script(configuration.setUpScript)
    } catch {
      throw error.recoded(.cannotConnect, "The database refused the set-up of a connection")
    }
  }

  deinit { PQfinish(connection) }

  private static func connect(
    _ configuration: PostgreSQLConfiguration
  ) throws(PostgreSQLError) -> OpaquePointer {
    let connection = withLibPQOptions(configuration) { PQconnectdbParams($0, $1, 1) }
    guard let connection else {
      throw PostgreSQLError(.cannotConnect, "Memory for a database connection ran out")
    }
    guard PQstatus(connection) == CONNECTION_OK else {
      defer { PQfinish(connection) }
      // libpq keeps no SQLSTATE of a failed login; only a ping tells that the server is starting.
      let isStarting = withLibPQOptions(configuration) { PQpingParams($0, $1, 1) } == PQPING_REJECT
      throw PostgreSQLError(
        .cannotConnect, "The database cannot be reached", sqlState: isStarting ? "57P03" : nil,
        logText: String(cString: PQerrorMessage(connection)).oneLine)
    }
    return connection
  }

  var errorText: String { String(cString: PQerrorMessage(connection)).oneLine }

  var transactionStatus: PGTransactionStatusType { PQtransactionStatus(connection) }

  func beginJob(cancellation: Cancellation?) {
    limits = Limits(cancellation: cancellation, deadline: nil, stopReason: nil)
    guard let timeout = transactionTimeout ?? statementTimeout else { return }
    limits.deadline = .now + timeout + Self.silenceGrace
  }

  func lose() { isLost = true }

  /// Refuses to start on a dead connection, in the middle of a COPY, or for a cancelled task.
  func requireReady(_ mode: Mode) throws(PostgreSQLError) {
    guard !isLost else { throw .connectionLost() }
    guard self.mode == mode else {
      throw .misuse("A COPY is under way on this connection, or none is")
    }
    if limits.cancellation?.isRequested ?? false { throw .cancelled() }
  }

  /// Runs a statement, prepared from its second use on.
  func query(_ statement: EncodedStatement) throws(PostgreSQLError) -> QueryResult {
    try requireReady(.statements)
    do {
      return try queryOnce(statement)
    } catch  where Self.isStalePlan(error) {
      // The tables changed under a prepared statement: prepare all of them anew.
      prepared.removeAll()
      guard transactionStatus == PQTRANS_IDLE else { throw error }
      _ = try script("DEALLOCATE ALL")
      return try queryOnce(statement)
    }
  }

  /// "cached plan must not change result type", and a statement that DISCARD dropped.
  private static func isStalePlan(_ error: PostgreSQLError) -> Bool {
    error.code == .server(sqlState: "0A000") || error.code == .server(sqlState: "26000")
  }

  private func queryOnce(_ statement: EncodedStatement) throws(PostgreSQLError) -> QueryResult {
    guard let name = try preparedName(statement) else {
      try sent(send(statement))
      return try collect()
    }
    let isSent = statement.parameters.withLibPQArrays { count, _, values, lengths, formats in
      PQsendQueryPrepared(connection, name, count, values, lengths, formats, 1)
    }
    try sent(isSent)
    return try collect()
  }

  func send(_ statement: EncodedStatement) -> Int32 {
    statement.parameters.withLibPQArrays { count, types, values, lengths, formats in
      PQsendQueryParams(connection, statement.sql, count, types, values, lengths, formats, 1)
    }
  }

  private func preparedName(_ statement: EncodedStatement) throws(PostgreSQLError) -> String? {
    switch prepared.use(statement) {
    case .asIs: return nil
    case .prepared(let name): return name
    case .prepare(let name, let evicted):
      if let evicted { _ = try script("DEALLOCATE \(evicted)") }
      let types = statement.parameters.types
      try sent(PQsendPrepare(connection, name, statement.sql, Int32(types.count), types))
      _ = try collect()
      prepared.didPrepare(statement)
      return name
    }
  }

  /// Runs statements separated by semicolons, without parameters; returns the last result.
  func script(_ sql: String) throws(PostgreSQLError) -> QueryResult {
    try requireReady(.statements)
    try sent(PQsendQuery(connection, sql))
    return try collect()
  }
}

extension String {
  /// libpq ends messages with a line break and may put several on lines of their own.
  var oneLine: String {
    split(whereSeparator: \.isNewline).joined(separator: "; ")
  }
}
