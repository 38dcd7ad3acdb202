/// What went wrong between us and the database.
///
/// `description` is fit for strangers: it never holds a value, a statement, or the server's text.
/// `debugDescription` is for the log: it adds the server's primary message, never its DETAIL,
/// HINT or CONTEXT, which quote keys and rows.
package struct PostgreSQLError: Error, Sendable, Equatable {
  package enum Code: Sendable, Equatable {
    /// The server refused: SQLSTATE, five characters (PostgreSQL documentation, appendix A).
    case server(sqlState: String)
    /// The connection broke; what was under way outside a transaction may or may not have happened.
    case connectionLost
    case cannotConnect
    /// A statement ran longer than its limit and was stopped.
    case timeout
    /// The Swift task was cancelled; the statement was stopped or never sent.
    case cancelled
    /// No connection became free within the acquire timeout.
    case poolExhausted
    case poolClosed
    /// COMMIT was sent, but its answer never came: it happened or it did not.
    case commitUnknown
    /// COMMIT was answered by ROLLBACK, because a statement before it had failed.
    case transactionAborted
    /// A column is missing, null, or of another type than asked for.
    case decoding
    /// A parameter cannot be sent, such as text holding NUL.
    case encoding
    /// The caller broke a rule of this interface, such as a query in the middle of a COPY.
    case misuse
  }

  package let code: Code
  /// SQLSTATE if the server gave one, also when `code` is not `.server`.
  package let sqlState: String?
  package let constraint: String?
  package let table: String?
  package let column: String?
  /// Written by us: never holds data.
  let explanation: String
  /// From the server or libpq: only for the log.
  let logText: String?

  init(
    _ code: Code, _ explanation: String, sqlState: String? = nil, constraint: String? = nil,
    table: String? = nil, column: String? = nil, logText: String? = nil
  ) {
    self.code = code
    self.explanation = explanation
    self.sqlState = sqlState
    self.constraint = constraint
    self.table = table
    self.column = column
    self.logText = logText
  }

  /// True for 40001 and 40P01: the same transaction, run again, may succeed.
  package var isSerializationFailure: Bool { sqlState == "40001" || sqlState == "40P01" }

  package var isUniqueViolation: Bool { sqlState == "23505" }

  /// 57P03 cannot_connect_now: the server is there, but starting or stopping.
  var isServerStarting: Bool { sqlState == "57P03" }

  /// The same failure under another code.
  func recoded(_ code: Code, _ explanation: String) -> PostgreSQLError {
    PostgreSQLError(
      code, explanation, sqlState: sqlState, constraint: constraint, table: table,
      column: column, logText: logText)
  }
}

extension PostgreSQLError: CustomStringConvertible, CustomDebugStringConvertible {
  package var description: String {
    var grounds: [String] = []
    if let sqlState { grounds.append("SQLSTATE \(sqlState)") }
    if let constraint { grounds.append("constraint \(constraint)") }
    if let table { grounds.append("table \(table)") }
    if let column { grounds.append("column \(column)") }
    return grounds.isEmpty ? explanation : "\(explanation) (\(grounds.joined(separator: ", ")))"
  }

  package var debugDescription: String {
    guard let logText else { return description }
    return "\(description): \(logText)"
  }
}

extension PostgreSQLError {
  static func cancelled() -> PostgreSQLError {
    PostgreSQLError(.cancelled, "The database statement was cancelled")
  }

  static func connectionLost(logText: String? = nil) -> PostgreSQLError {
    PostgreSQLError(
      .connectionLost, "The connection to the database was lost", logText: logText)
  }

  var recodedAsLost: PostgreSQLError {
    recoded(.connectionLost, "The connection to the database was lost")
  }

  static func misuse(_ explanation: String) -> PostgreSQLError {
    PostgreSQLError(.misuse, explanation)
  }
}
