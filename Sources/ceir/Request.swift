import ArgumentParser
import CEIRService
import DeviceIdentity
import DeviceLists
import RegistryStore

struct Request: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What operators ask for: look, accept, refuse.",
    discussion: """
      EXAMPLES
        ceir request list --state pending
        ceir request show 7e2a90c4b1f84d06953a2c7e8b1d4f60
        ceir request accept 7e2a90c4b1f84d06953a2c7e8b1d4f60
        ceir request refuse 7e2a90c4b1f84d06953a2c7e8b1d4f60 --reason "no police report"
      """,
    subcommands: [List.self, Show.self, Accept.self, Refuse.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the requests of the operators, the oldest first.",
      discussion: """
        EXAMPLES
          ceir request list --state pending
          ceir request list --operator alfa --limit 1000 --format json
        """)

    @Option(help: "pending, accepted, published or refused.") var state: RecordedRequest.State?
    @Option(name: .customLong("operator"), help: "Of this operator alone.")
    var operatorCode: KnownCode?
    @Option(help: "Those that came after this request.") var after: String?
    @Option(help: "At most so many, up to \(Registrar.mostRequestsShown).") var limit = 100
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func validate() throws {
      guard (1...Registrar.mostRequestsShown).contains(limit) else {
        throw ValidationError("--limit must be from 1 to \(Registrar.mostRequestsShown).")
      }
    }

    func run() async throws {
      let requests = try await registry.withRegistry {
        try await Registrar(store: $0).requests(
          of: operatorCode?.code, state: state, after: after, limit: limit, for: Actor.name)
      }
      if format == .json { return try Terminal.json(requests.map(RequestAnswer.init)) }
      var table = TextTable([
        "REQUEST", "OPERATOR", "KIND", "IMEI", "SUBSCRIBER", "STATE", "RECEIVED", "REASON",
      ])
      for request in requests {
        table.add([
          request.request, request.operatorCode.description, request.kind.rawValue,
          request.imei.dialled, request.subscriber.rawValue, request.state.rawValue,
          request.receivedAt.description, request.reason,
        ])
      }
      Terminal.output(table.text)
      if requests.count == limit, let last = requests.last {
        Terminal.error("ceir: there may be more: --after \(last.request)")
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what is known of a request.",
      discussion: """
        EXAMPLES
          ceir request show 7e2a90c4b1f84d06953a2c7e8b1d4f60
        """)

    @Argument(help: "The name that `ceir request list` shows.") var request: String
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      let found = try await registry.withRegistry {
        try await Registrar(store: $0).request(request, for: Actor.name)
      }
      try RequestText.output(found, format)
    }
  }

  struct Accept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Accept a request: it is carried out at once.",
      discussion: """
        EXAMPLES
          ceir request accept 7e2a90c4b1f84d06953a2c7e8b1d4f60
        """)

    @Argument(help: "The name that `ceir request list` shows.") var request: String
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      let found = try await registry.withRegistry {
        try await Registrar(store: $0).acceptRequest(request, by: Actor.name)
      }
      try RequestText.output(found, format)
    }
  }

  struct Refuse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Refuse a request; the operator reads why.",
      discussion: """
        EXAMPLES
          ceir request refuse 7e2a90c4b1f84d06953a2c7e8b1d4f60 --reason "no police report"
        """)

    @Argument(help: "The name that `ceir request list` shows.") var request: String
    @Option(help: "Why, in a sentence for the operator.", transform: KeptText.read)
    var reason: String
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      let found = try await registry.withRegistry {
        try await Registrar(store: $0).refuseRequest(request, reason: reason, by: Actor.name)
      }
      try RequestText.output(found, format)
    }
  }
}

extension RecordedRequest.State: ExpressibleByArgument {}

/// A request for a person's eyes.
private enum RequestText {
  static func output(_ request: RecordedRequest, _ format: OutputFormat) throws {
    if format == .json { return try Terminal.json(RequestAnswer(request)) }
    var lines = [
      "request     \(request.request)",
      "from        \(request.operatorCode)/\(request.node), received \(request.receivedAt)",
      "asks        to \(request.kind.rawValue) \(request.imei.dialled)",
      "subscriber  \(subscriber(request.subscriber))",
      "reason      \(request.reason)",
      "case        \(request.caseReference.isEmpty ? "–" : request.caseReference)",
      "state       \(state(request))",
    ]
    if let by = request.decidedBy, let at = request.decidedAt {
      lines.append("decided     by \(by) at \(at)")
    }
    if let refusal = request.refusal { lines.append("because     \(refusal)") }
    Terminal.output(lines.joined(separator: "\n"))
  }

  private static func subscriber(_ subscriber: RecordedRequest.Subscriber) -> String {
    switch subscriber {
    case .none: "none named"
    case .own: "one of the operator's own was named"
    case .other: "one of another operator was named"
    }
  }

  private static func state(_ request: RecordedRequest) -> String {
    switch request.state {
    case .published: "published at position \(request.position?.description ?? "–")"
    case .accepted: "accepted; it will be published as soon as a ceir serves"
    case .pending, .refused: request.state.rawValue
    }
  }
}
