import CEIRService
import DeviceLists
import ExchangeTrust
import Foundation
import ListExchange
import RegistryStore
import Simulation
import Testing

/// Which cuts of a list are kept for nodes that go on with what they have begun.
struct ShelfTests {
  @Test func `a cut is kept as long as somebody goes on with it, however many others begin`()
    async throws
  {
    let world = try await ExchangeWorld.start()
    let (lists, shelf) = try await world.shelf()
    let code = try #require(OperatorCode("alfa"))
    let (feed, number) = (Feed(of: code), try await world.identity(making: "eir-1").operatorNumber)
    let start = Instant.now
    func cut(_ seconds: Int64, notBelow position: Position = .start) async throws -> SnapshotCut {
      try await shelf.cut(
        of: feed, number: number, notBelow: position, asOf: start.adding(seconds: seconds))
    }
    let first = try await cut(0)
    // Nodes that begin soon afterwards share it, also where the list has gone on.
    let behind = try await world.block(35_000_000_000_000)
    try await lists.catchUp()
    for seconds in [1, 60, 299] as [Int64] { #expect(try await cut(seconds).tag == first.tag) }
    // A node goes on with it slowly, while others force new cuts again and again.
    var position = behind
    for round in 0..<6 {
      let seconds = 300 + Int64(round) * 400
      let newer = try await cut(seconds, notBelow: position)
      #expect(newer.tag != first.tag)
      #expect(newer.checkpoint.position >= position)
      let resumed = await shelf.cut(
        of: feed, tag: first.tag, asOf: start.adding(seconds: seconds + 200))
      #expect(resumed?.tag == first.tag, "round \(round)")
      position = try await world.block(35_000_000_000_001 + UInt64(round))
      try await lists.catchUp()
    }
    #expect(try world.snapshotFiles() <= 3)
    // Nobody has gone on with it for long: it goes with the next.
    _ = try await cut(10_000, notBelow: position)
    #expect(await shelf.cut(of: feed, tag: first.tag, asOf: start.adding(seconds: 10_001)) == nil)
    #expect(try world.snapshotFiles() == 1)
    try await world.stop()
  }

  @Test func `a young cut from which a node would need another is not sent again`() async throws {
    let world = try await ExchangeWorld.start()
    let (lists, shelf) = try await world.shelf()
    let feed = Feed(of: try #require(OperatorCode("alfa")))
    let number = try await world.identity(making: "eir-1").operatorNumber
    let now = Instant.now
    let empty = try await shelf.cut(of: feed, number: number, notBelow: .start, asOf: now)
    try await world.addBlacks(11_000, step: 1)
    try await lists.catchUp()
    let full = try await shelf.cut(of: feed, number: number, notBelow: .start, asOf: now)
    #expect(full.checkpoint.position.number == empty.checkpoint.position.number + 11_000)
    try await world.stop()
  }
}

extension ExchangeWorld {
  /// A shelf beside the one that is served, whose clock is the test's.
  fileprivate func shelf() async throws -> (RegistryLists, SnapshotShelf) {
    let folder = "\(directory)/shelf"
    try FileManager.default.createDirectory(
      atPath: "\(folder)/snapshots", withIntermediateDirectories: true)
    let name = try #require(RegistryName("XA"))
    let lists = RegistryLists(
      store: store, registry: name, directory: folder, journalBell: Bell(),
      metrics: CEIRMetrics(), logger: Self.silent)
    try await lists.catchUp()
    let signer = try RegistrySigner(authorityFolder.signer)
    let shelf = SnapshotShelf(
      store: store, lists: lists, signer: signer, directory: "\(folder)/snapshots",
      logger: Self.silent)
    return (lists, shelf)
  }

  fileprivate func snapshotFiles() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "\(directory)/shelf/snapshots").count
  }
}
