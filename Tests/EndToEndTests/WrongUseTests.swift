import Foundation
import Simulation
import Testing

/// One sentence, an exit status, and no stack trace.
struct WrongUseTests {
  @Test(arguments: [
    (["serve", "--no-such-option"], 2, "Unknown option '--no-such-option'"),
    (["device", "show", "490154203237517"], 2, "has the check digit 7 where 8 is right"),
    (["device", "show", "49015420323751"], 2, "has 14 digits instead of 15"),
    (["device", "show", "3.5E+13"], 2, "scientific notation"),
    (["operator", "add", "Alfa!", "--name", "x"], 2, "An operator's code has 1 to 16"),
    (["token", "create", "--name", "x", "--role", "boss"], 2, "--role must be one of"),
    (["serve", "--data-directory", "relative"], 2, "must be an absolute path"),
    (["serve", "--http-port", "seventy"], 2, "http.port must be a number from 0 to 65535"),
    (["serve", "--http-host", "0.0.0.0"], 2, "http.host must be a loopback address"),
    (["serve", "--config", "/nonexistent.json"], 2, "cannot be read as JSON"),
    (
      ["migrate", "--database-url", "host=127.0.0.1 port=1 dbname=x"], 1,
      "database"
    ),
    (["import", "tac", "/nonexistent.csv", "--data-directory", "DIR"], 1, "cannot be read"),
    (
      ["device", "show", "490154203237518", "--data-directory", "/nonexistent"], 2, "no registry in"
    ),
    (
      ["device", "unblock", "490154203237518", "--reason", "a\u{1B}[31m"], 2,
      "without control or format characters"
    ),
    (
      ["device", "unblock", "490154203237518", "--reason", "a\u{202E}b"], 2,
      "without control or format characters"
    ),
    // Persian is written with a joiner between letters.
    (
      [
        "device", "unblock", "490154203237518", "--reason", "می\u{200C}خواهم",
        "--data-directory", "/nonexistent",
      ], 2, "no registry in"
    ),
    (
      ["migrate", "--data-directory", "DIR", "--registry-name", "YY"], 2,
      "the database holds the registry XA"
    ),
  ])
  func `it is told what is wrong`(arguments: [String], status: Int32, words: String) async throws {
    let folder = try temporaryDirectory("ceir-wrong")
    if arguments.contains("DIR") {
      let made = try await Program.run(
        "ceir", ["migrate", "--data-directory", "\(folder)/data"], in: folder)
      #expect(made.status == 0, "\(made.errors)")
    }
    let result = try await Program.run(
      "ceir", arguments.map { $0 == "DIR" ? "\(folder)/data" : $0 }, in: folder)
    #expect(result.status == status, "\(result.errors)")
    #expect(result.errors.contains(words), "\(result.errors)")
    #expect(!result.errors.contains("Fatal error"))
    #expect(!result.errors.contains("/Sources/"))
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func `a settings file that is no JSON is told with line and column`() async throws {
    let folder = try temporaryDirectory("ceir-json")
    let file = folder + "/ceir.json"
    try "{\n  \"http.port\": 8080\n  \"registry.name\": \"XA\"\n}".write(
      toFile: file, atomically: true, encoding: .utf8)
    let result = try await Program.run("ceir", ["operator", "list", "--config", file], in: folder)
    #expect(result.status == 2)
    let sentence = "\(file):3:3 is no JSON: line 3, column 3: no end of the object."
    #expect(result.errors.contains(sentence), "\(result.errors)")
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test(arguments: ["ceir", "eir"])
  func `help has examples and the shell can complete`(command: String) async throws {
    let folder = try temporaryDirectory("ceir-help")
    let help = try await Program.run(command, ["--help"], in: folder)
    #expect(help.status == 0)
    #expect(help.output.contains("EXAMPLE"))
    let script = try await Program.run(
      command, ["--generate-completion-script", "bash"], in: folder)
    #expect(script.status == 0)
    #expect(script.output.contains("complete"))
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func `a second CEIR on one directory is refused`() async throws {
    let country = try await Country.start()
    let second = try await Program.run(
      "ceir", ["serve", "--data-directory", "\(country.folder)/ceir", "--http-port", "0"],
      in: "\(country.folder)/logs")
    #expect(second.status == 2)
    #expect(second.errors.contains("Another ceir serves from"))
    try await country.remove()
  }
}
