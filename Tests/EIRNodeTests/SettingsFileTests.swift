import EIRNode
import Foundation
import Simulation
import Testing

/// What is wrong in a configuration file is said with its place.
struct SettingsFileTests {
  @Test(arguments: [
    ("{\n  \"directory\": \"/x\"\n  \"registry\": \"demo\"\n}", 3, 3, "no end of the object"),
    ("{\n  \"ünser\": \"é\", \"shadow\": yes\n}", 2, 27, "no JSON value"),
    ("{\"directory\" \"/x\"}", 1, 14, "no colon"),
    ("{\n  \"directory\": ,\n}\n", 2, 16, "no JSON value"),
    ("", 1, 1, "the text ends"),
    ("{\"directory\": \"/x\"} more", 1, 21, "something follows the value"),
  ])
  func `a file that is no JSON is refused with line and column`(
    text: String, line: Int, column: Int, what: String
  ) async throws {
    let scratch = try Scratch()
    let file = scratch.path + "/eir.json"
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    let answer = try await NodeProcess.eir(["status", "--config", file])
    #expect(answer.status == 2)
    #expect(
      answer.errors == "eir: the configuration file \(file):\(line):\(column) is no JSON: "
        + "line \(line), column \(column): \(what)\n")
  }

  @Test func `a file that cannot be read says why`() async throws {
    let scratch = try Scratch()
    let file = scratch.path + "/eir.json"
    var answer = try await NodeProcess.eir(["status", "--config", file])
    #expect(answer.status == 2)
    #expect(
      answer.errors
        == "eir: the configuration file \(file) cannot be read: there is no such file\n")
    try "[1]".write(toFile: file, atomically: true, encoding: .utf8)
    answer = try await NodeProcess.eir(["status", "--config", file])
    #expect(answer.status == 2)
    #expect(
      answer.errors
        == "eir: the configuration file \(file) must hold one JSON object, in braces\n")
  }

  @Test(arguments: [
    (SettingKey.gsupHLR, "127.0.0.1:4222", "gsup.listen"),
    (.s13TLSCertificate, "/x", ""),
    (.s13Peers, "any", "s13.listen or s13.tls.listen or s13.sctp.listen"),
    (.eventsFirst, "true", "events.url"),
    (.filesDone, "keep", "files.directory"),
    (.shadow, "true", ""),
  ])
  func `a setting without the one that it needs is told`(
    key: SettingKey, value: String, needed: String
  ) async throws {
    var flags: [SettingKey: String] = [
      .directory: "/x", .registry: "demo", .operator: "alpha", key: value,
    ]
    if key == .s13TLSCertificate {
      flags[.s13TLSKey] = "/y"
      let settings = try await NodeSettings.read(.init(flags: flags), for: .inspect)
      #expect(
        settings.warnings == [
          "s13.tls.certificate has no effect: it needs s13.tls.listen, which is not set",
          "s13.tls.key has no effect: it needs s13.tls.listen, which is not set",
        ])
      return
    }
    let settings = try await NodeSettings.read(.init(flags: flags), for: .inspect)
    let sentence = "\(key.rawValue) has no effect: it needs \(needed), which is not set"
    #expect(settings.warnings == (needed.isEmpty ? [] : [sentence]))
  }
}
