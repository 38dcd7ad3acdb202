/// Where the database is and how each connection is set up.
package struct PostgreSQLConfiguration: Sendable {
  /// A libpq conninfo string or URI, as libpq reads it: several hosts and
  /// `target_session_attrs` included. It may hold a password and is never shown.
  package var connectionString: String
  package var applicationName: String
  /// Taken with SET ROLE after login.
  package var role: String?
  /// Run once on each new connection, after our own settings.
  package var setUpStatements: [String]
  /// For each host of the connection string; whole seconds, at least 2 (libpq's own limits).
  package var connectTimeout: Duration
  /// `nil` waits for ever, which only batch work should do.
  package var statementTimeout: Duration?
  /// Statements kept prepared on one connection.
  package var preparedStatementLimit: Int

  package init(
    connectionString: String, applicationName: String = "ceir", role: String? = nil,
    setUpStatements: [String] = [], connectTimeout: Duration = .seconds(5),
    statementTimeout: Duration? = .seconds(30), preparedStatementLimit: Int = 256
  ) {
    self.connectionString = connectionString
    self.applicationName = applicationName
    self.role = role
    self.setUpStatements = setUpStatements
    self.connectTimeout = connectTimeout
    self.statementTimeout = statementTimeout
    self.preparedStatementLimit = preparedStatementLimit
  }

  /// Notices are off: nobody reads them, they may quote data, and without them a word from
  /// the server in the middle of COPY FROM can only be a refusal.
  var setUpScript: String {
    var statements = [
      "SET client_min_messages = error",
      "SET TIME ZONE 'UTC'",
      "SET DateStyle = 'ISO'",
      "SET statement_timeout = \(statementTimeout?.wholeMilliseconds ?? 0)",
    ]
    if let role { statements.append("SET ROLE \(quotedIdentifier(role))") }
    statements += setUpStatements
    return statements.joined(separator: ";\n")
  }

  /// In libpq a later keyword wins: what the connection string says outranks our keepalives,
  /// and the encoding outranks the connection string.
  var libpqOptions: [(keyword: String, value: String)] {
    [
      ("keepalives_idle", "30"),
      ("keepalives_interval", "10"),
      ("keepalives_count", "3"),
      ("connect_timeout", String(max(2, connectTimeout.wholeMilliseconds / 1000))),
      ("dbname", connectionString),
      ("fallback_application_name", applicationName),
      ("client_encoding", "UTF8"),
    ]
  }
}

extension PostgreSQLConfiguration: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  package var description: String { "PostgreSQLConfiguration(\(applicationName))" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["application": applicationName]) }
}

/// A name as SQL wants it written, whatever characters it holds.
package func quotedIdentifier(_ name: String) -> String {
  var quoted = "\""
  for character in name.unicodeScalars {
    if character == "\"" { quoted += "\"" }
    quoted.unicodeScalars.append(character)
  }
  return quoted + "\""
}

/// A constant as SQL wants it written (`standard_conforming_strings` on, the default). For
/// statements that take no parameters, such as CREATE ROLE; elsewhere use parameters.
package func quotedLiteral(_ text: String) -> String {
  var quoted = "'"
  for character in text.unicodeScalars {
    if character == "'" { quoted += "'" }
    quoted.unicodeScalars.append(character)
  }
  return quoted + "'"
}

extension Duration {
  var wholeMilliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
