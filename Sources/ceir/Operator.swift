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

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Add an operator.")

    @Argument(help: "1 to 16 of a-z, 0-9 and -.") var code: String
    @Option(help: "The operator's name.") var name: String
    @Option(help: "MCC and MNC of a network; may be repeated.") var network: [String] = []
    @Option(help: "What a device on no list is answered as: unknown, white, grey or black.")
    var mode = "unknown"
    @OptionGroup var registry: RegistryOptions

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
