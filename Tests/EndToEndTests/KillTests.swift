import DeviceIdentity
import Foundation
import Simulation
import Synchronization
import Testing

/// kill -9 in the middle of writes: nothing that was acknowledged is lost.
struct KillTests {
  enum Victim: String, CaseIterable { case ceir, eir, postgresql }

  /// Acknowledged blocks before the blow, and those that must follow it.
  static let before = 15
  static let after = 5

  @Test(arguments: Victim.allCases)
  func `nothing acknowledged is lost`(victim: Victim) async throws {
    let country = try await Country.start()
    let acknowledged = Mutex<[String]>([])
    let writing = Task {
      var number: UInt64 = 35_000_000_000_000
      while !Task.isCancelled {
        number += 7
        let imei = IMEI(unchecked: number).dialled
        if try await block(imei, in: country) { acknowledged.withLock { $0.append(imei) } }
      }
    }
    try await eventually("the first blocks") { acknowledged.withLock { $0.count } >= Self.before }
    try await strike(victim, in: country)
    let count = acknowledged.withLock { $0.count }
    try await eventually("blocks after the blow") {
      acknowledged.withLock { $0.count } >= count + Self.after
    }
    writing.cancel()
    _ = await writing.result
    try await country.untilNodeIsLevel()
    for imei in acknowledged.withLock({ $0 }) {
      let answer = try await country.check("?pei=imei-\(imei)").body
      #expect(answer == #"{"status":"BLACKLISTED"}"#)
    }
    try await country.remove()
  }

  private func strike(_ victim: Victim, in country: Country) async throws {
    switch victim {
    case .ceir:
      try await country.killCEIR()
      try await country.restartCEIR()
    case .eir:
      let reached = try await country.nodeStatus().position ?? 0
      try await country.killEIR()
      try await country.startEIR()
      #expect(try await country.nodeStatus().position ?? 0 >= reached)
    case .postgresql:
      let server = try country.postmaster
      kill(server, SIGKILL)
      try await eventually("another server") {
        ((try? country.postmaster) ?? server) != server
      }
    }
  }

  /// True once the CEIR has acknowledged the block as published; false for any failure.
  private func block(_ imei: String, in country: Country) async throws -> Bool {
    let result = try await Program.run(
      "/usr/bin/curl",
      [
        "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "5",
        "--header", "Authorization: Bearer \(try country.administratorToken)", "--data",
        #"{"caseReference":"1","reason":"stolen"}"#,
        "\(country.ceirURL)/v1/devices/\(imei)/block",
      ], in: "\(country.folder)/logs")
    return result.output == "200"
  }
}
