import ArgumentParser

/// The regulator's command.
@main
struct CEIRCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ceir",
    abstract: "The Central Equipment Identity Register: keeps the lists and publishes them.",
    discussion: """
      EXAMPLES
        ceir serve --data-directory /var/lib/openceir/ceir
        ceir import stolen reports.csv --source police
        ceir device show 49-015420-323751-8
        ceir token create --name anna --role officer

      Settings are read from flags, then from the environment (CEIR_HTTP_PORT for http.port), then \
      from the JSON file of --config. Exit status: 0 done, 1 failed, \
      2 wrong use, 3 a check stopped an import: a person must decide.
      """,
    version: "0.1.0",
    subcommands: [
      Serve.self, Migrate.self, Import.self, ConditionCommand.self, Job.self, Device.self,
      Operator.self, Request.self, Mass.self, PKI.self, Token.self, EpochCommand.self,
    ])

  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      CommandFailure.exit(error)
    }
  }
}
