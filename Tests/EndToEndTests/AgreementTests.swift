import DeviceIdentity
import DeviceLists
import Foundation
import NIOCore
import Simulation
import Testing

/// Whoever is asked says the same of a device: a node on each of its interfaces, the CEIR behind
/// it, and the description of the decision.
struct AgreementTests {
  private typealias Question = AgreementLists.Question

  private static let questionCount = 10_000
  /// Each is a process of its own.
  private static let commandCount = 50
  @Test func `every interface has the same answer for every device`() async throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var lists = try AgreementLists(seed: seed)
    let country = try await Country.withoutNodes()
    try await Self.fill(country, with: lists)
    try await country.addNode(Country.nodeName)
    let hlr = try await GSUPBurst.silentHLR()
    try await country.startEIR(
      Country.nodeName, through: nil, "--s13-listen", "127.0.0.1:0", "--s13-host",
      "eir.example.org", "--s13-realm", "example.org", "--s13-peers", "mme1.example.org",
      "--gsup-listen", "127.0.0.1:0", "--gsup-hlr",
      "127.0.0.1:\(hlr.localAddress?.port ?? 0)")
    try await country.untilNodeIsLevel()

    let questions = lists.questions(Self.questionCount)
    let now = Instant(secondsSinceEpoch: Int64(Date().timeIntervalSince1970))
    let list = lists.list(asOf: now)
    let expected = try questions.map { question in
      NaiveDecision.verdict(
        on: try question.query, in: list, settings: DecisionSettings(), asOf: now
      ).answer.description
    }
    let asker = InterfaceAsker(country: country, questions: questions)
    try await asker.expect(expected, from: "S13") { try await $0.s13() }
    try await asker.expect(expected, from: "N17") { try await $0.n17() }
    try await asker.expect(expected, from: "the node's tools") { try await $0.admin() }
    try await asker.expect(expected, from: "LUStatusReq") { try await $0.registry() }
    try await asker.expectGSUP(expected)
    try await hlr.close().get()
    let few = InterfaceAsker(
      country: country, questions: Array(questions.prefix(Self.commandCount)))
    try await few.expect(Array(expected.prefix(Self.commandCount)), from: "eir check") {
      try await $0.commands()
    }
    if await PythonTools.has("diameter") {
      try await asker.expect(expected, from: "S13 through python-diameter") {
        try await $0.otherS13()
      }
    }
    let counts = Dictionary(grouping: expected) { $0 }.mapValues(\.count)
    print("\(expected.count) devices: \(counts.sorted { $0.key < $1.key })")
    for word in ["black", "grey", "white", "unknown"] {
      #expect(counts[word] ?? 0 > 100, "\(word)")
    }
    try await country.remove()
  }

  private static func fill(_ country: Country, with lists: AgreementLists) async throws {
    let file = "\(country.folder)/stolen.csv"
    try lists.stolenFile.write(toFile: file, atomically: true, encoding: .utf8)
    try await country.require("import", "stolen", file, "--source", "police")
    try await lists.add(toRegistryIn: "\(country.folder)/ceir")
    let count = lists.grounds.count
    try await eventually("all \(count) subjects are published") {
      try await country.feed().position ?? 0 >= UInt64(count)
    }
  }
}
