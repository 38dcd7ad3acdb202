import ArgumentParser
import EIRNode
import Foundation
import Logging

@main
struct EIR: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eir",
    abstract: "An equipment identity register: answers whether a device may be used.",
    discussion: """
      Settings come from flags, then from variables such as EIR_DIRECTORY, then from the JSON \
      file that --config or EIR_CONFIG names.

      EXAMPLES
        eir serve --directory /var/lib/openceir/eir --registry XA --operator alfa \\
          --ceir-url https://127.0.0.1:8443 --tls-directory /etc/openceir/alfa-eir-1
        eir check 49-015420-323751-8 --config /etc/openceir/eir.json
        eir status --config /etc/openceir/eir.json --format json
      """,
    version: "0.1.0",
    subcommands: [
      Serve.self, Check.self, Status.self, Accept.self, Reload.self, Local.self,
      CertificateCommand.self, RequestCommand.self,
    ])

  /// 0 when all went well, 1 after a failure, 2 after a wrong use, 3 where no node runs.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let error as SettingsError {
      fail(error.sentences, status: 2)
    } catch let error as NodeError {
      fail(
        error.description.split(separator: "\n").map(String.init),
        status: error.code == .settings ? 2 : 1)
    } catch let error as NoNodeRuns {
      fail([error.description], status: 3)
    } catch {
      leave(with: error)
    }
  }

  /// Help and completion scripts are no failures; the parser's own status for wrong use is 64.
  private static func leave(with error: any Error) -> Never {
    switch exitCode(for: error) {
    case .success: exit(withError: error)
    case .validationFailure: fail([message(for: error) + "; eir --help lists all"], status: 2)
    default: fail([message(for: error)], status: 1)
    }
  }

  private static func fail(_ sentences: [String], status: Int32) -> Never {
    for sentence in sentences {
      FileHandle.standardError.write(Data("eir: \(sentence)\n".utf8))
    }
    Foundation.exit(status)
  }
}

/// What was shown comes from the files alone.
struct NoNodeRuns: Error, CustomStringConvertible {
  let directory: String

  var description: String { "no node runs on \(directory): this is what its files say" }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

/// Printed for a person or for a program.
func show(_ value: some Encodable, _ text: String, as format: OutputFormat) throws {
  switch format {
  case .text: print(text)
  case .json: print(String(decoding: try NodeJSON.encode(value), as: UTF8.self))
  }
}
