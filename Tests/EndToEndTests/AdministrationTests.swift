import Foundation
import Simulation
import Testing

/// Commands that meet each other, and files that meet themselves.
struct AdministrationTests {
  @Test func `several that make one registry at once all succeed`() async throws {
    let folder = try temporaryDirectory("ceir-several")
    let results = try await withThrowingTaskGroup(of: Program.Result.self) { group in
      for _ in 0..<3 {
        group.addTask {
          try await Program.run(
            "ceir", ["migrate", "--data-directory", "\(folder)/ceir"], in: folder)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    for result in results { #expect(result.status == 0, "\(result.errors)") }
    #expect(results.count { $0.output.contains("applied schema version") } == 1)
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func `a refusal file that is the input is refused and leaves it alone`() async throws {
    let folder = try temporaryDirectory("ceir-refusals")
    let file = "\(folder)/stolen.csv"
    try "imei\n490154203237518\n".write(toFile: file, atomically: true, encoding: .utf8)
    let other = "\(folder)/other.csv"
    try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: file)
    for name in [file, other] {
      let result = try await Program.run(
        "ceir",
        ["import", "stolen", file, "--refusals", name, "--data-directory", "\(folder)/ceir"],
        in: folder)
      #expect(result.status == 2)
      #expect(result.errors.contains("names the file that is taken in"), "\(result.errors)")
    }
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "imei\n490154203237518\n")
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func `a revoked node learns nothing more, even where it is waiting`() async throws {
    let country = try await Country.start()
    try await country.untilNodeIsLevel()
    try await country.require(
      "pki", "revoke", "--operator", Country.operatorCode, "--node", Country.nodeName,
      "--reason", "the machine was sold")
    try await country.require(
      "device", "block", DayTests.stolen, "--case", "1", "--reason", "stolen")
    try await eventually("the refusal of the node") {
      try country.eir.errors.contains("not following the registry")
    }
    #expect(try await country.check("?pei=imei-\(DayTests.stolen)").status == "404")
    try await country.remove()
  }

  @Test func `a block that begins later is not called published`() async throws {
    let country = try await Country.start()
    let result = try await Program.run(
      "/usr/bin/curl",
      [
        "--silent", "--write-out", "\n%{http_code}", "--header",
        "Authorization: Bearer \(try country.administratorToken)", "--data",
        #"{"caseReference":"1","reason":"x","start":"2099-01-01T00:00:00Z"}"#,
        "\(country.ceirURL)/v1/devices/\(DayTests.stolen)/block",
      ], in: "\(country.folder)/logs")
    #expect(result.output.hasSuffix("\n202"), "\(result.output)")
    #expect(result.output.contains(#""status":"recorded""#))
    try await country.remove()
  }
}
