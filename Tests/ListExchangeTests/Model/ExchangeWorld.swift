import DeviceIdentity
import DeviceLists
import Simulation

@testable import ListExchange

/// A registry, its nodes and a bad network, driven by one seed: the same seed, the same history.
final class ExchangeWorld {
  /// How bad it is, in thousandths.
  struct Trouble {
    var lost = 0
    var doubled = 0
    var delayed = 0
    var cut = 0
    var gap = 0
    var fault = 0
  }

  static let nodeCount = 3
  static let tickSeconds: Int64 = 5
  static let answerSeconds: Int64 = 30
  static let actSeconds: ClosedRange<Int64> = 1...25

  var chance: SeededGenerator
  var now = Instant("2026-11-23T06:00:00Z")!
  var registry: ModelRegistry
  var isRegistryUp = true
  /// How far the registry's clock is off; a restored one may be slow.
  var clockError: Int64 = 0
  var nodes: [ModelNode]
  var sessions: [BroadcastSession]
  /// The token of the broadcast that a session waits for.
  var broadcasts: [Int?]
  var trouble: Trouble
  let digests = EntryDigests()
  var nextRun: Int64 = 1
  var actsLeft = 0
  /// Snapshots that have been sent.
  var snapshotCount = 0
  /// What has gone wrong so far.
  private(set) var findings: [String] = []
  /// The furthest that each node has been in each epoch.
  private var furthest: [[Epoch: Position]]
  /// The next last; of those of one moment the one that was scheduled first.
  private var queue: [(at: Instant, event: ModelEvent)] = []
  private var tokens = 0

  init(seed: UInt64) {
    var chance = SeededGenerator(seed: seed)
    registry = ModelRegistry(
      epoch: Epoch(using: &chance), nodes: Self.nodeCount, digests)
    let start = now
    nodes = (0..<Self.nodeCount).map { number in
      ModelNode(feed: ModelRegistry.feeds[number % 2], asOf: start)
    }
    sessions = Array(repeating: BroadcastSession(confirmSeconds: 20), count: Self.nodeCount)
    broadcasts = Array(repeating: nil, count: Self.nodeCount)
    furthest = Array(repeating: [:], count: Self.nodeCount)
    trouble = Trouble(
      lost: .random(in: 0...200, using: &chance), doubled: .random(in: 0...200, using: &chance),
      delayed: .random(in: 0...200, using: &chance), cut: .random(in: 0...100, using: &chance),
      gap: .random(in: 0...40, using: &chance),
      fault: .random(in: 0...100, using: &chance))
    self.chance = chance
  }

  // MARK: - Time

  func schedule(_ event: ModelEvent, after seconds: Int64) {
    let at = now.adding(seconds: seconds)
    var place = queue.count
    while place > 0, queue[place - 1].at <= at { place -= 1 }
    queue.insert((at, event), at: place)
  }

  func token() -> Int {
    tokens += 1
    return tokens
  }

  func holds(_ thousandths: Int) -> Bool {
    thousandths > 0 && Int.random(in: 0..<1_000, using: &chance) < thousandths
  }

  func fault() -> WriteFault? {
    holds(trouble.fault) ? WriteFault.allCases.randomElement(using: &chance) : nil
  }

  /// Runs until `isEnough`, or a time has passed; false for the latter.
  func run(atMost seconds: Int64, until isEnough: () -> Bool) throws -> Bool {
    let end = now.adding(seconds: seconds)
    while !isEnough() {
      guard let next = queue.last, next.at <= end, findings.isEmpty else { return false }
      queue.removeLast()
      now = next.at
      try happen(next.event)
      check(next.event)
    }
    return true
  }

  // MARK: - What must hold at every moment

  func found(_ what: String) { findings.append("\(now): \(what)") }

  private func check(_ event: ModelEvent) {
    for (number, node) in nodes.enumerated() {
      guard let list = node.disk.list, let head = node.disk.head else { continue }
      let digests = registry.truth[head.epoch]?[node.feed] ?? []
      let place = Int(head.position.number)
      if !digests.indices.contains(place) || list.digest != digests[place] {
        found("node \(number) answers from no list of \(Standing(head)) after \(event)")
      }
      if let before = furthest[number][head.epoch], head.position < before {
        found("node \(number) went back from \(before) to \(Standing(head))")
      }
      furthest[number][head.epoch] = head.position
    }
  }

  // MARK: - The network

  /// Both ways: a message is delayed, doubled or lost; `event` is made once for each time it comes.
  func send(_ event: ModelEvent, isLate: Bool = true) {
    for _ in 0..<(holds(trouble.doubled) ? 2 : 1) where !holds(trouble.lost) {
      let isDelayed = isLate && holds(trouble.delayed)
      schedule(event, after: isDelayed ? .random(in: 5...120, using: &chance) : transit())
    }
  }

  private func transit() -> Int64 { Int64.random(in: 0...2, using: &chance) }

  private func happen(_ event: ModelEvent) throws {
    switch event {
    case .tick:
      schedule(.tick, after: Self.tickSeconds)
      for number in nodes.indices {
        step(node: number)
        try step(session: number)
      }
    case .act: try act()
    case .nodeStarts(let number): nodes[number].start(asOf: now)
    case .registryStarts: startRegistry()
    case .question(let number, let question, let token):
      try answer(question, of: number, token: token)
    case .reply(let number, let reply, let token, let version):
      take(reply, by: number, token: token, version: version)
    case .noReply(let number, let token): miss(number, token: token)
    case .broadcast(let number, let broadcast, let token, let isAsync, let version):
      take(broadcast, by: number, token: token, isAsync: isAsync, version: version)
    case .answer(let number, let reply, let token):
      try take(reply, from: number, token: token)
    case .noAnswer(let number, let token): fail(number, token: token)
    case .work(let number, let broadcast, let life): work(broadcast, by: number, life: life)
    }
  }

  func restart(node number: Int) {
    nodes[number].kill()
    schedule(.nodeStarts(number), after: .random(in: 1...90, using: &chance))
  }
}
