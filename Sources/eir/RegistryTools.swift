import ArgumentParser
import EIRNode

struct CertificateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certificate",
    abstract: "Show or renew the certificate by which the CEIR knows this node.",
    discussion: """
      EXAMPLES
        eir certificate show --config /etc/openceir/eir.json
        eir certificate renew --config /etc/openceir/eir.json
      """,
    subcommands: [Show.self, Renew.self])

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show whose it is and until when it counts.",
      discussion: """
        EXAMPLES
          eir certificate show --config /etc/openceir/eir.json
        """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var registry: RegistryOptions

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() async throws {
      let settings = try await NodeSettings.read(common.sources(registry.flags), for: .ask)
      let report = try CertificateReport(settings: settings)
      try show(report, report.text, as: format)
    }
  }

  struct Renew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Get a new certificate from the CEIR now; a running node uses it at once.",
      discussion: """
        A node does this by itself when two thirds of its certificate's life are over.

        EXAMPLES
          eir certificate renew --config /etc/openceir/eir.json
        """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var registry: RegistryOptions

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() async throws {
      let settings = try await NodeSettings.read(common.sources(registry.flags), for: .ask)
      let report = try await RegistryTools(settings: settings).renewCertificate()
      try show(report, report.text, as: format)
    }
  }
}

struct RequestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "request",
    abstract: "Ask the CEIR to block or unblock a subscriber's device.",
    discussion: """
      EXAMPLES
        eir request block 490154203237518 --reason "stolen" --config /etc/openceir/eir.json
        eir request show 7e2a90c4b1f84d06953a2c7e8b1d4f60 --config /etc/openceir/eir.json
      """,
    subcommands: [Block.self, Unblock.self, ShowRequest.self])

  struct Block: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ask for a block.",
      discussion: """
        EXAMPLES
          eir request block 490154203237518 --imsi 001010123456789 \\
            --reason "the holder reports a theft" --config /etc/openceir/eir.json
        """)

    @OptionGroup var options: RequestOptions

    func run() async throws { try await options.send(.block) }
  }

  struct Unblock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ask that the operator's own block ends.",
      discussion: """
        EXAMPLES
          eir request unblock 490154203237518 --reason "found again" --config /etc/openceir/eir.json
        """)

    @OptionGroup var options: RequestOptions

    func run() async throws { try await options.send(.unblock) }
  }

  struct ShowRequest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Show how far a request has come.",
      discussion: """
        EXAMPLES
          eir request show 7e2a90c4b1f84d06953a2c7e8b1d4f60 --config /etc/openceir/eir.json
        """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var registry: RegistryOptions

    @Argument(help: "What the CEIR called the request.")
    var request: String

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() async throws {
      let settings = try await NodeSettings.read(common.sources(registry.flags), for: .ask)
      let report = try await RegistryTools(settings: settings).request(request)
      try show(report, report.text, as: format)
    }
  }
}

struct RequestOptions: ParsableArguments {
  @OptionGroup var common: CommonOptions
  @OptionGroup var registry: RegistryOptions

  @Argument(help: "15 digits as printed on the device, or the first 14.")
  var imei: String

  @Option(help: "The subscriber whose device it is.")
  var imsi: String?

  @Option(help: "Why, in your words.")
  var reason: String

  @Option(name: .customLong("case"), help: "Your reference for the case.")
  var caseReference: String?

  @Option(help: "text or json.")
  var format = OutputFormat.text

  func send(_ kind: DeviceOrder.Kind) async throws {
    let order = try DeviceOrder(
      kind, imei: imei, imsi: imsi, reason: reason, caseReference: caseReference)
    let settings = try await NodeSettings.read(common.sources(registry.flags), for: .ask)
    let report = try await RegistryTools(settings: settings).send(order)
    try show(report, report.text, as: format)
  }
}
