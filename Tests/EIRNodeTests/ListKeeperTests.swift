import DeviceIdentity
import DeviceLists
import Foundation
import ListExchange
import ListIndex
import Simulation
import Testing

@testable import EIRNode

/// A node's list on a real disk. DESIGN sections 1 ("Feed", "Position and epoch") and 3 ("Brake").
struct ListKeeperTests {
  private static let black = EntryClass(
    status: .black, codes: .init(.stolen), isOverridable: false)
  private static let now = Instant("2026-11-23T06:10:00Z")!

  private static func imei(_ number: UInt64) -> Subject {
    .imei(IMEI(number: 35_209_900_000_000 + number)!)
  }

  /// A registry with ten blacks and a node that has them.
  private static func followed(
    in directory: String, brake: Brake.Limit = Brake.Limit(least: 5, listShare: 0),
    mostHeld: Int = HeldAnswers.most
  ) throws -> (SmallRegistry, ListKeeper) {
    var registry = SmallRegistry()
    for number in 0..<10 { registry.commit(imei(UInt64(number)), black) }
    let keeper = try SmallRegistry.keeper(in: directory, brake: brake, mostHeld: mostHeld)
    try registry.writeSnapshot(to: keeper.partPath)
    #expect(try keeper.installPart(asOf: now) == .installed(Position(10), held: 0))
    return (registry, keeper)
  }

  private static func answer(_ number: UInt64, _ keeper: ListKeeper) -> ListStatus? {
    keeper.current?.entry(of: IMEI(number: 35_209_900_000_000 + number)!)?.status
  }

  @Test func `the first snapshot is never held`() throws {
    let scratch = try Scratch()
    let (registry, keeper) = try Self.followed(
      in: scratch.path, brake: Brake.Limit(least: 0, listShare: 0))
    try registry.expectSame(as: keeper.current)
    #expect(keeper.brakeState(asOf: Self.now).added == 0)
  }

  @Test func `too many blacks are applied and answered as before until a person accepts`() throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    for number in 10..<16 { registry.commit(Self.imei(UInt64(number)), Self.black) }
    let delta = try registry.received(after: Position(10))
    #expect(try keeper.take(delta, asOf: Self.now) == .applied(changes: 6, held: 6))
    try registry.expectSame(as: keeper.current)
    #expect(Self.answer(0, keeper) == .black)
    #expect(Self.answer(12, keeper) == nil)

    // A release passes, and what it released is no longer held.
    registry.commit(Self.imei(12), nil)
    registry.commit(Self.imei(0), nil)
    let releases = try registry.received(after: Position(16))
    #expect(try keeper.take(releases, asOf: Self.now) == .applied(changes: 2, held: 0))
    #expect(Self.answer(0, keeper) == nil)
    #expect(keeper.current?.held.count == 5)

    // A restart forgets nothing.
    _ = consume keeper
    keeper = try SmallRegistry.keeper(
      in: scratch.path, brake: Brake.Limit(least: 5, listShare: 0))
    #expect(keeper.current?.held.count == 5)
    #expect(keeper.brakeState(asOf: Self.now).added == 6)
    #expect(Self.answer(13, keeper) == nil)

    #expect(try keeper.accept().subjects == 5)
    #expect(Self.answer(13, keeper) == .black)
    #expect(Self.answer(12, keeper) == nil)
    #expect(keeper.brakeState(asOf: Self.now).added == 0)
    try registry.expectSame(as: keeper.current)
  }

  @Test func `few blacks a day pass at once`() throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    for number in 10..<15 {
      registry.commit(Self.imei(UInt64(number)), Self.black)
      let delta = try registry.received(after: Position(UInt64(number)))
      #expect(try keeper.take(delta, asOf: Self.now) == .applied(changes: 1, held: 0))
      #expect(Self.answer(UInt64(number), keeper) == .black)
    }
    registry.commit(Self.imei(15), Self.black)
    let delta = try registry.received(after: Position(15))
    #expect(try keeper.take(delta, asOf: Self.now) == .applied(changes: 1, held: 1))
    #expect(Self.answer(15, keeper) == nil)
  }

  @Test func `a snapshot with too many blacks is installed, and they answer as before`() throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    for number in 10..<16 { registry.commit(Self.imei(UInt64(number)), Self.black) }
    registry.commit(Self.imei(0), nil)
    try registry.writeSnapshot(to: keeper.partPath)
    #expect(try keeper.installPart(asOf: Self.now) == .installed(Position(17), held: 6))
    try registry.expectSame(as: keeper.current)
    #expect(Self.answer(0, keeper) == nil, "a release passes")
    #expect(Self.answer(12, keeper) == nil)

    _ = consume keeper
    keeper = try SmallRegistry.keeper(
      in: scratch.path, brake: Brake.Limit(least: 5, listShare: 0))
    #expect(keeper.heldCount == 6)
    // The node goes on from the snapshot.
    registry.commit(Self.imei(12), nil)
    _ = try keeper.take(try registry.received(after: Position(17)), asOf: Self.now)
    #expect(keeper.heldCount == 5)
    #expect(try keeper.accept().subjects == 5)
    #expect(Self.answer(15, keeper) == .black)
    #expect(Self.answer(12, keeper) == nil)
    #expect(try keeper.accept().subjects == 0)
  }

  /// Nothing of it is taken, and nothing of what is there has changed.
  private static func expectRefused(
    _ isSnapshot: Bool, _ registry: SmallRegistry, _ keeper: ListKeeper, _ before: SmallRegistry
  ) throws {
    if isSnapshot {
      try registry.writeSnapshot(to: keeper.partPath)
      let error = #expect(throws: NodeError.self) { try keeper.installPart(asOf: now) }
      #expect(error?.code == .tooManyToHold)
      #expect(error?.description.contains("make 3 subjects black") == true)
      #expect(error?.description.contains("no more than 8") == true)
    } else {
      let delta = try registry.received(after: Position(16))
      #expect(try keeper.take(delta, asOf: now) == .next(.takeSnapshot(.tooManyToHold)))
    }
    try before.expectSame(as: keeper.current)
    #expect(keeper.heldCount == 6)
    #expect(keeper.brakeState(asOf: now).added == 6)
    #expect(answer(0, keeper) == .black && answer(12, keeper) == nil)
  }

  @Test(arguments: [false, true])
  func `more than the brake can hold is not taken until it is approved, undone or let pass`(
    isSnapshot: Bool
  ) throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path, mostHeld: 8)
    for number in 10..<16 { registry.commit(Self.imei(UInt64(number)), Self.black) }
    let held = try registry.received(after: Position(10))
    #expect(try keeper.take(held, asOf: Self.now) == .applied(changes: 6, held: 6))
    let before = registry
    for number in 16..<19 { registry.commit(Self.imei(UInt64(number)), Self.black) }

    try Self.expectRefused(isSnapshot, registry, keeper, before)
    _ = consume keeper
    keeper = try SmallRegistry.keeper(
      in: scratch.path, brake: Brake.Limit(least: 5, listShare: 0), mostHeld: 8)
    try Self.expectRefused(isSnapshot, registry, keeper, before)

    // Undone: the newest list has it no more.
    var undone = registry
    for number in 16..<19 { undone.commit(Self.imei(UInt64(number)), nil) }
    let copy = scratch.path + "-undone"
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try FileManager.default.copyItem(atPath: scratch.path, toPath: copy)
    let other = try SmallRegistry.keeper(
      in: copy, brake: Brake.Limit(least: 5, listShare: 0), mostHeld: 8)
    try undone.writeSnapshot(to: other.partPath)
    #expect(try other.installPart(asOf: Self.now) == .installed(Position(22), held: 0))
    #expect(other.heldCount == 6)
    try undone.expectSame(as: other.current)

    // Approved, or let pass by a person who has raised the limit.
    if isSnapshot {
      try keeper.limitBrake(to: Brake.Limit(least: 100, listShare: 0))
      try registry.writeSnapshot(to: keeper.partPath)
      #expect(try keeper.installPart(asOf: Self.now) == .installed(Position(19), held: 0))
    } else {
      registry.marks = [MassMark(run: 1, after: Position(16), upTo: Position(19), blacks: 3)]
      let delta = try registry.received(after: Position(16))
      #expect(try keeper.take(delta, asOf: Self.now) == .applied(changes: 3, held: 0))
    }
    #expect(Self.answer(17, keeper) == .black && Self.answer(12, keeper) == nil)
    try registry.expectSame(as: keeper.current)
  }

  @Test func `an approved mass change is neither held nor counted`() throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    for number in 10..<16 { registry.commit(Self.imei(UInt64(number)), Self.black) }
    registry.marks = [MassMark(run: 1, after: Position(10), upTo: Position(16), blacks: 6)]
    let delta = try registry.received(after: Position(10))
    #expect(try keeper.take(delta, asOf: Self.now) == .applied(changes: 6, held: 0))
    #expect(Self.answer(12, keeper) == .black)
    #expect(keeper.brakeState(asOf: Self.now).added == 0)
  }

  @Test(arguments: [false, true])
  func `an approval that comes later sets free what it explains`(isSnapshot: Bool) throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    for number in 10..<16 { registry.commit(Self.imei(UInt64(number)), Self.black) }
    registry.commit(Self.imei(16), Self.black)
    if isSnapshot {
      try registry.writeSnapshot(to: keeper.partPath)
      #expect(try keeper.installPart(asOf: Self.now) == .installed(Position(17), held: 7))
    } else {
      let delta = try registry.received(after: Position(10))
      #expect(try keeper.take(delta, asOf: Self.now) == .applied(changes: 7, held: 7))
    }
    _ = consume keeper
    keeper = try SmallRegistry.keeper(
      in: scratch.path, brake: Brake.Limit(least: 5, listShare: 0))
    registry.marks = [MassMark(run: 4, after: Position(10), upTo: Position(16), blacks: 6)]
    registry.issuedAt = registry.issuedAt.adding(seconds: 60)
    #expect(
      try keeper.take(try registry.received(after: Position(17)), asOf: Self.now) == .confirmed)
    #expect(Self.answer(12, keeper) == .black)
    // What a snapshot made black together is freed when few enough are left unexplained.
    #expect(keeper.heldCount == (isSnapshot ? 0 : 1))
    #expect(Self.answer(16, keeper) == (isSnapshot ? .black : nil))
    #expect(keeper.brakeState(asOf: Self.now).added == (isSnapshot ? 0 : 1))
  }

  @Test func `a snapshot counts what no approved mass change explains`() throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    for number in 10..<18 { registry.commit(Self.imei(UInt64(number)), Self.black) }
    registry.marks = [MassMark(run: 2, after: Position(10), upTo: Position(14), blacks: 4)]
    try registry.writeSnapshot(to: keeper.partPath)
    #expect(try keeper.installPart(asOf: Self.now) == .installed(Position(18), held: 0))
    #expect(keeper.brakeState(asOf: Self.now).added == 4)
    #expect(Self.answer(17, keeper) == .black)
  }

  @Test func `what was held in another epoch is released by no mark of this one`() throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    for number in 10..<16 { registry.commit(Self.imei(UInt64(number)), Self.black) }
    _ = try keeper.take(try registry.received(after: Position(10)), asOf: Self.now)
    #expect(keeper.heldCount == 6)
    let epoch = Epoch(high: 9, low: 9)
    registry.restore(to: Position(16), epoch: epoch)
    registry.commit(Self.imei(30), nil)
    registry.marks = [MassMark(run: 3, after: Position(10), upTo: Position(16), blacks: 6)]
    keeper.announced(epoch)
    try registry.writeSnapshot(to: keeper.partPath)
    #expect(try keeper.installPart(asOf: Self.now) == .installed(Position(17), held: 0))
    #expect(keeper.heldCount == 6)
    registry.commit(Self.imei(31), nil)
    _ = try keeper.take(try registry.received(after: Position(17)), asOf: Self.now)
    #expect(keeper.heldCount == 6)
  }

  @Test func `a new epoch with the same list is adopted`() throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    let epoch = Epoch(high: 9, low: 9)
    registry.restore(to: Position(10), epoch: epoch)
    keeper.announced(epoch)
    let checkpoint = try registry.received(after: Position(10))
    #expect(try keeper.take(checkpoint, asOf: Self.now) == .confirmed)
    #expect(keeper.current?.head.epoch == epoch)
    registry.commit(Self.imei(20), Self.black)
    let delta = try registry.received(after: Position(10))
    #expect(try keeper.take(delta, asOf: Self.now) == .applied(changes: 1, held: 0))
    _ = consume keeper
    keeper = try SmallRegistry.keeper(in: scratch.path)
    #expect(keeper.current?.head.epoch == epoch)
    try registry.expectSame(as: keeper.current)
  }

  @Test func `a new epoch with another list calls for a snapshot, even of a lower position`() throws
  {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    let epoch = Epoch(high: 9, low: 9)
    registry.restore(to: Position(7), epoch: epoch)
    registry.commit(Self.imei(3), nil)
    let question = ChangesRequest(
      epoch: epoch, after: Position(10), digest: try #require(keeper.current).head.digest)
    keeper.announced(epoch)
    guard case .failure(let refusal) = registry.answer(question) else {
      Issue.record("the registry answered")
      return
    }
    #expect(keeper.refused(refusal.problem) == .takeSnapshot(.epochChanged))
    try registry.writeSnapshot(to: keeper.partPath)
    #expect(try keeper.installPart(asOf: Self.now) == .installed(Position(8), held: 0))
    try registry.expectSame(as: keeper.current)
  }

  @Test func `a delta that would not add up is refused whole`() throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    let before = registry
    registry.commit(Self.imei(3), nil)
    registry.commit(Self.imei(20), Self.black)
    var delta = try registry.received(after: Position(10))
    delta = ReceivedDelta(changes: Array(delta.changes.dropFirst()), checkpoint: delta.checkpoint)
    #expect(
      try keeper.take(delta, asOf: Self.now) == .next(.takeSnapshot(.digestDiffers)))
    try before.expectSame(as: keeper.current)
  }

  @Test func `a damaged, cut or foreign snapshot changes nothing`() throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    let before = registry
    registry.commit(Self.imei(3), nil)
    try registry.writeSnapshot(to: keeper.partPath)
    let whole = try #require(FileManager.default.contents(atPath: keeper.partPath))
    var chance = SeededGenerator(seed: 7)
    for _ in 0..<60 {
      var bytes = whole
      if Bool.random(using: &chance) {
        bytes = bytes.prefix(Int.random(in: 0..<whole.count, using: &chance))
      } else {
        bytes[Int.random(in: 0..<whole.count, using: &chance)] ^= 1 << 3
      }
      try bytes.write(to: URL(fileURLWithPath: keeper.partPath))
      #expect(throws: NodeError.self) { try keeper.installPart(asOf: Self.now) }
    }
    try before.expectSame(as: keeper.current)
  }

  @Test func `an older snapshot is refused`() throws {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    let old = keeper.partPath + ".old"
    try registry.writeSnapshot(to: old)
    registry.commit(Self.imei(3), nil)
    _ = try keeper.take(try registry.received(after: Position(10)), asOf: Self.now)
    try FileManager.default.moveItem(atPath: old, toPath: keeper.partPath)
    guard case .next(.goOn(let error)) = try keeper.installPart(asOf: Self.now) else {
      Issue.record("an old snapshot was taken")
      return
    }
    #expect(error.code == .stale)
    try registry.expectSame(as: keeper.current)
  }

  @Test func `a clock of the registry that is fast does not make the list younger than now`() throws
  {
    let scratch = try Scratch()
    var (registry, keeper) = try Self.followed(in: scratch.path)
    registry.issuedAt = Self.now.adding(seconds: 86_400 * 365)
    _ = try keeper.take(try registry.received(after: Position(10)), asOf: Self.now)
    #expect(keeper.current?.head.issuedAt == Self.now)
  }

  @Test func `a second process is refused`() throws {
    let scratch = try Scratch()
    let (_, keeper) = try Self.followed(in: scratch.path)
    let error = #expect(throws: NodeError.self) {
      _ = try ListKeeper(
        directory: scratch.path, registry: SmallRegistry.name, feed: SmallRegistry.feed,
        brakeLimit: Brake.Limit())
    }
    #expect(error?.code == .directoryInUse)
    withExtendedLifetime(keeper) {}
  }
}
