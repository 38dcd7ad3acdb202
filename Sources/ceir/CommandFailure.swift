import ArgumentParser
import CEIRService
import Glibc
import LocalPostgreSQL
import PostgreSQL

/// Ends the program after an error: one sentence, exit status 2 for wrong use, 3 where a person
/// must decide first, 1 for the rest.
enum CommandFailure {
  static let failed: Int32 = 1
  static let wrongUse: Int32 = 2
  static let undecided: Int32 = 3

  static func exit(_ error: any Error) -> Never {
    let code = CEIRCommand.exitCode(for: error)
    if code.isSuccess { CEIRCommand.exit(withError: error) }
    switch error {
    case let error as ExitCode: Glibc.exit(error.rawValue)
    case let error as SettingsError: end(error.description, status: wrongUse)
    case _ where code == .validationFailure:
      end("\(CEIRCommand.message(for: error)) (`ceir COMMAND --help` says more)", status: wrongUse)
    case let error as PostgreSQLError: end(sentence(error), status: failed)
    case let error as LocalPostgreSQLError: end(error.debugDescription, status: failed)
    default: end(String(describing: error), status: failed)
    }
  }

  /// For the person who runs the program: the server's own words belong here.
  private static func sentence(_ error: PostgreSQLError) -> String {
    switch (error.code, error.sqlState) {
    case (_, "53100"):
      "The disk of the database is full: nothing was changed. Make room and try again."
    case (_, "42501"):
      "The database role lacks a right: it must own the database, and have CREATEROLE or be a "
        + "member of ceir_service and ceir_publisher (\(error.debugDescription))."
    case (.cannotConnect, _):
      "The database cannot be reached: check that it runs and that database.url is right "
        + "(\(error.debugDescription))."
    default: error.debugDescription
    }
  }

  private static func end(_ text: String, status: Int32) -> Never {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    Terminal.error("ceir: \(line)")
    Glibc.exit(status)
  }
}
