import DeviceIdentity
import Foundation
import Simulation
import Testing

/// A mass change that two people approve passes the brake of a node; another does not.
struct MassTests {
  private struct Run: Decodable {
    let run: Int
    let fileName: String
  }

  private struct Held: Decodable {
    struct Brake: Decodable { let heldSubjects: Int }
    let brake: Brake
  }

  /// More than the brake lets through in a day.
  private static let devices: UInt64 = 1_500

  @Test func `what two have approved passes the brake, and nothing else does`() async throws {
    let country = try await Country.start()
    try await country.untilNodeIsLevel()
    let approved = try await importDevices("approved", from: 35_000_000_000_000, into: country)
    try await eventually("all of the first are held") {
      try await held(in: country) == Int(Self.devices)
    }
    let other = try await importDevices("other", from: 36_000_000_000_000, into: country)
    try await eventually("all of both are held") {
      try await held(in: country) == 2 * Int(Self.devices)
    }
    for imei in [approved, other] {
      #expect(try await country.check("?pei=imei-\(imei)").status == "404")
    }
    let text = try await country.require("mass", "list", "--format", "json")
    let runs = try JSONDecoder().decode([Run].self, from: Data(text.utf8))
    let run = try #require(runs.first { $0.fileName == "approved.csv" }).run
    for name in ["anna", "bert"] {
      #expect(try await held(in: country) == 2 * Int(Self.devices), "one alone is not enough")
      let token = try await country.require(
        "token", "create", "--name", name, "--role", "approver")
      let file = "\(country.folder)/\(name).token"
      try token.write(toFile: file, atomically: true, encoding: .utf8)
      try await country.require("mass", "approve", String(run), "--token-file", file)
    }
    // The mark goes out with the next checkpoint: a change brings one.
    try await country.require(
      "device", "block", DayTests.stolen, "--case", "1", "--reason", "stolen")
    try await untilAnswer(of: approved, is: "BLACKLISTED", in: country)
    #expect(try await held(in: country) >= Int(Self.devices))
    #expect(try await country.check("?pei=imei-\(other)").status == "404")
    try await country.remove()
  }

  /// Returns one of them.
  private func importDevices(
    _ name: String, from first: UInt64, into country: Country
  ) async throws -> String {
    let imeis = (0..<Self.devices).map { IMEI(unchecked: first + $0 * 977).dialled }
    let file = "\(country.folder)/\(name).csv"
    try ("imei\n" + imeis.joined(separator: "\n") + "\n")
      .write(toFile: file, atomically: true, encoding: .utf8)
    try await country.require("import", "stolen", file, "--source", "police")
    return imeis[7]
  }

  private func held(in country: Country) async throws -> Int {
    try JSONDecoder().decode(Held.self, from: try await country.nodeStatusText()).brake
      .heldSubjects
  }
}
