import ArgumentParser
import EIRNode

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explain what is answered for a device, level by level.",
    discussion: """
      Asks the running node; where none runs, looks at its files, says so and ends with status 3.

      EXAMPLES
        eir check 490154203237518
        eir check 49015420323751 --imsi 001010123456789 --format json
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup(title: "How to decide, where no node runs") var decision: DecisionOptions

  @Argument(help: "15 digits as printed on the device, or 14 or 16 as signalled.")
  var imei: String

  @Option(help: "The subscriber whose device it is.")
  var imsi: String?

  @Option(help: "text or json.")
  var format = OutputFormat.text

  func run() async throws {
    let question = CheckQuestion(imei: imei, imsi: imsi)
    _ = try question.query()
    let settings = try await NodeSettings.read(common.sources(decision.flags), for: .inspect)
    let explanation = try await AdminClient(settings: settings).explain(question)
    try show(explanation, explanation.text, as: format)
    if !explanation.running { throw NoNodeRuns(directory: settings.directory) }
  }
}

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show where the list stands and how following goes.",
    discussion: """
      Where no node runs, looks at its files, says so and ends with status 3.

      EXAMPLES
        eir status --config /etc/openceir/eir.json
        eir status --config /etc/openceir/eir.json --format json
      """)

  @OptionGroup var common: CommonOptions

  @Option(help: "text or json.")
  var format = OutputFormat.text

  func run() async throws {
    let settings = try await NodeSettings.read(common.sources(), for: .inspect)
    let status = try await AdminClient(settings: settings).status()
    try show(status, status.text, as: format)
    if !status.running { throw NoNodeRuns(directory: settings.directory) }
  }
}

struct Accept: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let what the brake holds take effect.",
    discussion: """
      Look at eir status first: what is held would make these devices black.

      EXAMPLES
        eir accept --config /etc/openceir/eir.json
      """)

  @OptionGroup var common: CommonOptions

  @Option(help: "text or json.")
  var format = OutputFormat.text

  func run() async throws {
    let settings = try await NodeSettings.read(common.sources(), for: .inspect)
    let report = try await AdminClient(settings: settings).accept()
    try show(report, report.text, as: format)
  }
}

struct Reload: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let the running node read its configuration file again.",
    discussion: """
      The node goes on answering. If anything in the file makes no sense, nothing of it is used. \
      What needs a restart is named. The same as SIGHUP.

      EXAMPLES
        eir reload --config /etc/openceir/eir.json
      """)

  @OptionGroup var common: CommonOptions

  @Option(help: "text or json.")
  var format = OutputFormat.text

  func run() async throws {
    let settings = try await NodeSettings.read(common.sources(), for: .inspect)
    let report = try await AdminClient(settings: settings).reload()
    try show(report, report.text, as: format)
  }
}
