import ArgumentParser
import CEIRService
import DeviceLists
import Foundation
import RegistryStore

struct Mass: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Mass changes of the lists, and the two who approve them.",
    discussion: """
      A node's brake holds back a change that makes very many devices black. A change that two \
      people of role approver have approved carries a signed mark and passes.

      EXAMPLES
        ceir mass list
        ceir mass approve 17 --token-file anna.token
        ceir mass approve 17 --token-file bert.token
      """,
    subcommands: [List.self, Approve.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the newest imports with what they have made black.",
      discussion: """
        EXAMPLES
          ceir mass list
          ceir mass list --format json
        """)

    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      let runs = try await registry.withRegistry(longWork: true) { store in
        try await store.read { try await $0.massRuns() }
      }
      if format == .json { return try Terminal.json(runs.map(MassAnswer.init)) }
      var table = TextTable([
        "RUN", "FILE", "SOURCE", "IMPORTED", "BLACKS", "POSITIONS", "STATE", "APPROVED BY",
      ])
      for run in runs {
        table.add([
          run.run.description, run.fileName, run.source, run.importedAt.description,
          run.blacks.description, run.blacks > 0 ? "\(run.after)–\(run.upTo)" : "–",
          Mass.state(run), run.approvals.isEmpty ? "–" : run.approvals.joined(separator: ", "),
        ])
      }
      Terminal.output(table.text)
    }
  }

  struct Approve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Approve a mass change with a token of role approver; a second person must too.",
      discussion: """
        EXAMPLE
          ceir mass approve 17 --token-file anna.token
        """)

    @Argument(help: "The number that `ceir mass list` shows.") var run: Int64
    @Option(help: "A file with the token of who approves.", completion: .file())
    var tokenFile: String
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func run() async throws {
      let token = try Self.token(in: tokenFile)
      let approved = try await registry.withRegistry(longWork: true) {
        try await Registrar(store: $0).approve(run: run, with: token)
      }
      if format == .json { return try Terminal.json(MassAnswer(approved)) }
      let by = approved.approvals.joined(separator: " and ")
      Terminal.output(
        approved.isMarked
          ? "Run \(run): approved by \(by); its mark goes out with the next checkpoint."
          : "Run \(run): approved by \(by); a second person of role approver is needed.")
    }

    private static func token(in path: String) throws -> Secret {
      guard let data = FileManager.default.contents(atPath: path) else {
        throw ValidationError("The token file \(path) cannot be read.")
      }
      let text = String(decoding: data.prefix(2 * Secret.longestText), as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      guard text.hasPrefix(Secret.prefix), text.utf8.count <= Secret.longestText else {
        throw ValidationError(
          "The file \(path) holds no token: it begins with \(Secret.prefix).")
      }
      return Secret(text)
    }
  }

  private static func state(_ run: MassRun) -> String {
    if run.isMarked { return "approved" }
    if !run.isPublished { return "being published" }
    return run.blacks > 0 ? "not approved" : "nothing to approve"
  }
}
