import ArgumentParser
import CEIRService
import DeviceIdentity
import DeviceLists
import RegistryStore

struct Token: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tokens of the staff. Nodes have certificates: see `ceir pki`.",
    discussion: """
      EXAMPLES
        ceir token create --name anna --role officer --days 365
        ceir token revoke anna
      """,
    subcommands: [Create.self, List.self, Revoke.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a token. It is shown once and kept nowhere.",
      discussion: """
        EXAMPLES
          ceir token create --name anna --role officer --days 365
        """)

    @Option(help: "The person's name.") var name: String
    @Option(
      help: "viewer, officer, approver, auditor or administrator.",
      completion: .list(StaffRole.allCases.map(\.rawValue)))
    var role: String
    @Option(help: "Days until it expires; never without it.") var days: Int?
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Answer: Encodable {
      let name: String
      let token: String
    }

    func validate() throws {
      _ = try staffRole()
      if let days, !(1...3650).contains(days) {
        throw ValidationError("--days must be from 1 to 3650.")
      }
    }

    private func staffRole() throws -> StaffRole {
      guard let role = StaffRole(rawValue: role) else {
        throw ValidationError(
          "--role must be one of "
            + "\(StaffRole.allCases.map(\.rawValue).joined(separator: ", ")).")
      }
      return role
    }

    func run() async throws {
      let role = try staffRole()
      var generator = SystemRandomNumberGenerator()
      let secret = Secret(using: &generator)
      try await registry.withRegistry { store in
        try await store.write { registry in
          try await registry.addToken(
            named: name, role: role, hash: secret.hash,
            expiresAt: days.map { Instant.now.adding(seconds: Int64($0) * 86_400) })
          try await registry.recordActivity(
            "token.create", by: Actor.name, about: ["name": name, "role": role.rawValue])
        }
      }
      if format == .json { return try Terminal.json(Answer(name: name, token: secret.text)) }
      Terminal.output(secret.text)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the tokens; what they are is not kept.",
      discussion: """
        EXAMPLES
          ceir token list
        """)

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
      abstract: "Revoke a person's token.",
      discussion: """
        EXAMPLES
          ceir token revoke anna
        """)

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
    discussion: """
      EXAMPLES
        ceir epoch new --reason "restored from the dump of 22 November"
      """,
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
