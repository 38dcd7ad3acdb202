import ArgumentParser
import EIRNode
import Foundation
import Logging

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Answer network elements and follow the registry.",
    discussion: """
      After SIGHUP, as after eir reload, the configuration file is read again while answering goes \
      on; flags and variables stay those of the start.

      EXAMPLES
        eir serve --config /etc/openceir/eir.json
        eir serve --directory /var/lib/openceir/eir --registry XA --operator alfa \\
          --ceir-url https://127.0.0.1:8443 --tls-directory /etc/openceir/alfa-eir-1
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup(title: "How to decide") var decision: DecisionOptions

  @OptionGroup(title: "S13 (Diameter)") var s13: S13Options

  @OptionGroup(title: "The registry") var registry: RegistryOptions

  @OptionGroup(title: "GSUP") var gsup: GSUPOptions

  @OptionGroup(title: "Events of devices") var events: EventsOptions

  @Option(
    help: "Address that answers questions in the mode ask, if another. (default: --ceir-url)")
  var ceirStatusUrl: String?

  @Option(help: "Address on which the registry may hand lists over.")
  var exchangeListen: String?

  @Option(help: "Mirror of the registry's outbox, where files are taken.", completion: .directory)
  var filesDirectory: String?

  @Option(help: "Where the node's own files for the registry go.", completion: .directory)
  var filesOutbox: String?

  @Option(help: "Seconds between two looks for files. (default: 10)")
  var filesPollSeconds: String?

  @Option(
    help: "What becomes of a file that was taken: remove or keep. (default: remove)",
    completion: .list(["remove", "keep"]))
  var filesDone: String?

  @Option(help: "How long the mode ask waits for the CEIR, in milliseconds. (default: 500)")
  var askTimeoutMilliseconds: String?

  @Option(help: "Address on which network elements are answered. (default: 127.0.0.1:8080)")
  var listen: String?

  @OptionGroup(title: "Who may ask over N17") var n17: N17Options

  @Option(help: "Blacks in a day that the brake always lets pass. (default: 1000)")
  var brakeLeast: String?

  @Option(help: "Percent of the list that may become black in a day. (default: 0.5)")
  var brakePercent: String?

  @Option(
    help: "File for black, grey and policy answers, or off. (default: DIRECTORY/checks.ndjson)",
    completion: .file())
  var checkLog: String?

  func run() async throws {
    let own: [SettingKey: String?] = [
      .ceirStatusURL: ceirStatusUrl, .exchangeListen: exchangeListen,
      .askTimeoutMilliseconds: askTimeoutMilliseconds, .listen: listen,
      .brakeLeast: brakeLeast, .brakePercent: brakePercent, .checkLog: checkLog,
      .filesDirectory: filesDirectory, .filesOutbox: filesOutbox,
      .filesPollSeconds: filesPollSeconds, .filesDone: filesDone,
    ]
    let sources = common.sources(
      own.merging(decision.flags) { $1 }.merging(registry.flags) { $1 }
        .merging(s13.flags) { $1 }.merging(gsup.flags) { $1 }.merging(n17.flags) { $1 }
        .merging(events.flags) { $1 })
    let settings = try await NodeSettings.read(sources, for: .serve)
    // A full disk is an error to be handled, also where it is only this process that may not write.
    signal(SIGXFSZ, SIG_IGN)
    let logger = Logger(label: "eir") { StreamLogHandler.standardError(label: $0) }
    let name = settings.registry
    var node = Node(settings: settings, sources: sources, logger: logger)
    node.notice = ServiceNotice(environment: ProcessInfo.processInfo.environment)
    try await node.run { addresses in
      let s13 = addresses.s13.map { ", \($0.name) \($0.address)" }.joined()
      let exchange = addresses.exchange.map { ", exchange \($0)" } ?? ""
      let gsup = addresses.gsup.map { ", gsup \($0)" } ?? ""
      let line =
        "eir: answering \(addresses.checks), admin \(addresses.admin)\(s13)\(exchange)\(gsup), "
        + "registry \(name)\n"
      FileHandle.standardOutput.write(Data(line.utf8))
    }
  }
}
