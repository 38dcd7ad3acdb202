import ArgumentParser
import CEIRService
import DeviceIdentity
import DeviceLists
import DeviceRules
import Foundation
import NightlyJobs
import RegistryStore

struct ConditionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "condition", abstract: "The rules by which devices are found.",
    discussion: """
      A condition is a JSON document: Schema/rules.md. Every version is kept. A new one counts \
      from the next run on; `ceir job run classify --dry-run` shows what it would find.

      EXAMPLES
        ceir condition set duplicates.json --because "decision 12/2026"
        ceir condition list
        ceir condition show duplicates
        ceir condition remove duplicates --because "replaced by duplicates-daily"
        ceir condition settings set country.json --because "first settings"
      """,
    subcommands: [
      Set.self, List.self, Show.self, Found.self, Remove.self, Settings.self,
    ])

  /// What a document may have.
  static let longestDocumentBytes = 65_536

  static func document(_ path: String) throws -> Data {
    guard let file = FileHandle(forReadingAtPath: path),
      let data = try file.read(upToCount: longestDocumentBytes + 1)
    else { throw ValidationError("The file \(path) cannot be read, or is empty.") }
    guard data.count <= longestDocumentBytes else {
      throw ValidationError(
        "The file \(path) has more than \(longestDocumentBytes) bytes: it is no such document.")
    }
    return data
  }

  struct Set: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a condition, or a new version of it.",
      discussion: """
        EXAMPLES
          ceir condition set duplicates.json --because "decision 12/2026"
        """)

    @Argument(help: "The document.", completion: .file(extensions: ["json"])) var path: String
    @Option(help: "Why; the registry keeps it.", transform: KeptText.read) var because: String
    @OptionGroup var registry: RegistryOptions

    func run() async throws {
      let condition = try RuleLoading.condition(ConditionCommand.document(path))
      let document = try RuleLoading.canonical(condition)
      let version = try await registry.withRegistry { store in
        // The whole set must be one that can be applied.
        let today = try await store.read { try await $0.today() }
        _ = try await RuleLoading(store: store).rules(asOf: today, instead: condition)
        return try await store.write { registry in
          let version = try await registry.setCondition(
            condition.label, document: document, reason: because, by: Actor.name)
          try await registry.recordActivity(
            "condition.set", by: Actor.name,
            about: ["condition": condition.label, "version": String(version), "reason": because])
          return version
        }
      }
      Terminal.output("\(condition.label): version \(version) counts from the next run on.")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The conditions that are applied.",
      discussion: """
        EXAMPLES
          ceir condition list --format json
        """)

    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    fileprivate struct Line: Encodable {
      let label: String
      let version: Int
      let since: String
      let setBy: String
      let reason: String
    }

    func run() async throws {
      let conditions = try await registry.withRegistry { store in
        try await store.read { try await $0.conditions() }
      }
      let lines = conditions.map {
        Line(
          label: $0.label, version: $0.version, since: $0.since.description, setBy: $0.setBy,
          reason: $0.reason)
      }
      if format == .json { return try Terminal.json(lines) }
      var table = TextTable(["condition", "version", "since", "by", "because"])
      for line in lines {
        table.add([line.label, String(line.version), line.since, line.setBy, line.reason])
      }
      Terminal.output(table.text)
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The document of a condition, as it is stored.",
      discussion: """
        EXAMPLES
          ceir condition show duplicates
        """)

    @Argument(help: "The condition.") var label: String
    @OptionGroup var registry: RegistryOptions

    func run() async throws {
      let versions = try await registry.withRegistry { store in
        try await store.read { try await $0.versions(ofCondition: label) }
      }
      guard let newest = versions.first else {
        throw ValidationError("There is no condition \(label): see `ceir condition list`.")
      }
      guard let document = newest.document else {
        throw ValidationError(
          "The condition \(label) was removed at \(newest.since) by \(newest.setBy): "
            + "\(newest.reason)")
      }
      Terminal.output(document)
    }
  }

  struct Found: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The devices for which a condition holds, as CSV: device, since, block_on.",
      discussion: """
        A device is named by its IMEI with the check digit, or by what came in its place.

        EXAMPLES
          ceir condition found duplicates > duplicates.csv
        """)

    @Argument(help: "The condition.") var label: String
    @OptionGroup var registry: RegistryOptions

    func run() async throws {
      try await registry.withRegistry(longWork: true) { store in
        let versions = try await store.read { try await $0.versions(ofCondition: label) }
        guard !versions.isEmpty else {
          throw ValidationError("There is no condition \(label): see `ceir condition list`.")
        }
        Terminal.output("device,since,block_on")
        try await store.read { registry in
          try await registry.readFound(by: label) { found in
            let lines = found.map { device in
              let name = device.imei?.dialled ?? Self.quoted(device.identity)
              return "\(name),\(device.since),\(device.blockOn?.description ?? "")"
            }
            Terminal.output(lines.joined(separator: "\n"))
          }
        }
      }
    }

    /// RFC 4180; and a spreadsheet must not take it for a formula.
    private static func quoted(_ text: String) -> String {
      let isFormula = text.first.map { "=+-@\t\r".contains($0) } ?? false
      return "\"\((isFormula ? "'" : "") + text.replacing("\"", with: "\"\""))\""
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Apply a condition no longer; the next run ends what it found.",
      discussion: """
        EXAMPLES
          ceir condition remove duplicates --because "replaced by duplicates-daily"
        """)

    @Argument(help: "The condition.") var label: String
    @Option(help: "Why; the registry keeps it.", transform: KeptText.read) var because: String
    @OptionGroup var registry: RegistryOptions

    func run() async throws {
      try await registry.withRegistry { store in
        _ = try await store.write { registry in
          let version = try await registry.setCondition(
            label, document: nil, reason: because, by: Actor.name)
          try await registry.recordActivity(
            "condition.remove", by: Actor.name,
            about: ["condition": label, "version": String(version), "reason": because])
        }
      }
      Terminal.output("\(label): no longer applied; the next run ends what it found.")
    }
  }

  struct Settings: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What the conditions of this country have in common.",
      discussion: """
        EXAMPLES
          ceir condition settings show
          ceir condition settings set country.json --because "an amnesty until July"
        """,
      subcommands: [SetSettings.self, ShowSettings.self])
  }

  struct SetSettings: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set", abstract: "A new version of the settings.",
      discussion: """
        EXAMPLES
          ceir condition settings set country.json --because "an amnesty until July"
        """)

    @Argument(help: "The document.", completion: .file(extensions: ["json"])) var path: String
    @Option(help: "Why; the registry keeps it.", transform: KeptText.read) var because: String
    @OptionGroup var registry: RegistryOptions

    func run() async throws {
      let document = try RuleLoading.canonical(
        RuleLoading.settings(ConditionCommand.document(path)))
      let version = try await registry.withRegistry { store in
        try await store.write { registry in
          let version = try await registry.setRuleSettings(
            document, reason: because, by: Actor.name)
          try await registry.recordActivity(
            "condition.settings", by: Actor.name,
            about: ["version": String(version), "reason": because])
          return version
        }
      }
      Terminal.output("settings: version \(version) counts from the next run on.")
    }
  }

  struct ShowSettings: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "The settings in force, every field written.",
      discussion: """
        EXAMPLES
          ceir condition settings show
        """)

    @OptionGroup var registry: RegistryOptions

    func run() async throws {
      let settings = try await registry.withRegistry { store in
        let today = try await store.read { try await $0.today() }
        return try await RuleLoading(store: store).rules(asOf: today).settings
      }
      Terminal.output(try RuleLoading.canonical(settings))
    }
  }
}
