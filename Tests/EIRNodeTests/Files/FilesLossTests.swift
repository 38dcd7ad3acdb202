import DeviceLists
import Foundation
import ListExchange
import ListIndex
import Simulation
import Testing

@testable import EIRNode

/// `Schema/exchange/files.md`, Loss and repetition, at the node.
struct FilesLossTests {
  typealias Replication = Mirror.Replication

  private static func desk() async throws -> FilesDesk {
    let desk = try FilesDesk()
    try desk.mirror.put(.full(desk.registry, number: 1))
    try desk.start()
    try await desk.untilLevel()
    return desk
  }

  /// Files 2 to 4, of two changes each.
  private static func three(_ desk: FilesDesk) throws -> [Replication] {
    try (2...4).map { number in
      let after = desk.registry.position
      desk.add(2)
      return try .incremental(desk.registry, number: number, after: after)
    }
  }

  @Test func `a missing file is asked for once, and then all that waited is taken`() async throws {
    let desk = try await Self.desk()
    let files = try Self.three(desk)
    try desk.mirror.put(files[1])
    try await eventually("the gap is seen") {
      desk.state.report.waiting?.contains("000000002 missing before 000000003") == true
    }
    try desk.mirror.put(files[2])
    try await eventually("it is asked for") { try desk.sent(.resend) == ["number\n2\n"] }
    #expect(desk.position == 10)
    try desk.mirror.put(files[0])
    try await desk.untilLevel()
    try await eventually("nothing is left") { try desk.mirror.names.isEmpty }
    #expect(desk.state.report.waiting == nil)
    #expect(try desk.sent(.resend).count == 1)
    await desk.stop()
  }

  @Test func `a later full file does as well`() async throws {
    let desk = try await Self.desk()
    let files = try Self.three(desk)
    try desk.mirror.put(files[2])
    try await eventually("the gap is seen") { desk.state.report.waiting != nil }
    try desk.mirror.put(.full(desk.registry, number: 5))
    try await desk.untilLevel()
    try await eventually("nothing is left") { try desk.mirror.names.isEmpty }
    #expect(desk.state.report.waiting == nil)
    await desk.stop()
  }

  @Test func `what comes again, in any order, changes nothing`() async throws {
    let desk = try await Self.desk()
    let first = try Replication.full(desk.registry, number: 1)
    let files = try Self.three(desk)
    for file in files { try desk.mirror.put(file) }
    try await eventually("all are taken") { desk.state.report.taken == 4 }
    for file in [files[1], first, files[2], files[0]] {
      let taken = desk.state.report.taken
      try desk.mirror.put(file)
      try await eventually("it is passed over") { desk.state.report.taken == taken + 1 }
      try desk.registry.expectSame(as: desk.keeper?.current)
    }
    #expect(desk.state.report.last == 4)
    #expect(desk.state.report.damaged == 0)
    await desk.stop()
  }

  @Test func `a list that does not add up waits for a full file`() async throws {
    let desk = try await Self.desk()
    let before = desk.registry
    var files = try Self.three(desk)
    try files[0].sealAgain { checkpoint, _ in checkpoint.digest = .zero }
    try desk.mirror.put(files[0])
    try await eventually("it is said") {
      desk.state.report.waiting?.contains("a full file is needed") == true
    }
    try desk.mirror.put(files[1])
    try before.expectSame(as: desk.keeper?.current)
    try desk.mirror.put(.full(desk.registry, number: 5))
    try await desk.untilLevel()
    await desk.stop()
  }

  @Test func `a new epoch begins with a full file, and the former one does not come back`()
    async throws
  {
    let desk = try await Self.desk()
    let former = try Self.three(desk)
    desk.registry.restore(to: Position(8), epoch: Epoch(high: 1, low: 2))
    desk.registry.issuedAt = Instant.now().adding(seconds: 1)
    desk.add(5)
    let after = desk.registry.position
    desk.add(1)
    try desk.mirror.put(.incremental(desk.registry, number: 5, after: after))
    try await eventually("a full file is waited for") { desk.state.report.waiting != nil }
    #expect(desk.position == 10)
    try desk.mirror.put(.full(desk.registry, number: 6))
    try await desk.untilLevel()
    for file in former { try desk.mirror.put(file) }
    try await eventually("they are passed over") { try desk.mirror.names.isEmpty }
    try desk.registry.expectSame(as: desk.keeper?.current)
    await desk.stop()
  }

  // MARK: What the node hands over

  @Test func `a file whose number is taken appears after a crash, byte for byte`() throws {
    let scratch = try Scratch()
    let (folder, state) = (scratch.path + "/sent", scratch.path + "/files.sent")
    func open() throws -> OutgoingFiles {
      try OutgoingFiles(
        folder: folder, statePath: state, code: SmallRegistry.alpha, node: NodeName("eir-1")!)
    }
    func names() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }
    let numbers = try #require(FileNumber(7))
    try open().write(.resend, [.resend(numbers)])
    let written = try names()
    #expect(
      written == ["alpha_eir-1_000000001_resend.csv", "alpha_eir-1_000000001_resend.json"])
    let before = try written.map { try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")) }
    // Killed before the manifest had its name, or before either had.
    for lost in [[written[1]], written] {
      for name in lost { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
      _ = try open()
      #expect(try names() == written)
      let again = try written.map { try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")) }
      #expect(again == before)
    }
    try open().write(.resend, [.resend(numbers)])
    #expect(try names().last == "alpha_eir-1_000000002_resend.json")
    try Data("nonsense".utf8).write(to: URL(fileURLWithPath: state))
    let error = #expect(throws: NodeError.self) { _ = try open() }
    #expect(error?.description.contains("files.sent cannot be understood") == true)
  }

  // MARK: kill -9

  @Test(arguments: [UInt64(20_261_123), 4, 73])
  func `killed while it takes files, a node goes on where it stands`(seed: UInt64) async throws {
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    let scratch = try Scratch()
    let mirror = try Mirror(in: scratch.path)
    var registry = SmallRegistry()
    registry.issuedAt = .now()
    for _ in 0..<2_000 { registry.commitSomething(using: &chance) }
    let (directory, sent) = (scratch.path + "/node", scratch.path + "/sent")
    let more = ["--files-directory", mirror.path, "--files-outbox", sent]
    var number = 1
    try mirror.put(.full(registry, number: number))
    for _ in 0..<6 {
      for _ in 0..<12 {
        number += 1
        let after = registry.position
        for _ in 0..<300 { registry.commitSomething(using: &chance) }
        try mirror.put(.incremental(registry, number: number, after: after))
        if number % 5 == 0 {
          number += 1
          try mirror.put(.full(registry, number: number))
        }
      }
      let left = Int.random(in: 1...24, using: &chance)
      let node = try await NodeProcess.start(
        in: directory, registry: nil, more: more + ["--files-poll-seconds", "1"])
      try await eventually("it is taking them") { try mirror.names.count <= left }
      try await node.kill()
      let keeper = try SmallRegistry.keeper(in: directory)
      let list = try #require(keeper.current)
      #expect(list.head.digest == registry.digest(at: list.head.position))
      #expect(list.recomputedDigests().sum == list.head.digest)
    }
    let node = try await NodeProcess.start(
      in: directory, registry: nil, more: more + ["--files-poll-seconds", "1"])
    try await eventually("all are taken") {
      let position = try await node.status().position
      return try mirror.names.isEmpty && position == registry.position.number
    }
    func said() throws -> [Int] {
      try FileManager.default.contentsOfDirectory(atPath: sent)
        .compactMap { InboundName(manifest: $0)?.number.number }.sorted()
    }
    try await eventually("that is said") { try !said().isEmpty }
    #expect(try await node.stop() == 0)
    try registry.expectSame(as: SmallRegistry.keeper(in: directory).current)
    #expect(mirror.damaged.isEmpty)
    // What it says itself has each number once.
    let manifests = try said()
    #expect(manifests == Array(1..<(manifests.count + 1)))
  }
}
