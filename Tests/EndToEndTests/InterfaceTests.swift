import Foundation
import Simulation
import Testing

/// The CEIR's HTTP interfaces as a stranger meets them, asked by curl.
struct InterfaceTests {
  private struct Ask {
    let method: String
    let path: String
    var token: String?
    var body: String?
    let status: String
    let words: String
  }

  private static let device = "/v1/devices/490154203237518"

  @Test func `each request gets its answer, and a wrong one its reason`() async throws {
    let country = try await Country.start()
    let officer = try await country.require("token", "create", "--name", "o", "--role", "officer")
    let viewer = try await country.require("token", "create", "--name", "v", "--role", "viewer")
    let gone = try await country.require("token", "create", "--name", "g", "--role", "officer")
    try await country.require("token", "revoke", "g")
    let reason = #"{"caseReference":"1","reason":"stolen"}"#
    let asks = [
      Ask(method: "GET", path: "/health/live", status: "200", words: "alive"),
      Ask(method: "GET", path: "/health/ready", status: "200", words: "ready"),
      Ask(
        method: "GET", path: "/metrics", status: "200",
        words: "# TYPE ceir_journal_position gauge"),
      Ask(method: "GET", path: "/nothing", status: "404", words: "Not Found"),
      Ask(method: "GET", path: Self.device, status: "401", words: "unauthenticated"),
      Ask(method: "GET", path: Self.device, token: gone, status: "401", words: "unauthenticated"),
      Ask(method: "GET", path: Self.device, token: viewer, status: "200", words: "unlisted"),
      Ask(
        method: "GET", path: "/v1/devices/490154203237510", token: viewer, status: "400",
        words: "has the check digit 0 where 8 is right"),
      Ask(
        method: "POST", path: Self.device + "/block", token: viewer, body: reason, status: "403",
        words: "may look but not decide"),
      Ask(
        method: "POST", path: Self.device + "/block", token: officer, body: "{", status: "400",
        words: "not the JSON object"),
      Ask(
        method: "POST", path: Self.device + "/block", token: officer, body: #"{"reason":"x"}"#,
        status: "400", words: #"\"caseReference\" is missing"#),
      Ask(
        method: "POST", path: Self.device + "/block", token: officer,
        body: #"{"caseReference":"1","reason":"x","scope":"nobody"}"#, status: "400",
        words: "unknownOperator"),
      Ask(
        method: "POST", path: Self.device + "/block", token: officer,
        body: #"{"caseReference":"1","reason":"x","ground":"released"}"#, status: "400",
        words: "ground"),
      Ask(
        method: "POST", path: Self.device + "/block", token: officer,
        body: String(repeating: " ", count: 20_000), status: "413", words: "is longer than"),
      Ask(
        method: "POST", path: Self.device + "/unblock", token: officer, body: #"{"reason":"x"}"#,
        status: "409", words: "notBlocked"),
      Ask(
        method: "POST", path: Self.device + "/block", token: officer, body: reason, status: "200",
        words: #""position":1"#),
      Ask(
        method: "POST", path: Self.device + "/block", token: officer, body: reason, status: "409",
        words: "alreadyBlocked"),
      Ask(
        method: "POST", path: Self.device + "/release", token: officer, body: #"{"reason":"x"}"#,
        status: "200", words: #""position":2"#),
      Ask(
        method: "POST", path: Self.device + "/block", token: officer, body: reason, status: "409",
        words: "releaseStands"),
      Ask(
        method: "DELETE", path: Self.device + "/release", token: officer, body: #"{"reason":"x"}"#,
        status: "200", words: #""position":3"#),
      Ask(
        method: "GET", path: Self.device, token: viewer, status: "200",
        words: #""status":"black""#),
    ]
    for ask in asks { try await expect(ask, in: country) }
    try await country.remove()
  }

  @Test func `a node gets its own feed, and is told what is wrong with its request`()
    async throws
  {
    let country = try await Country.withoutNodes()
    try await country.addNode(Country.nodeName)
    try await country.require(
      "device", "block", "490154203237518", "--case", "1", "--reason", "x")
    let feed = try await country.feed()
    let epoch = try #require(feed.epoch)
    let digest = try #require(feed.digest)
    let zero = String(repeating: "0", count: 64)
    let other = String(repeating: "a", count: 32)
    func changes(_ epoch: String, _ after: Int, _ digest: String, _ more: String = "") -> String {
      "/exchange/v1/changes?epoch=\(epoch)&after=\(after)&digest=\(digest)\(more)"
    }
    let asks = [
      ("/exchange/v1/status", "200", epoch),
      ("/exchange/v1/openapi.yaml", "200", "openapi: 3.1"),
      ("/exchange/v1/nothing", "404", "1003"),
      ("/exchange/v1/changes", "400", "1000"),
      (changes(epoch, 0, zero, "&wait=56"), "400", "1000"),
      (changes(other, 0, zero), "409", "1004"),
      (changes(epoch, 9, zero), "409", "1005"),
      (changes(epoch, 1, zero), "412", "1007"),
      (
        changes(epoch, 0, zero), "200",
        #""imei":"49015420323751","status":"black","grounds":["stolen"]"#
      ),
      (changes(epoch, 1, digest), "200", #"{"checkpoint":"#),
    ]
    for (target, status, words) in asks {
      let answer = try await country.exchange(target)
      #expect(answer.status == status, "\(target): \(answer.body)")
      #expect(answer.body.contains(words), "\(target): \(answer.body)")
    }
    let stranger = try await Program.run(
      "/usr/bin/curl",
      [
        "--silent", "--output", "/dev/null", "--cacert", "\(country.folder)/ceir/pki/root.pem",
        country.exchangeURL + "/exchange/v1/status",
      ], in: "\(country.folder)/logs")
    #expect(stranger.status != 0, "somebody without a certificate was answered")
    try await country.remove()
  }

  private func expect(_ ask: Ask, in country: Country) async throws {
    var arguments = [
      "--silent", "--show-error", "--request", ask.method, "--write-out", "\n%{http_code}",
      country.ceirURL + ask.path,
    ]
    if let token = ask.token { arguments += ["--header", "Authorization: Bearer \(token)"] }
    if let body = ask.body { arguments += ["--data", body] }
    let result = try await Program.run("/usr/bin/curl", arguments, in: "\(country.folder)/logs")
    let status = result.output.split(separator: "\n").last.map(String.init)
    #expect(status == ask.status, "\(ask.method) \(ask.path): \(result.output)")
    #expect(
      result.output.contains(ask.words), "\(ask.method) \(ask.path): \(result.output)")
  }
}
