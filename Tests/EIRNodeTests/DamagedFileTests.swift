import DeviceIdentity
import DeviceLists
import EIRNode
import Foundation
import ListExchange
import ListIndex
import Simulation
import Testing

/// A node whose files were damaged while it was down.
@Suite(.serialized)
struct DamagedFileTests {
  private static let black = EntryClass(
    status: .black, codes: .init(.stolen), isOverridable: false)

  private static func imei(_ number: UInt64) -> IMEI {
    IMEI(number: 35_209_900_000_000 + number)!
  }

  private static func reached(_ node: NodeProcess, _ server: RegistryServer) async throws {
    try await eventually("the node is where the registry is") {
      let status = try await node.status()
      let registry = server.registry
      return status.position == registry.position.number
        && status.digest == registry.digest.description
    }
  }

  /// What a node leaves that had a list of ten entries and two more in its log, and then a snapshot
  /// of 21 and one more. The registry is away.
  private static func twoGenerations(
    in scratch: Scratch
  ) async throws -> (server: RegistryServer, directory: String) {
    let server = try RegistryServer(directory: scratch.path)
    // It keeps its address.
    try await server.start()
    await server.stop()
    let directory = scratch.path + "/node"
    let keeper = try SmallRegistry.keeper(in: directory)
    func commit(_ numbers: Range<UInt64>) {
      server.change { registry in
        registry.issuedAt = .now()
        for number in numbers { registry.commit(.imei(imei(number)), black) }
      }
    }
    for (listed, logged) in [(0..<10, 10..<12), (12..<21, 21..<22)]
      as [(Range<UInt64>, Range<UInt64>)]
    {
      commit(listed)
      try server.registry.writeSnapshot(to: keeper.partPath)
      _ = try keeper.installPart(asOf: .now())
      let position = server.registry.position
      commit(logged)
      _ = try keeper.take(try server.registry.received(after: position), asOf: .now())
    }
    #expect(keeper.current?.head.position == Position(22))
    return (server, directory)
  }

  /// Changes one byte of a file.
  private static func damage(_ path: String, at place: Int) throws {
    let url = URL(fileURLWithPath: path)
    var bytes = try Data(contentsOf: url)
    bytes[place] ^= 0x20
    try bytes.write(to: url)
  }

  /// In the header, which a start reads; among the entries, which it does not.
  @Test(arguments: [24, 512])
  func `an older list answers, says so, and catches up`(place: Int) async throws {
    let scratch = try Scratch()
    let (server, directory) = try await Self.twoGenerations(in: scratch)
    try Self.damage(directory + "/2.index", at: place)

    let node = try await NodeProcess.start(in: directory, registry: server.url)
    try await eventually("the older list answers") {
      try await node.status().position == 12
    }
    #expect(try await node.verdict(Self.imei(11).dialled) == "BLACKLISTED")
    #expect(try await node.verdict(Self.imei(12).dialled) == "404")
    let file = try await node.status().listFile
    #expect(file.refused == 1)
    #expect(!file.isDamaged)
    #expect(file.notices.contains { $0.contains("goes on from position 12") })
    let text = try await NodeProcess.eir(["status"] + NodeProcess.flags(directory)).output
    #expect(text.contains("A file of the list was refused"))
    #expect(try await node.metric("eir_list_files_refused_total") == 1)
    #expect(try await node.metric("eir_list_file_damaged") == 0)
    let log = try String(contentsOfFile: directory + ".err", encoding: .utf8)
    #expect(log.contains("goes on from position 12"))

    let snapshots = server.snapshotCount
    try await server.start()
    try await Self.reached(node, server)
    #expect(server.snapshotCount == snapshots, "changes are enough")
    #expect(try await node.verdict(Self.imei(21).dialled) == "BLACKLISTED")
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `with no older list the damaged one answers until another has come`() async throws {
    let scratch = try Scratch()
    let (server, directory) = try await Self.twoGenerations(in: scratch)
    try FileManager.default.removeItem(atPath: directory + "/1.index")
    try Self.damage(directory + "/2.index", at: 512)
    let node = try await NodeProcess.start(in: directory, registry: server.url)
    try await eventually("the damage is found") {
      try await node.metric("eir_list_file_damaged") == 1
    }
    let status = try await node.status()
    #expect(status.position ?? 0 >= 21)
    #expect(status.listFile.isDamaged)
    let text = try await NodeProcess.eir(["status"] + NodeProcess.flags(directory)).output
    #expect(text.contains("DAMAGED"))
    let snapshots = server.snapshotCount
    try await server.start()
    try await eventually("another list has come") {
      try await node.metric("eir_list_file_damaged") == 0
    }
    #expect(server.snapshotCount > snapshots)
    try await Self.reached(node, server)
    #expect(try await node.verdict(Self.imei(0).dialled) == "BLACKLISTED")
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `with every file refused at the start the node takes a snapshot`() async throws {
    let scratch = try Scratch()
    let (server, directory) = try await Self.twoGenerations(in: scratch)
    for name in ["1.index", "2.index"] {
      let file = try #require(FileHandle(forWritingAtPath: directory + "/" + name))
      try file.truncate(atOffset: 700)
      try file.close()
    }
    let node = try await NodeProcess.start(in: directory, registry: server.url)
    #expect(try await node.status().position == nil)
    #expect(try await node.status().listFile.refused == 2)
    try await server.start()
    try await Self.reached(node, server)
    #expect(try await node.status().listFile.notices.isEmpty)
    #expect(try await node.stop() == 0)
    await server.stop()
  }

  @Test func `what is held stays held while an older list catches up`() throws {
    let scratch = try Scratch()
    let now = Instant("2026-11-23T06:10:00Z")!
    let brake = Brake.Limit(least: 5, listShare: 0)
    var registry = SmallRegistry()
    for number in 0..<10 as Range<UInt64> { registry.commit(.imei(Self.imei(number)), Self.black) }
    var keeper = try SmallRegistry.keeper(in: scratch.path, brake: brake)
    try registry.writeSnapshot(to: keeper.partPath)
    _ = try keeper.installPart(asOf: now)
    for number in 10..<16 as Range<UInt64> { registry.commit(.imei(Self.imei(number)), Self.black) }
    try registry.writeSnapshot(to: keeper.partPath)
    #expect(try keeper.installPart(asOf: now) == .installed(Position(16), held: 6))
    _ = consume keeper

    try Self.damage(scratch.path + "/2.index", at: 24)
    keeper = try SmallRegistry.keeper(in: scratch.path, brake: brake)
    #expect(keeper.current?.head.position == Position(10))
    #expect(keeper.heldCount == 6)
    _ = consume keeper
    // A restart does not set them free either.
    keeper = try SmallRegistry.keeper(in: scratch.path, brake: brake)
    #expect(keeper.heldCount == 6)
    registry.commit(.imei(Self.imei(15)), nil)
    for after in 10..<17 as Range<UInt64> {
      let delta = try registry.received(after: Position(after), upTo: Position(after + 1))
      _ = try keeper.take(delta, asOf: now)
    }
    try registry.expectSame(as: keeper.current)
    #expect(keeper.heldCount == 5, "one was taken off the list")
    #expect(keeper.current?.entry(of: Self.imei(12)) == nil)
    #expect(try keeper.accept().subjects == 5)
    #expect(keeper.current?.entry(of: Self.imei(12))?.status == .black)
  }
}
