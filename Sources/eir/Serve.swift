import ArgumentParser
import EIRNode
import Foundation
import Logging

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Answer network elements and follow the registry.")

  @OptionGroup var common: CommonOptions
  @OptionGroup(title: "How to decide") var decision: DecisionOptions

  @Option(help: "Address of the CEIR, such as http://127.0.0.1:8090.")
  var ceirUrl: String?

  @Option(help: "Token that the CEIR made for this node; better in a file.")
  var ceirToken: String?

  @Option(help: "File that holds the token.", completion: .file())
  var ceirTokenFile: String?

  @Option(help: "Address on which network elements are answered.")
  var listen: String?

  @Option(help: "Blacks in a day that the brake always lets pass.")
  var brakeLeast: String?

  @Option(help: "Percent of the list that may become black in a day.")
  var brakePercent: String?

  @Option(help: "File for black, grey and policy answers, or off.", completion: .file())
  var checkLog: String?

  func run() async throws {
    let own: [SettingKey: String?] = [
      .ceirURL: ceirUrl, .ceirToken: ceirToken, .ceirTokenFile: ceirTokenFile, .listen: listen,
      .brakeLeast: brakeLeast, .brakePercent: brakePercent, .checkLog: checkLog,
    ]
    let settings = try await NodeSettings.read(
      common.sources(own.merging(decision.flags) { $1 }), for: .serve)
    // A full disk is an error to be handled, also where it is only this process that may not write.
    signal(SIGXFSZ, SIG_IGN)
    let logger = Logger(label: "eir") { StreamLogHandler.standardError(label: $0) }
    let registry = settings.registry
    try await Node(settings: settings, logger: logger).run { addresses in
      let line =
        "eir: answering \(addresses.checks), admin \(addresses.admin), registry \(registry)\n"
      FileHandle.standardOutput.write(Data(line.utf8))
    }
  }
}
