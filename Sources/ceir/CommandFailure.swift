import ArgumentParser
import CEIRService
import Glibc

/// Ends the program after an error: one sentence, exit status 2 for wrong use, 1 for the rest.
enum CommandFailure {
  static let failed: Int32 = 1
  static let wrongUse: Int32 = 2

  static func exit(_ error: any Error) -> Never {
    let code = CEIRCommand.exitCode(for: error)
    if code.isSuccess { CEIRCommand.exit(withError: error) }
    switch error {
    case let error as ExitCode: Glibc.exit(error.rawValue)
    case let error as SettingsError: end(error.description, status: wrongUse)
    case _ where code == .validationFailure:
      end(CEIRCommand.fullMessage(for: error), status: wrongUse, isMessage: true)
    default: end(String(describing: error), status: failed)
    }
  }

  private static func end(_ text: String, status: Int32, isMessage: Bool = false) -> Never {
    Terminal.error(isMessage ? text : "ceir: \(text)")
    Glibc.exit(status)
  }
}
