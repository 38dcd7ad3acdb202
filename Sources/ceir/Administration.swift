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
      """,
    subcommands: [Add.self, List.self])

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

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the operators, and where their nodes stand.")

    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Row: Encodable {
      struct Node: Encodable {
        let name: String
        let epoch: String?
        let position: UInt64?
        let seenAt: String?
      }

      /// Where the operator's feed stands at the registry: its nodes must come to the same.
      struct Feed: Encodable {
        let epoch: String
        let position: UInt64
        let digest: String
      }

      let code: String
      let name: String
      let networks: [String]
      let mode: String
      let feed: Feed
      let nodes: [Node]
    }

    func run() async throws {
      let (records, feeds) = try await registry.withRegistry { store in
        try await store.read { registry in
          (try await registry.operatorRecords(), try await registry.feedHeads())
        }
      }
      if format == .json {
        return try Terminal.json(records.map { row($0, feeds.head(of: $0.code)) })
      }
      var table = TextTable(["OPERATOR", "NAME", "NETWORKS", "MODE", "NODE", "POSITION", "SEEN"])
      for record in records {
        let operatorColumns = [
          record.code.description, record.name, record.networks.joined(separator: " "),
          record.policy.mode.description,
        ]
        if record.nodes.isEmpty { table.add(operatorColumns + ["–", "–", "–"]) }
        for node in record.nodes {
          table.add(
            operatorColumns + [
              node.name, node.position?.description ?? "–", node.seenAt?.description ?? "never",
            ])
        }
      }
      Terminal.output(table.text)
    }

    private func row(_ record: OperatorRecord, _ head: ListHead) -> Row {
      Row(
        code: record.code.description, name: record.name, networks: record.networks,
        mode: record.policy.mode.description,
        feed: Row.Feed(
          epoch: head.epoch.description, position: head.position.number,
          digest: head.digest.description),
        nodes: record.nodes.map {
          Row.Node(
            name: $0.name, epoch: $0.epoch, position: $0.position?.number,
            seenAt: $0.seenAt?.description)
        })
    }
  }
}

struct Token: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tokens of the staff and of the operators' nodes.",
    discussion: """
      EXAMPLES
        ceir token create --name anna --role officer --days 365
        ceir token create --node eir-1 --operator alfa
        ceir token revoke alfa/eir-1
      """,
    subcommands: [Create.self, List.self, Revoke.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a token. It is shown once and kept nowhere.")

    @Option(help: "The person's name.") var name: String?
    @Option(help: "viewer, officer, approver, auditor or administrator.") var role: String?
    @Option(help: "Days until it expires; never without it.") var days: Int?
    @Option(help: "The name of an EIR node, instead of a person.") var node: String?
    @Option(name: .customLong("operator"), help: "The operator of the node.")
    var operatorCode: String?
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Answer: Encodable {
      let name: String
      let token: String
    }

    func validate() throws {
      let isNode = node != nil && operatorCode != nil && name == nil && role == nil && days == nil
      let isPerson = node == nil && operatorCode == nil && name != nil && role != nil
      guard isNode || isPerson else {
        throw ValidationError("Give --name and --role for a person, or --node and --operator.")
      }
      if let role, StaffRole(rawValue: role) == nil {
        throw ValidationError(
          "--role must be one of "
            + "\(StaffRole.allCases.map(\.rawValue).joined(separator: ", ")).")
      }
      if let days, !(1...3650).contains(days) {
        throw ValidationError("--days must be from 1 to 3650.")
      }
    }

    func run() async throws {
      var generator = SystemRandomNumberGenerator()
      let secret = Secret(using: &generator)
      let fullName = [operatorCode, node ?? name].compactMap { $0 }.joined(separator: "/")
      try await registry.withRegistry { store in
        try await store.write { registry in
          if let node, let operatorCode {
            guard let code = OperatorCode(operatorCode) else {
              throw ValidationError("--operator is not the code of an operator.")
            }
            try await registry.addNode(named: node, of: code, hash: secret.hash)
          } else if let name, let role = role.flatMap(StaffRole.init) {
            try await registry.addToken(
              named: name, role: role, hash: secret.hash,
              expiresAt: days.map { Instant.now.adding(seconds: Int64($0) * 86_400) })
          }
          try await registry.recordActivity(
            "token.create", by: Actor.name, about: ["name": fullName, "role": role ?? "node"])
        }
      }
      if format == .json { return try Terminal.json(Answer(name: fullName, token: secret.text)) }
      Terminal.output(secret.text)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the tokens; what they are is not kept.")

    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Row: Encodable {
      let name: String
      let role: String
      let createdAt: String
      let expiresAt: String?
      let revokedAt: String?
    }

    func run() async throws {
      let rows = try await registry.withRegistry { store in
        try await store.read { try await $0.tokens() }
      }.map {
        Row(
          name: $0.name, role: $0.role, createdAt: $0.createdAt.description,
          expiresAt: $0.expiresAt?.description, revokedAt: $0.revokedAt?.description)
      }
      if format == .json { return try Terminal.json(rows) }
      var table = TextTable(["NAME", "ROLE", "CREATED", "EXPIRES", "REVOKED"])
      for row in rows {
        table.add([row.name, row.role, row.createdAt, row.expiresAt ?? "–", row.revokedAt ?? "–"])
      }
      Terminal.output(table.text)
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke a token: a person's name, or OPERATOR/NODE.")

    @Argument(help: "The name that `ceir token list` shows.") var name: String
    @OptionGroup var registry: RegistryOptions

    func run() async throws {
      try await registry.withRegistry { store in
        try await store.write { registry in
          try await registry.revokeToken(named: name)
          try await registry.recordActivity(
            "token.revoke", by: Actor.name, about: ["name": name])
        }
      }
      Terminal.output("\(name): revoked.")
    }
  }
}

struct EpochCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "epoch", abstract: "The history that positions belong to.",
    subcommands: [New.self])

  struct New: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Begin a new epoch after a restore that ceir cannot notice by itself.",
      discussion: """
        Run it after the database was restored from a dump or a file system snapshot. Every node
        then compares its digest and takes a snapshot where it differs.

        EXAMPLE
          ceir epoch new --reason "restored from the dump of 22 November"
        """)

    @Option(help: "Why, in a sentence.") var reason: String
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Answer: Encodable { let epoch: String }

    func run() async throws {
      var generator = SystemRandomNumberGenerator()
      let epoch = Epoch(using: &generator)
      try await registry.beginEpoch(epoch, reason: reason)
      if format == .json { return try Terminal.json(Answer(epoch: epoch.description)) }
      Terminal.output("Epoch \(epoch) has begun.")
    }
  }
}
