import ArgumentParser
import CEIRService
import DeviceLists
import RegistryStore

extension Operator {
  struct Policy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what is agreed with an operator, or agree on something else.",
      discussion: """
        An accepted request is carried out at once, if the subscriber that it names belongs to the \
        operator's own networks; any other is reviewed by a person: see `ceir request list`. What \
        is not given stays as it is.

        EXAMPLES
          ceir operator policy alfa
          ceir operator policy alfa --block-requests accepted --unblock-requests reviewed
          ceir operator policy alfa --mode grey --daily-limit 500
        """)

    @Argument(help: "The operator's code.") var code: KnownCode
    @Option(
      help: "What a device on no list is answered as: unknown, white, grey or black.",
      completion: .list(Operator.modes))
    var mode: String?
    @Option(help: "Requests to block: accepted, reviewed or refused.")
    var blockRequests: OperatorPolicy.Requests?
    @Option(help: "Requests to unblock: accepted, reviewed or refused.")
    var unblockRequests: OperatorPolicy.Requests?
    @Option(help: "Requests that are taken in a day.") var dailyLimit: Int?
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private var changesSomething: Bool {
      mode != nil || blockRequests != nil || unblockRequests != nil || dailyLimit != nil
    }

    func run() async throws {
      let answer = try mode.map { word in
        guard let answer = CheckAnswer(word: word) else {
          throw ValidationError("--mode must be unknown, white, grey or black.")
        }
        return answer
      }
      let policy = try await registry.withRegistry { store in
        var policy = try await store.read { try await $0.policy(of: code.code) }
        policy.mode = answer ?? policy.mode
        policy.blockRequests = blockRequests ?? policy.blockRequests
        policy.unblockRequests = unblockRequests ?? policy.unblockRequests
        policy.dailyLimit = dailyLimit ?? policy.dailyLimit
        if changesSomething {
          try await Registrar(store: store).setPolicy(policy, of: code.code, by: Actor.name)
        }
        return policy
      }
      if format == .json { return try Terminal.json(PolicyAnswer(policy)) }
      Terminal.output(
        """
        mode              \(policy.mode)
        block requests    \(policy.blockRequests.rawValue)
        unblock requests  \(policy.unblockRequests.rawValue)
        daily limit       \(policy.dailyLimit)
        """)
    }
  }
}

extension OperatorPolicy.Requests: ExpressibleByArgument {}
