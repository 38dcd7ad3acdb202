import ArgumentParser
import CEIRService
import DeviceLists
import ListExchange
import RegistryStore

extension Operator {
  struct Parameters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "How an operator's nodes are told of changes, while they are running.",
      discussion: """
        A new version is proposed; the node confirms it; from the position that it names it is in \
        force. Until then the former goes on. Nodes that are served by files cannot confirm: an \
        administrator does.

        EXAMPLES
          ceir operator parameters set alfa --style push --endpoint https://10.0.0.7:9443
          ceir operator parameters set alfa --node eir-2 --style files --compression gzip
          ceir operator parameters show alfa
          ceir operator parameters confirm alfa 2
        """,
      subcommands: [SetParameters.self, ShowParameters.self, ConfirmParameters.self])
  }

  struct SetParameters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set",
      abstract: "Propose a new version; what is not given stays as it was proposed last.",
      discussion: """
        EXAMPLES
          ceir operator parameters set alfa --style push --endpoint https://10.0.0.7:9443
          ceir operator parameters set alfa --style follow --effective-after 120000
        """)

    @Argument(help: "The operator's code.") var code: KnownCode
    @Option(help: "Of this node alone.") var node: KnownNode?
    @Option(help: "follow, push, pushAsync or files.") var style: ExchangeParameters.Style?
    @Option(help: "In force from this position; with files, from this file's number.")
    var effectiveAfter: UInt64?
    @Option(help: "Where a node is pushed to: https://HOST:PORT.") var endpoint: String?
    @Option(help: "Most changes in one delta, from 10000 to 20000.") var changes: Int?
    @Option(help: "Seconds after which a quiet feed is confirmed.") var seconds: Int?
    @Option(help: "Of files: none or gzip.") var compression: FileCompression?
    @Option(help: "Seconds between two full files.") var fullSeconds: Int?
    @Option(help: "Seconds between two incremental files.") var incrementalSeconds: Int?
    @Option(help: "Sightings that the node sends: all, sampled or off.")
    var sightings: ExchangeParameters.Sightings.Amount?
    @Option(help: "Of sampled sightings, one in so many.") var oneIn: Int?
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Answer: Encodable {
      let version: Int
      let parameters: ParameterSet
    }

    func run() async throws {
      let wish = wish
      let proposed = try await registry.withRegistry {
        try await Registrar(store: $0).propose(
          for: code.code, node: node?.name, by: Actor.name
        ) { wish.apply(to: &$0) }
      }
      if format == .json {
        return try Terminal.json(
          Answer(version: proposed.version, parameters: ParameterSet(proposed)))
      }
      let whom = node.map { "\(code.code)/\($0.name)" } ?? "every node of \(code.code)"
      Terminal.output("Version \(proposed.version) is proposed to \(whom).")
    }

    private var wish: Wish {
      Wish(
        style: style, effectiveAfter: effectiveAfter, endpoint: endpoint, changes: changes,
        seconds: seconds, compression: compression, fullSeconds: fullSeconds,
        incrementalSeconds: incrementalSeconds, sightings: sightings, oneIn: oneIn)
    }
  }

  struct ShowParameters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Show the versions, the newest first.",
      discussion: """
        EXAMPLES
          ceir operator parameters show alfa
        """)

    @Argument(help: "The operator's code.") var code: KnownCode
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      let records = try await registry.withRegistry { store in
        try await store.read { try await $0.parameters(of: code.code) }
      }
      if format == .json { return try Terminal.json(try records.map(ParameterVersion.init)) }
      var table = TextTable([
        "VERSION", "NODE", "STYLE", "EFFECTIVE AFTER", "STATE", "PROPOSED BY", "CONFIRMED BY",
      ])
      for record in records {
        let state =
          record.isInForce ? "in force" : record.confirmedAt == nil ? "proposed" : "confirmed"
        table.add([
          record.version.description, record.node ?? "all", record.style.rawValue,
          record.effectiveAfter.description, state, record.proposedBy, record.confirmedBy ?? "–",
        ])
      }
      Terminal.output(table.text)
    }
  }

  struct ConfirmParameters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "confirm",
      abstract: "Confirm a version for nodes that cannot: those that are served by files.",
      discussion: """
        EXAMPLES
          ceir operator parameters confirm alfa 2
        """)

    @Argument(help: "The operator's code.") var code: KnownCode
    @Argument(help: "The version.") var version: Int
    @OptionGroup var registry: RegistryOptions

    func run() async throws {
      try await registry.withRegistry {
        try await Registrar(store: $0).confirmParameters(
          version, of: code.code, by: Actor.name)
      }
      Terminal.output("\(code.code): version \(version) is confirmed.")
    }
  }
}

/// What of the parameters is to be another.
private struct Wish: Sendable {
  let style: ExchangeParameters.Style?
  let effectiveAfter: UInt64?
  let endpoint: String?
  let changes: Int?
  let seconds: Int?
  let compression: FileCompression?
  let fullSeconds: Int?
  let incrementalSeconds: Int?
  let sightings: ExchangeParameters.Sightings.Amount?
  let oneIn: Int?

  func apply(to parameters: inout ExchangeParameters) {
    parameters.style = style ?? parameters.style
    parameters.effectiveAfter = effectiveAfter ?? parameters.effectiveAfter
    parameters.endpoint = endpoint ?? parameters.endpoint
    parameters.window.changes = changes ?? parameters.window.changes
    parameters.window.seconds = seconds ?? parameters.window.seconds
    if compression != nil || fullSeconds != nil || incrementalSeconds != nil {
      var files = parameters.files ?? .init()
      files.compression = compression ?? files.compression
      files.fullSeconds = fullSeconds ?? files.fullSeconds
      files.incrementalSeconds = incrementalSeconds ?? files.incrementalSeconds
      parameters.files = files
    }
    parameters.sightings.send = sightings ?? parameters.sightings.send
    parameters.sightings.oneIn = oneIn ?? parameters.sightings.oneIn
  }
}

/// A node's name as an argument.
struct KnownNode: ExpressibleByArgument {
  let name: NodeName

  init?(argument: String) {
    guard let name = NodeName(argument) else { return nil }
    self.name = name
  }
}

extension ExchangeParameters.Style: ExpressibleByArgument {}
extension ExchangeParameters.Sightings.Amount: ExpressibleByArgument {}
extension FileCompression: ExpressibleByArgument {}
