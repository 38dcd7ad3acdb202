import DeviceIdentity
import Foundation
import Simulation
import Testing

/// From an authority's file to the answer of an operator's node, with real processes.
struct DayTests {
  static let stolen = "490154203237518"

  @Test func `a stolen device is black until its release, whether the CEIR lives or not`()
    async throws
  {
    let country = try await Country.start()
    let unknown = try await country.check("?pei=imei-\(Self.stolen)")
    #expect(unknown.status == "404")
    #expect(unknown.body.contains("ERROR_EQUIPMENT_UNKNOWN"))

    let file = "\(country.folder)/stolen.csv"
    try "imei,reporting_date,case_reference\n\(Self.stolen),2026-01-05,A-17\n"
      .write(toFile: file, atomically: true, encoding: .utf8)
    try await country.require("import", "stolen", file, "--source", "police")
    try await untilAnswer(of: Self.stolen, is: "BLACKLISTED", in: country)

    let black = try await country.check("?pei=imei-\(Self.stolen)")
    #expect(black.status == "200")
    #expect(black.body == #"{"status":"BLACKLISTED"}"#)
    // Digit 15 is never looked at, and an IMEISV is the same device.
    for pei in ["imei-490154203237510", "imeisv-4901542032375101", "imeisv-4901542032375199"] {
      #expect(try await country.check("?pei=\(pei)").body == #"{"status":"BLACKLISTED"}"#)
    }
    let missing = try await country.check("")
    #expect(missing.status == "400")
    #expect(missing.body.contains("MANDATORY_QUERY_PARAM_MISSING"))
    #expect(missing.body.contains(#""param":"query pei""#))

    try await country.stopCEIR()
    #expect(
      try await country.check("?pei=imei-\(Self.stolen)").body == #"{"status":"BLACKLISTED"}"#)
    try await country.restartCEIR()
    try await country.require("device", "release", Self.stolen, "--reason", "a wrong report")
    try await eventually("the release at the node") {
      try await country.check("?pei=imei-\(Self.stolen)").status == "404"
    }
    try await country.untilNodeIsLevel()
    try await country.remove()
  }

  @Test func `the registry hears of what the network shows, also of what it missed`() async throws {
    let country = try await Country.start()
    func sightings() async throws -> String? {
      let metrics = try await Program.run(
        "/usr/bin/curl", ["--silent", "--fail", country.ceirURL + "/metrics"],
        in: "\(country.folder)/logs")
      return metrics.output.split(separator: "\n")
        .first { $0.hasPrefix("ceir_exchange_sightings_total ") }?
        .split(separator: " ").last.map(String.init)
    }
    let query = "?pei=imei-\(Self.stolen)&supi=imsi-00101000000000"
    for _ in 0..<2 { _ = try await country.check(query + "1") }
    try await eventually("one sighting") { try await sightings() == "1" }
    func waiting() throws -> [String] {
      try FileManager.default.contentsOfDirectory(
        atPath: "\(country.folder)/\(Country.nodeName)/sightings"
      ).filter { $0.hasSuffix(".ndjson") }
    }
    try await eventually("nothing is left") { try waiting().isEmpty }
    // The metric begins anew with the process.
    try await country.killCEIR()
    _ = try await country.check(query + "2")
    try await eventually("it is on disk") { try !waiting().isEmpty }
    try await country.killEIR()
    try await country.restartCEIR()
    #expect(try await sightings() == "0")
    try await country.startEIR()
    try await eventually("what it missed") { try await sightings() == "1" }
    try await country.remove()
  }

  @Test func `the same file twice is recognised, and a strict one leaves nothing`() async throws {
    let country = try await Country.start()
    let good = "\(country.folder)/good.csv"
    try "imei\n\(Self.stolen)\n".write(toFile: good, atomically: true, encoding: .utf8)
    try await country.require("import", "stolen", good)
    #expect(try await country.require("import", "stolen", good).contains("the same file"))

    let bad = "\(country.folder)/bad.csv"
    try "imei\n356938035643809\n35693803564380\n3.5E+13\n"
      .write(toFile: bad, atomically: true, encoding: .utf8)
    let before = try await country.feed()
    let strict = try await Program.run(
      "ceir",
      ["import", "stolen", bad, "--strict", "--data-directory", "\(country.folder)/ceir"],
      in: "\(country.folder)/logs")
    #expect(strict.status == 1)
    #expect(strict.errors.contains("bad.csv, line 3, column imei"))
    #expect(strict.errors.contains("bad.csv, line 4, column imei"))
    #expect(try await country.feed().position == before.position)
    let lenient = try await country.require("import", "stolen", bad)
    #expect(lenient.contains("3 rows read, 1 kept, 0 repeated, 2 refused"))
    try await country.remove()
  }

  @Test func `every IMEI of a device is blocked together`() async throws {
    let country = try await Country.start()
    let other = "356938035643809"
    try await country.require("device", "link", Self.stolen, other)
    try await country.require(
      "device", "block", Self.stolen, "--case", "7", "--reason", "stolen at the market")
    for imei in [Self.stolen, other] {
      try await untilAnswer(of: imei, is: "BLACKLISTED", in: country)
    }
    try await country.require("device", "unblock", other, "--reason", "found again")
    try await eventually("the end of both blocks") {
      let first = try await country.check("?pei=imei-\(Self.stolen)").status
      return try await country.check("?pei=imei-\(other)").status == "404" && first == "404"
    }
    try await country.remove()
  }

  @Test func `a new epoch finds the same list and goes on`() async throws {
    let country = try await Country.start()
    try await country.require(
      "device", "block", Self.stolen, "--case", "7", "--reason", "stolen at the market")
    try await country.untilNodeIsLevel()
    let before = try await country.nodeStatus()
    try await country.require("epoch", "new", "--reason", "restored from a dump")
    try await country.untilNodeIsLevel()
    let after = try await country.nodeStatus()
    #expect(after.epoch != before.epoch)
    #expect(after.digest == before.digest)
    #expect(
      try await country.check("?pei=imei-\(Self.stolen)").body == #"{"status":"BLACKLISTED"}"#)
    try await country.remove()
  }
}

func untilAnswer(of imei: String, is status: String, in country: Country) async throws {
  try await eventually("the answer \(status) for a device") {
    try await country.check("?pei=imei-\(imei)").body.contains(status)
  }
}
