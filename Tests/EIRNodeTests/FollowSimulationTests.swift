import DeviceLists
import EIRNode
import ListExchange
import ListIndex
import Simulation
import Testing

/// A node follows a registry over a network that loses, doubles, delays and cuts messages, while
/// either side is stopped at any moment. After each step the whole state is compared.
struct FollowSimulationTests {
  fileprivate struct World {
    var registry = SmallRegistry()
    /// What the registry was at each position of the present epoch.
    var history: [UInt64: SmallRegistry] = [:]
    var delayed: [ReceivedDelta] = []
    var chance: SeededGenerator
    let scratch: Scratch
    var keeper: ListKeeper
    let now = Instant("2026-11-23T07:00:00Z")!
    var epochCount: UInt64 = 1
    /// How often each thing happened, so that a test that does nothing is noticed.
    var tally: [String: Int] = [:]
    var last: (epoch: Epoch, position: Position)?

    init(seed: UInt64) throws {
      chance = SeededGenerator(seed: seed)
      scratch = try Scratch()
      keeper = try SmallRegistry.keeper(in: scratch.path)
      history[0] = registry
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20_261_123, 2_718_281_828] as [UInt64])
  func `whatever the network does, the list is the registry's at that position`(
    seed: UInt64
  ) throws {
    var world = try World(seed: seed)
    for _ in 0..<300 {
      try world.step()
      try world.check()
    }
    try world.settle()
    try world.registry.expectSame(as: world.keeper.current)
    print("seed \(seed): \(world.tally.sorted { $0.key < $1.key })")
    #expect(world.tally["applied", default: 0] > 10)
  }
}

extension FollowSimulationTests.World {
  mutating func step() throws {
    switch Int.random(in: 0..<20, using: &chance) {
    case 0..<8: commit()
    case 8..<14: try ask(isCut: Bool.random(using: &chance))
    case 14: try deliverDelayed()
    case 15: delayMessage()
    case 16: try reopen()
    case 17: registry.issuedAt = registry.issuedAt.adding(seconds: 30)
    case 18:
      if Int.random(in: 0..<4, using: &chance) == 0 { startEpoch() }
    default:
      if Int.random(in: 0..<3, using: &chance) == 0 { registry.horizon = registry.position }
    }
  }

  private mutating func commit() {
    for _ in 0..<Int.random(in: 1...5, using: &chance) {
      registry.commitSomething(using: &chance)
      history[registry.position.number] = registry
    }
  }

  /// One question and what follows from its answer, perhaps cut off in the middle.
  mutating func ask(isCut: Bool) throws {
    var action = keeper.next
    for _ in 0..<4 {
      switch action {
      case .fetch(let epoch, let after, let digest):
        let question = ChangesRequest(epoch: epoch, after: after, digest: digest)
        switch registry.answer(question) {
        case .failure(let refusal): action = keeper.refused(refusal.problem)
        case .success(let bytes):
          guard let delta = transmitted(bytes, after: after, isCut: isCut) else { return }
          let progress = try keeper.take(delta, asOf: now)
          note(progress)
          guard case .next(let next) = progress else { return }
          action = next
        }
      case .takeSnapshot:
        try registry.writeSnapshot(to: keeper.partPath)
        let progress = try keeper.installPart(asOf: now)
        note(progress)
        guard case .next(let next) = progress else { return }
        action = next
      case .changeEpoch(let epoch):
        keeper.announced(epoch)
        action = keeper.next
      default: return
      }
    }
  }

  private mutating func note(_ progress: ListKeeper.Progress) {
    let word = String(describing: progress).prefix { $0 != "(" }
    let isNew = keeper.current?.head.epoch != last?.epoch
    tally["\(word)\(isNew ? " in a new epoch" : "")", default: 0] += 1
  }

  private mutating func transmitted(
    _ bytes: [UInt8], after: Position, isCut: Bool
  ) -> ReceivedDelta? {
    var decoder = DeltaDecoder(feed: SmallRegistry.feed, after: after)
    let length = isCut ? Int.random(in: 0..<bytes.count, using: &chance) : bytes.count
    do throws(ExchangeError) {
      try decoder.append(Array(bytes[..<length]))
      let delta = try decoder.finish()
      #expect(!isCut)
      return delta
    } catch {
      #expect(isCut)
      return nil
    }
  }

  private mutating func delayMessage() {
    let after = Position(.random(in: 0...registry.position.number, using: &chance))
    var decoder = DeltaDecoder(feed: SmallRegistry.feed, after: after)
    guard (try? decoder.append(registry.delta(after: after))) != nil else { return }
    if let delta = try? decoder.finish() { delayed.append(delta) }
  }

  /// Out of order, and perhaps more than once.
  private mutating func deliverDelayed() throws {
    guard !delayed.isEmpty else { return }
    let place = Int.random(in: delayed.indices, using: &chance)
    let delta = delayed[place]
    if Bool.random(using: &chance) { delayed.remove(at: place) }
    note(try keeper.take(delta, asOf: now))
  }

  private mutating func reopen() throws {
    let before = keeper.current?.head
    // The lock of a directory goes with its keeper.
    var closing: ListKeeper? = keeper
    let other = try Scratch()
    keeper = try SmallRegistry.keeper(in: other.path)
    closing = nil
    _ = closing
    keeper = try SmallRegistry.keeper(in: scratch.path)
    #expect(keeper.current?.head.position == before?.position)
    #expect(keeper.current?.head.digest == before?.digest)
  }

  private mutating func startEpoch() {
    epochCount += 1
    let kept = Position(
      .random(in: (registry.position.number / 2)...registry.position.number, using: &chance))
    registry.restore(to: kept, epoch: Epoch(high: 0, low: epochCount))
    registry.horizon = min(registry.horizon, registry.position)
    history = history.filter { $0.key <= kept.number }
    history[kept.number] = registry
  }

  mutating func check() throws {
    guard let current = keeper.current else { return }
    let head = current.head
    if let last, last.epoch == head.epoch { #expect(head.position >= last.position) }
    last = (head.epoch, head.position)
    #expect(current.recomputedDigests().sum == head.digest)
    if head.epoch == registry.epoch, let then = history[head.position.number] {
      try then.expectSame(as: current)
    }
  }

  mutating func settle() throws {
    for _ in 0..<200 {
      if let head = keeper.current?.head, head.epoch == registry.epoch,
        head.position == registry.position
      {
        return
      }
      try ask(isCut: false)
    }
  }
}
