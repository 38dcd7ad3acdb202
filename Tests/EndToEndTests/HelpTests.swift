import Foundation
import Simulation
import Testing

/// What both programs say of themselves.
struct HelpTests {
  private struct Dump: Decodable { let command: Command }

  private struct Command: Decodable {
    let commandName: String
    let discussion: String?
    let arguments: [Argument]?
    let subcommands: [Command]?
  }

  private struct Argument: Decodable {
    struct Completion: Decodable {
      struct List: Decodable { let values: [String] }
      let list: List?
    }

    let abstract: String?
    let valueName: String?
    let completionKind: Completion?
  }

  /// Every command but `help`, with the words that name it.
  private static func commands(of program: String) async throws -> [(name: String, Command)] {
    let dump = try await Program.run(program, ["--experimental-dump-help"])
    func all(_ command: Command, _ path: String) -> [(String, Command)] {
      guard command.commandName != "help" else { return [] }
      let name = path.isEmpty ? command.commandName : "\(path) \(command.commandName)"
      return [(name, command)] + (command.subcommands ?? []).flatMap { all($0, name) }
    }
    return all(try JSONDecoder().decode(Dump.self, from: Data(dump.output.utf8)).command, "")
  }

  @Test(arguments: ["ceir", "eir"])
  func `every command shows examples`(program: String) async throws {
    let commands = try await Self.commands(of: program)
    #expect(commands.count > 15)
    for (name, command) in commands {
      #expect(command.discussion?.contains("EXAMPLE") == true, "\(name)")
    }
  }

  @Test(arguments: ["ceir", "eir"])
  func `a shell knows the words of every option that has few`(program: String) async throws {
    let options: Set = [
      "format", "mode", "override", "policy-failure", "policy-unusable", "policy-no-imei",
      "policy-no-subscriber", "policy-special", "gsup-unknown", "files-done", "role", "log-level",
      "style", "compression", "sightings", "block-requests", "unblock-requests", "state",
    ]
    var seen: Set<String> = []
    for (name, command) in try await Self.commands(of: program) {
      for argument in command.arguments ?? [] {
        guard let option = argument.valueName, options.contains(option) else { continue }
        seen.insert(option)
        let values = argument.completionKind?.list?.values ?? []
        #expect(values.count > 1, "\(name) --\(option)")
      }
    }
    #expect(seen.count >= 9, "\(seen)")
  }
}
