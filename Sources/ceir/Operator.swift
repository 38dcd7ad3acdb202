import ArgumentParser
import CEIRService
import DeviceIdentity
import DeviceLists
import RegistryStore

struct Operator: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The mobile operators of this registry.",
    discussion: """
      EXAMPLES
        ceir operator add alfa --name "Alfa Mobile" --network 00101
        ceir operator list --format json
        ceir operator policy alfa --block-requests accepted --daily-limit 500
        ceir operator retire-node alfa eir-1 --reason "replaced by eir-2"
      """,
    subcommands: [Add.self, List.self, Policy.self, Parameters.self, RetireNode.self])

  /// What a shell offers.
  static let modes = ["unknown", "white", "grey", "black"]

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add an operator.",
      discussion: """
        EXAMPLES
          ceir operator add alfa --name "Alfa Mobile" --network 00101
          ceir operator add beta --name "Beta Net" --network 00102 --network 00103 --mode grey
        """)

    @Argument(help: "1 to 16 of a-z, 0-9 and -.") var code: String
    @Option(help: "The operator's name.") var name: String
    @Option(help: "MCC and MNC of a network; may be repeated.") var network: [String] = []
    @Option(
      help: "What a device on no list is answered as: unknown, white, grey or black.",
      completion: .list(Operator.modes))
    var mode = "unknown"
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Answer: Encodable {
      let code: String
      let name: String
      let networks: [String]
      let mode: String
    }

    func run() async throws {
      guard let code = OperatorCode(code) else {
        throw ValidationError(
          "An operator's code has 1 to \(OperatorCode.longestText) of a-z, 0-9 and -, and is not "
            + "\"all\".")
      }
      guard let mode = CheckAnswer(word: mode) else {
        throw ValidationError("--mode must be unknown, white, grey or black.")
      }
      let networks = try network.map { text in
        do throws(IdentityError) {
          return try PLMN(text)
        } catch {
          throw ValidationError("The network \(text) \(error.description).")
        }
      }
      try await registry.withRegistry { store in
        try await store.write { registry in
          try await registry.addOperator(
            code, name: name, networks: networks, mode: mode, by: Actor.name)
          try await registry.recordActivity(
            "operator.add", by: Actor.name, about: ["code": code.description])
        }
      }
      if format == .json {
        return try Terminal.json(
          Answer(
            code: code.description, name: name, networks: networks.map(\.description),
            mode: mode.description))
      }
      Terminal.output("\(code): added.")
    }
  }
}

/// An operator's code as an argument.
struct KnownCode: ExpressibleByArgument {
  let code: OperatorCode

  init?(argument: String) {
    guard let code = OperatorCode(argument) else { return nil }
    self.code = code
  }
}
