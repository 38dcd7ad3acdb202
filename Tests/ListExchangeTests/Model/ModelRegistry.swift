import DeviceIdentity
import DeviceLists
import Simulation

@testable import ListExchange

/// The registry as it is on disk: one journal for two operators, with epochs and a horizon.
struct ModelRegistry {
  /// A mass change; approved, it is a mark in every checkpoint.
  struct Run {
    let number: Int64
    let after: Position
    let upTo: Position
    let blacks: [Feed: Int]
    var isApproved: Bool
  }

  static let name = Samples.registry
  static let feeds = ["alfa", "beta"].map { Feed(of: OperatorCode($0)!) }

  private(set) var epoch: Epoch
  /// The row of position n stands at n − 1.
  private(set) var journal: [Change] = []
  private(set) var list = ModelList()
  /// Of each feed at each position from 0 on.
  private(set) var digests: [Feed: [ListDigest]] = [:]
  /// Rows up to here are no longer there.
  private(set) var horizon = Position.start
  private(set) var runs: [Run] = []
  private(set) var parameters: [ParametersState]
  /// What every feed's digest was at every position of every epoch: the truth.
  private(set) var truth: [Epoch: [Feed: [ListDigest]]] = [:]
  private let entryDigests: EntryDigests

  init(epoch: Epoch, nodes: Int, _ entryDigests: EntryDigests) {
    self.epoch = epoch
    self.entryDigests = entryDigests
    parameters = Array(
      repeating: ParametersState(inForce: ExchangeParameters(version: 1)), count: nodes)
    for feed in Self.feeds { digests[feed] = [.zero] }
    truth[epoch] = digests
  }

  var position: Position { Position(UInt64(journal.count)) }

  mutating func publish(_ entries: [(ModelKey, EntryClass?)]) {
    for (key, entryClass) in entries {
      let change = Change(
        position: position.next, subject: key.subject, scope: key.scope, entryClass: entryClass)
      journal.append(change)
      apply(change)
    }
    truth[epoch] = digests
  }

  /// Blacks that nobody had: one row each.
  mutating func publish(run number: Int64, _ subjects: [Subject], isApproved: Bool) {
    let (after, before) = (position, list)
    publish(subjects.map { (ModelKey(subject: $0, scope: .all), Samples.black) })
    var blacks: [Feed: Int] = [:]
    for feed in Self.feeds {
      blacks[feed] = subjects.count { !before.isBlack($0, feed) && list.isBlack($0, feed) }
    }
    runs.append(
      Run(
        number: number, after: after, upTo: position, blacks: blacks, isApproved: isApproved))
  }

  mutating func approveAll() {
    for index in runs.indices { runs[index].isApproved = true }
  }

  /// A restored backup that lacks the last rows: their positions will be used again.
  mutating func restore(losing count: Int, as epoch: Epoch) {
    journal.removeLast(min(count, journal.count))
    let last = position
    runs.removeAll { $0.upTo > last }
    horizon = min(horizon, position)
    list = ModelList()
    for feed in Self.feeds { digests[feed] = [.zero] }
    for change in journal { apply(change) }
    self.epoch = epoch
    truth[epoch] = digests
  }

  mutating func trim(to position: Position) { horizon = max(horizon, min(position, self.position)) }

  mutating func propose(_ parameters: ExchangeParameters, to node: Int) {
    let state = self.parameters[node]
    self.parameters[node].told(
      ParametersAnswer(inForce: state.inForce, proposed: parameters))
  }

  mutating func confirmed(_ version: Int, by node: Int) { parameters[node].confirmed(version) }

  mutating func adopted(_ parameters: ExchangeParameters, for node: Int) {
    self.parameters[node].adopted(parameters)
  }

  private mutating func apply(_ change: Change) {
    let before = list.digest
    list.apply(change, entryDigests)
    let difference = list.digest - before
    for feed in Self.feeds {
      let last = digests[feed]?.last ?? .zero
      digests[feed]?.append(feed.contains(change.scope) ? last + difference : last)
    }
  }
}

// MARK: - What it sends

extension ModelRegistry {
  func digest(of feed: Feed, at position: Position) -> ListDigest? {
    guard position <= self.position, position >= horizon else { return nil }
    return digests[feed]?[Int(position.number)]
  }

  func offer(to standing: Standing?, _ feed: Feed) -> BroadcastSession.Offer {
    let rows = standing.map { Int(position.number) - Int($0.position.number) } ?? 0
    return BroadcastSession.Offer(
      epoch: epoch, position: position,
      digestThere: standing.flatMap { digest(of: feed, at: $0.position) },
      cheaperWay: rows > 60 ? .snapshot : .delta)
  }

  /// What is read back from the bytes where `asBytes`, so that both halves of the code are used.
  func delta(
    of feed: Feed, after: Position, most: Int, asOf now: Instant, asBytes: Bool
  ) throws -> ReceivedDelta {
    let upTo = min(self.position, Position(after.number + UInt64(most)))
    let rows = journal[Int(after.number)..<Int(upTo.number)].filter { feed.contains($0.scope) }
    let head = ListHead(
      epoch: epoch, position: upTo, digest: digest(of: feed, at: upTo) ?? .zero, issuedAt: now)
    guard asBytes else {
      let checkpoint = checkpoint(of: feed, after: after, head)
      return ReceivedDelta(changes: rows, checkpoint: checkpoint)
    }
    var encoder = DeltaEncoder(after: after)
    for row in rows { encoder.append(row) }
    var decoder = DeltaDecoder(feed: feed, after: nil)
    try decoder.append(
      try encoder.finish(
        registry: Self.name, feed: feed, head: head, massMarks: marks(of: feed),
        signer: Samples.signer))
    return try decoder.finish()
  }

  func snapshot(of feed: Feed, asOf now: Instant) -> ModelSnapshot {
    let head = ListHead(
      epoch: epoch, position: position, digest: digest(of: feed, at: position) ?? .zero,
      issuedAt: now)
    return ModelSnapshot(
      list: list.part(of: feed, entryDigests),
      checkpoint: checkpoint(of: feed, after: .start, head))
  }

  /// In the order of `Schema/exchange/feed.md`.
  func refusal(of asked: ChangesRequest, _ feed: Feed) -> ExchangeProblem? {
    func problem(_ code: ExchangeCode) -> ExchangeProblem {
      ExchangeProblem(ExchangeError(code), epoch: epoch, position: position)
    }
    if asked.epoch != epoch { return problem(.epochChanged) }
    if asked.after > position { return problem(.nodeAhead) }
    guard let digest = digest(of: feed, at: asked.after) else { return problem(.beforeHorizon) }
    if digest != asked.digest { return problem(.digestDiffers) }
    let rows = Int(position.number - asked.after.number)
    return rows > 60 && !asked.insists ? problem(.snapshotIsCheaper) : nil
  }

  private func checkpoint(of feed: Feed, after: Position, _ head: ListHead) -> Checkpoint {
    Checkpoint(
      registry: Self.name, epoch: epoch, feed: feed, after: after, position: head.position,
      digest: head.digest, contentHash: Self.noContent, issuedAt: head.issuedAt,
      massMarks: marks(of: feed))
  }

  private static let noContent = ContentHash(bytes: [UInt8](repeating: 0, count: 32))

  private func marks(of feed: Feed) -> [MassMark] {
    let newest = runs.filter { $0.isApproved }.suffix(ExchangeLimits.mostMassMarks)
    return newest.map { run in
      MassMark(
        run: run.number, after: run.after, upTo: run.upTo, blacks: run.blacks[feed] ?? 0)
    }
  }
}
