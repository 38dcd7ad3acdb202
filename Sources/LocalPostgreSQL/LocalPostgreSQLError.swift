/// Why the embedded cluster cannot be used. The description is one sentence that says what to do.
package struct LocalPostgreSQLError: Error, Sendable, Equatable {
  package enum Code: Sendable, Equatable {
    case notInstalled
    /// The cluster was made by another major version than the one installed.
    case versionMismatch
    case noSuchUser
    /// The server's user cannot reach the directory.
    case unreachableDirectory
    case badDirectory
    /// Another process is starting or stopping the same cluster and does not come to an end.
    case busy
    case initializationFailed
    case startFailed
    case startTimeout
    case stopFailed
    /// The server runs, but roles or databases could not be made.
    case setUpFailed
  }

  package let code: Code
  let explanation: String
  /// Last words of the program that failed: for the log.
  let logText: String?

  init(_ code: Code, _ explanation: String, logText: String? = nil) {
    self.code = code
    self.explanation = explanation
    self.logText = logText
  }

  /// PostgreSQL's own check: children of a killed server still hold its shared memory.
  var isHinderedByOrphans: Bool {
    code == .startFailed && logText?.contains("shared memory block") ?? false
  }
}

extension LocalPostgreSQLError: CustomStringConvertible, CustomDebugStringConvertible {
  package var description: String { explanation }

  package var debugDescription: String {
    guard let logText, !logText.isEmpty else { return explanation }
    return "\(explanation): \(logText)"
  }
}
