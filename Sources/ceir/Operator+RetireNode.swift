import ArgumentParser
import CEIRService
import DeviceLists
import RegistryStore

extension Operator {
  struct RetireNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "retire-node",
      abstract: "End a node for good: its certificates, its queries and what is sent to it.",
      discussion: """
        What it has open is closed. What it has done stays on record, and ceir operator list --all \
        still shows it. Another node may get its name: by ceir pki issue.

        EXAMPLES
          ceir operator retire-node alfa eir-1 --reason "replaced by eir-2"
        """)

    @Argument(help: "The operator's code.") var code: KnownCode
    @Argument(help: "The node's name.") var node: KnownNode
    @Option(help: "Why, for the activity trail.") var reason: String
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Answer: Encodable {
      let node: String
      let wasRetired: Bool
      let revoked: [String]
    }

    func run() async throws {
      let revoked = try await registry.withRegistry {
        try await Registrar(store: $0).retireNode(
          node.name, of: code.code, reason: reason, by: Actor.name)
      }
      let whom = "\(code.code)/\(node.name)"
      if format == .json {
        return try Terminal.json(
          Answer(node: whom, wasRetired: revoked == nil, revoked: revoked ?? []))
      }
      Terminal.output(
        revoked.map { "\(whom): retired; certificates revoked: \($0.count)." }
          ?? "\(whom): had retired already.")
    }
  }
}
