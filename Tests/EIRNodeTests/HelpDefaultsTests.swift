import EIRNode
import Foundation
import Simulation
import Testing

/// The help of `eir serve` beside `Schema/eir.md`.
struct HelpDefaultsTests {
  private struct Dump: Decodable {
    struct Command: Decodable {
      let commandName: String
      let arguments: [Argument]?
      let subcommands: [Command]?
    }

    struct Argument: Decodable {
      let abstract: String?
      let valueName: String?
    }

    let command: Command
  }

  /// The rows of `Schema/eir.md`, by the flag of the setting.
  private static func defaults() throws -> [String: String] {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Schema/eir.md")
    var defaults: [String: String] = [:]
    for row in try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
    where row.hasPrefix("| `") {
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let (names, values) = (words(cells[0]), words(cells[1]))
      guard names.count == values.count else { continue }
      for (name, value) in zip(names, values) {
        guard let key = SettingKey(rawValue: name) else { continue }
        defaults[String(key.flag.dropFirst(2))] =
          SettingKey(rawValue: value).map(\.flag) ?? value
      }
    }
    return defaults
  }

  private static func words(_ cell: String) -> [String] {
    cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
  }

  @Test func `the help of eir serve has the defaults of the documents`() async throws {
    let dump = try await NodeProcess.eir(["--experimental-dump-help"])
    let commands = try JSONDecoder().decode(Dump.self, from: Data(dump.output.utf8)).command
    let serve = try #require(commands.subcommands?.first { $0.commandName == "serve" })
    var seen = 0
    for (flag, value) in try Self.defaults() where value != "false" {
      let argument = try #require(serve.arguments?.first { $0.valueName == flag }, "\(flag)")
      #expect(argument.abstract?.contains("(default: \(value))") == true, "\(flag)")
      seen += 1
    }
    #expect(seen > 15)
  }
}
