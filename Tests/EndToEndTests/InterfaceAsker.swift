import DeviceIdentity
import Foundation
import Simulation
import Testing

/// Asks the same of a node's interfaces, and of the CEIR behind it; answers are the words of
/// `decision.md`.
struct InterfaceAsker {
  let country: Country
  let questions: [AgreementLists.Question]

  /// More would make the report of a failure unreadable.
  private static let mostDifferences = 10

  private var node: Country.RunningNode {
    get throws { try #require(country.nodes[Country.nodeName]) }
  }

  func expect(
    _ expected: [String], from name: String,
    _ ask: (InterfaceAsker) async throws -> [String]
  ) async throws {
    let answers = try await ask(self)
    try #require(answers.count == expected.count, "\(name)")
    let different = expected.indices.filter { answers[$0] != expected[$0] }.map { index in
      "\(questions[index].imei) \(questions[index].imsi ?? "-"): "
        + "\(answers[index]), not \(expected[index])"
    }
    #expect(different.isEmpty, "\(name): \(different.prefix(Self.mostDifferences))")
  }

  func s13() async throws -> [String] {
    let requests = questions.enumerated().map { number, question in
      DiameterBytes.checkRequest(
        DiameterBytes.check(imei: question.imei, imsi: question.imsi), number: UInt32(number))
    }
    let answers = try await DiameterBurst.ask(requests, at: try await s13Address())
    return answers.map { $0.word ?? "nothing" }
  }

  /// It knows two answers, and asks with a subscriber only: black is refused, all others pass.
  func expectGSUP(_ expected: [String]) async throws {
    let address = try await country.eir.word(after: "gsup ", until: ",")
    var (devices, verdicts): ([(imei: String, imsi: String)], [String]) = ([], [])
    for (question, verdict) in zip(questions, expected) {
      guard let imsi = question.imsi, imsi.count == 15 else { continue }
      devices.append((question.device.description, imsi))
      verdicts.append(verdict)
    }
    #expect(devices.count > 1_000)
    let answers = try await GSUPBurst.ask(devices, at: address)
    #expect(answers == verdicts.map { $0 != "black" }, "GSUP")
  }

  func otherS13() async throws -> [String] {
    let answers = try await S13Client.ask(
      questions.map { S13Client.Question(imei: $0.imei, imsi: $0.imsi) }, of: "eir.example.org",
      at: try await s13Address(), in: "\(country.folder)/logs")
    return answers.map { $0.word ?? "nothing" }
  }

  private func s13Address() async throws -> String {
    try await country.eir.word(after: "s13 ", until: ",")
  }

  func n17() async throws -> [String] {
    let address = try node.checkAddress
    let lines = questions.map { question in
      let pei =
        question.imei.count == 16 ? "imeisv-\(question.imei)" : "imei-\(question.device.dialled)"
      let supi = question.imsi.map { "&supi=imsi-\($0)" } ?? ""
      return "url = \"http://\(address)/n5g-eir-eic/v1/equipment-status?pei=\(pei)\(supi)\""
    }
    // HTTP/1.1: the curl of Debian 12 cannot use a connection of HTTP/2 without TLS twice.
    return try await curl(lines, ["--http1.1"]).map { answer in
      switch answer {
      case #"{"status":"BLACKLISTED"} 200"#: "black"
      case #"{"status":"GREYLISTED"} 200"#: "grey"
      case #"{"status":"WHITELISTED"} 200"#: "white"
      case _ where answer.hasSuffix(" 404") && answer.contains("ERROR_EQUIPMENT_UNKNOWN"):
        "unknown"
      default: answer
      }
    }
  }

  /// What `eir check` asks of a running node.
  func admin() async throws -> [String] {
    let node = try node
    let token = try String(
      contentsOfFile: "\(country.folder)/\(Country.nodeName)/admin.token", encoding: .utf8)
    let header = "header = \"Authorization: Bearer \(token.trimmed)\""
    let sections = try questions.map { question in
      let body = String(decoding: try JSONEncoder().encode(Body(question)), as: UTF8.self)
      let data = body.replacingOccurrences(of: "\"", with: "\\\"")
      return [
        "url = \"http://\(node.adminAddress)/check\"", header, "data = \"\(data)\"",
        Self.format, "silent",
      ].joined(separator: "\n")
    }
    return try await curl([sections.joined(separator: "\nnext\n")], []).map { answer in
      guard answer.hasSuffix(" 200") else { return answer }
      return try JSONDecoder().decode(Explained.self, from: Data(answer.dropLast(4).utf8)).answer
    }
  }

  func commands() async throws -> [String] {
    var answers: [String] = []
    for question in questions {
      let node = try node
      let result = try await Program.run(
        "eir",
        ["check", question.imei, "--format", "json"]
          + (question.imsi.map { ["--imsi", $0] } ?? []) + [
            "--directory", "\(country.folder)/\(Country.nodeName)", "--registry", Country.registry,
            "--operator", node.operatorCode, "--admin", node.adminAddress,
          ], in: "\(country.folder)/logs")
      try #require(result.status == 0, "\(result.errors)")
      answers.append(
        try JSONDecoder().decode(Explained.self, from: Data(result.output.utf8)).answer)
    }
    return answers
  }

  /// All at once, of the CEIR.
  func registry() async throws -> [String] {
    struct Many: Encodable { let queries: [Body] }
    struct Answers: Decodable {
      struct Verdict: Decodable { let status: String }
      let answers: [Verdict]
    }
    let file = "\(country.folder)/queries.json"
    try JSONEncoder().encode(Many(queries: questions.map(Body.init)))
      .write(to: URL(filePath: file))
    let answer = try await country.exchange(
      "/exchange/v1/lu-status", "--header", "Content-Type: application/json", "--data", "@\(file)")
    try #require(answer.status == "200", "\(answer.body.prefix(300))")
    return try JSONDecoder().decode(Answers.self, from: Data(answer.body.utf8)).answers
      .map(\.status)
  }

  // MARK: - curl

  private struct Body: Encodable {
    let imei: String
    let imsi: String?

    init(_ question: AgreementLists.Question) {
      imei = question.imei
      imsi = question.imsi
    }
  }

  private struct Explained: Decodable { let answer: String }

  private static let separator = "\u{1E}"
  /// After each body: its status, and what no body contains.
  private static let format = "write-out = \" %{http_code}\(separator)\""

  /// One process for all, with as few connections as it needs.
  private func curl(_ lines: [String], _ more: [String]) async throws -> [String] {
    let file = "\(country.folder)/curl-\(UUID().uuidString)"
    try ([Self.format, "silent"] + lines).joined(separator: "\n")
      .write(toFile: file, atomically: true, encoding: .utf8)
    let result = try await Program.run(
      "/usr/bin/curl", more + ["--config", file], in: "\(country.folder)/logs", within: 300)
    try #require(result.status == 0, "\(result.errors)")
    return result.output.split(separator: Self.separator).map { String($0).trimmed }
  }
}

extension String {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
