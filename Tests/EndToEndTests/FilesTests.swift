import Foundation
import Simulation
import Testing

/// Files over a real OpenSSH server, with the real programs and the scripts of an administrator.
@Suite(.serialized)
struct FilesTests {
  private static let devices = [
    "490154203237518", "356938035643809", "352099001761481", "012345678901237",
  ]

  @Test(arguments: ["none", "gzip"])
  func `full, incremental, a killed CEIR, a lost file and its resend end at one digest`(
    compression: String
  ) async throws {
    let office = try await FilesOffice.open(compression: compression)
    let country = office.country
    try await country.persist("device", "block", Self.devices[0], "--case", "1", "--reason", "x")
    try await office.untilLevel()

    country.ceir.send(SIGKILL)
    _ = try await country.ceir.end()
    try await country.restartCEIR()
    try await country.persist("device", "block", Self.devices[1], "--case", "2", "--reason", "x")
    try await office.untilLevel()

    // The next file with a change vanishes from the outbox: the node finds the gap and asks.
    let before = try office.incrementalNumbers
    try await country.persist("device", "block", Self.devices[2], "--case", "3", "--reason", "x")
    try await eventually("the file that gets lost") {
      try office.incrementalNumbers.count > before.count
    }
    let lost = Set(try office.incrementalNumbers).subtracting(before)
    for number in lost { try office.lose(number) }
    try await country.persist("device", "block", Self.devices[3], "--case", "4", "--reason", "x")
    try await office.untilLevel()
    for device in Self.devices { #expect(try await office.verdict(device) == "BLACKLISTED") }

    // It was asked for by a file of the node, which was answered.
    let resend = try await office.answer { $0.hasSuffix("_resend.response.json") }
    #expect(try office.response(resend).contains(#""state":"processed","taken":\#(lost.count)"#))
    #expect(
      try office.archived.contains { $0.hasPrefix("alfa_eir-1_") && $0.hasSuffix("_resend.csv") })
    // And the registry knows from a file where the node stands.
    let position = try await country.feed().position ?? 0
    try await eventually("the acknowledgement") {
      try await office.carry()
      return try await office.acknowledged() == position
    }
    try await office.close()
  }

  @Test func `an operator's file takes effect once, and each refused line is answered`()
    async throws
  {
    let office = try await FilesOffice.open(compression: "none")
    let country = office.country
    try await country.require(
      "operator", "policy", "alfa", "--block-requests", "accepted", "--unblock-requests",
      "accepted")
    try await country.addNode("it")
    let text = """
      kind,imei,imsi,reason,case
      block,356938035643809,001010000000001,"reported stolen, by telephone",T-17
      block,490154203237510,001010000000001,the check digit is wrong,T-18
      unblock,352099001761481,001010000000001,never blocked,T-19
      block,490154203237518,001010000000001,,T-20
      toss,490154203237518,,x,
      block,490154203237518,x

      """
    let stem = "alfa_it_000000001_requests"
    try await office.handOver(text, as: stem, records: 6)
    try await office.untilAnswered(stem)
    #expect(
      try office.response("\(stem).response.json")
        == #"{"number":1,"state":"processed","taken":1,"refused":5}"#)
    let lines = try office.response("\(stem).response.csv").split(separator: "\n")
    #expect(lines.first == "line,code,detail")
    #expect(
      lines.dropFirst().map { $0.split(separator: ",").prefix(2).joined(separator: " ") }
        == ["3 0009", "4 0003", "5 0013", "6 0012", "7 1300"])
    #expect(try office.archived.contains("\(stem).csv"))
    #expect(try office.inbox.isEmpty)
    try await office.untilLevel()
    #expect(try await office.verdict("356938035643809") == "BLACKLISTED")

    // The same again: the same answer, and nothing else.
    let position = try await country.feed().position
    try office.forgetResponses()
    try await office.handOver(text, as: stem, records: 6)
    try await eventually("it is taken out of the inbox") {
      try await office.carry()
      return try office.inbox.isEmpty && office.uploads.isEmpty
    }
    try await office.untilAnswered(stem)
    #expect(try office.response("\(stem).response.json").contains(#""taken":1,"refused":5"#))
    #expect(try await country.feed().position == position)
    // Another content under the number is refused as a whole.
    try await office.handOver(
      text.replacingOccurrences(of: "T-17", with: "T-99"), as: stem, records: 6)
    try await office.untilAnswered("refused-\(stem)")
    #expect(
      try office.response("refused-\(stem).response.json").contains(
        #""state":"refused","code":1203"#))
    #expect(try await country.feed().position == position)
    try await office.close()
  }

  @Test(.enabled("needs root and mount namespaces") { SFTPServer.shutsIn })
  func `an operator sees its own folder and cannot change what it is given`() async throws {
    let folder = try temporaryDirectory("ceir-sftp")
    let files = "\(folder)/files"
    try FileManager.default.createDirectory(
      atPath: files, withIntermediateDirectories: false,
      attributes: [.posixPermissions: 0o755])
    let server = try await SFTPServer.start(
      in: folder, files: files, operators: ["alfa", "beta"])
    for code in ["alfa", "beta"] {
      try "1\n".write(
        toFile: "\(files)/\(code)/outbox/of-\(code).csv", atomically: true, encoding: .utf8)
    }
    let own = try await server.batch(["ls /", "ls /outbox"], as: "alfa", key: "alfa")
    #expect(own.status == 0, "\(own.errors)")
    #expect(own.output.contains("of-alfa.csv"))
    #expect(!own.output.contains("beta"))
    let stranger = try await server.batch(["ls /"], as: "alfa", key: "beta")
    #expect(stranger.status != 0)
    for command in [
      "ls /../beta", "ls /beta", "ls \(files)/beta", "get /../beta/outbox/of-beta.csv \(folder)/x",
      "ls /archive", "ls /work", "ls /etc", "put \(folder)/host.pub /outbox/x",
      "rm /outbox/of-alfa.csv", "put \(folder)/host.pub /responses/x",
      "put \(folder)/host.pub /x", "rename /outbox /gone", "rename /outbox/of-alfa.csv /inbox/x",
      "ln -s / /outbox/root", "mkdir /folder", "chmod 777 /outbox",
    ] {
      let result = try await server.batch([command], as: "alfa", key: "alfa")
      #expect(result.status != 0, "\(command)")
    }
    // A link leads nowhere outside.
    let link = try await server.batch(
      ["ln -s ../../beta /inbox/link", "ls /inbox/link/"], as: "alfa", key: "alfa")
    #expect(link.status != 0)
    let put = try await server.batch(
      ["put \(folder)/host.pub /inbox/.x", "rename /inbox/.x /inbox/x"], as: "alfa", key: "alfa")
    #expect(put.status == 0, "\(put.errors)")
    #expect(FileManager.default.fileExists(atPath: "\(files)/alfa/inbox/x"))
    // Nothing but files: no shell, no port that leads further.
    let shell = try await server.shell("id", as: "alfa")
    #expect(!shell.output.contains("uid="))
    try await server.stop()
    try FileManager.default.removeItem(atPath: folder)
  }
}
