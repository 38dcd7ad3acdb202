import AsyncAlgorithms
import AsyncHTTPClient
import DeviceLists
package import ListExchange
import ListIndex
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix

/// Follows the registry until it is cancelled: asks, keeps what came, and after a failure waits and
/// asks again. Where the registry hands over by itself, it waits until that has been silent for too
/// long. Answers do not depend on it.
package struct FeedLoop: Sendable {
  package struct Pace: Sendable {
    /// How long the registry may hold a question.
    package var waitSeconds = 50
    /// How long beyond that nothing whole may come.
    package var patienceSeconds = RegistryClient.patienceSeconds
    package var snapshotPatience = Duration.seconds(60)
    /// After an answer that said nothing new too soon.
    package var pauseAfterNothing = Duration.milliseconds(100)
    /// Between two looks whether the registry has gone silent.
    package var pauseWhilePushed = Duration.seconds(1)
    package var backoff = Backoff()
    /// After snapshots that are not to be believed: they are large.
    package var snapshotBackoff = Backoff(
      shortestMilliseconds: 5_000, longestMilliseconds: 600_000)

    package init() {}
  }

  enum Outcome {
    case progress, nothingNew
    /// A snapshot or another epoch: well in itself, but not over and over.
    case detour
    case trouble(NodeError)
    /// A whole snapshot came and was of no use.
    case useless(NodeError)
  }

  private static let mostDetours = 3

  let keeper: ListKeeper
  let client: RegistryClient
  let proof: SignatureProof
  let parameters: ParametersKeeper
  let feed: Feed
  let health: FeedHealth
  let threads: NIOThreadPool
  let logger: Logger
  package var pace = Pace()
  /// Rung when something has changed by which it may go on.
  let wakeUp: WakeUp
  let acknowledge: AcknowledgementBell
  let startedAt: Instant

  /// Until the task is cancelled.
  package func run() async {
    var detours = 0
    var insists = false
    var backoff = pace.backoff
    var snapshotBackoff = pace.snapshotBackoff
    var chance = SystemRandomNumberGenerator()
    while !Task.isCancelled {
      guard isToAsk else {
        await wakeUp.wait(atMost: pace.pauseWhilePushed)
        continue
      }
      let outcome = await step(insists: insists)
      if Task.isCancelled { return }
      switch outcome {
      case .progress, .nothingNew:
        recovered()
        backoff.succeeded()
        snapshotBackoff.succeeded()
        (detours, insists) = (0, false)
        if case .nothingNew = outcome { await wakeUp.wait(atMost: pace.pauseAfterNothing) }
      case .detour:
        detours += 1
        if detours > Self.mostDetours {
          await wakeUp.wait(atMost: snapshotBackoff.failed(using: &chance))
        }
      case .trouble(let error):
        failed(error)
        await wakeUp.wait(atMost: backoff.failed(using: &chance))
      case .useless(let error):
        failed(error)
        insists = true
        await wakeUp.wait(atMost: snapshotBackoff.failed(using: &chance))
      }
    }
  }

  /// A node that is pushed to asks after a long silence, for its first list, and for another where
  /// its file is damaged.
  private var isToAsk: Bool {
    let state = parameters.state
    if keeper.current == nil || keeper.file.isDamaged, state.inForce.style != .files { return true }
    let heard = health.report.lastBroadcast ?? startedAt
    return state.asksByItself(silentSince: heard, asOf: .now())
  }

  func recovered() {
    if health.recovered() { logger.notice("following the registry again") }
  }

  private func failed(_ error: NodeError) {
    if health.failed(error.description, code: error.code) {
      logger.warning(
        "not following the registry at present; answering from the list on disk, if any",
        metadata: ["reason": "\(error.debugDescription)"])
    }
  }

  private func step(insists: Bool) async -> Outcome {
    do {
      return try await perform(keeper.next, insists: insists)
    } catch {
      return .trouble(Self.nodeError(error))
    }
  }

  static func nodeError(_ error: any Error) -> NodeError {
    switch error {
    case let error as NodeError: error
    case let error as ExchangeError: NodeError(error)
    default: NodeError(.registryUnreachable, "the registry does not answer", underlying: error)
    }
  }

  private func perform(
    _ action: FeedFollower.Action, insists: Bool
  ) async throws -> Outcome {
    switch action {
    case .fetch(let epoch, let after, let digest):
      // After trouble an answer is wanted at once: until it comes nobody knows that it is over. So
      // in an epoch that the list is not yet of: until it comes it is of the former.
      let longest = min(pace.waitSeconds, parameters.state.inForce.window.seconds)
      let isSettled = health.report.trouble == nil && keeper.current?.head.epoch == epoch
      let wait = isSettled ? longest : 0
      return try await fetch(
        ChangesRequest(
          epoch: epoch, after: after, digest: digest, waitSeconds: wait, isStream: true,
          insists: insists))
    case .takeSnapshot(let reason):
      logger.notice("taking a snapshot", metadata: ["reason": "\(reason)"])
      return try await takeSnapshot()
    case .changeEpoch(let epoch):
      logger.notice("the registry has started a new epoch", metadata: ["epoch": "\(epoch)"])
      keeper.announced(epoch)
      return .detour
    case .goOn(let error): return .trouble(NodeError(error))
    case .apply, .confirm, .ignore, .install: return .nothingNew
    }
  }
}

// MARK: - Deltas

extension FeedLoop {
  /// Delta after delta on one response: each is put on disk while the next arrives.
  private func fetch(_ question: ChangesRequest) async throws -> Outcome {
    let start = ContinuousClock.now
    let watchdog = Watchdog(
      patience: .seconds(question.waitSeconds + pace.patienceSeconds),
      complaint: "the registry does not go on with what it sends")
    let seen = try await watchdog.watch { progress in
      try await stream(question, progress)
    }
    switch seen.end {
    case nil:
      // A registry that holds questions paces us; one that does not is not to be pestered.
      let isSoon = ContinuousClock.now - start < .seconds(1)
      return seen.changes > 0 || !isSoon ? .progress : .nothingNew
    case .changeEpoch(let epoch)?:
      keeper.announced(epoch)
      return .detour
    case .takeSnapshot(let reason)?:
      logger.notice("taking a snapshot", metadata: ["reason": "\(reason)"])
      return try await takeSnapshot()
    case .goOn(let error)?: return .trouble(NodeError(error))
    // Somebody else has moved the list on meanwhile.
    case .fetch?, .apply?, .confirm?, .ignore?, .install?: return .nothingNew
    }
  }

  private struct Seen: Sendable {
    var changes = 0
    /// What calls for something else than reading on.
    var end: FeedFollower.Action?

    mutating func add(_ other: Seen) {
      changes += other.changes
      end = other.end
    }
  }

  private func stream(
    _ question: ChangesRequest, _ progress: Watchdog.Progress
  ) async throws -> Seen {
    let response = try await client.ask(.GET, question.target, deadline: .distantFuture)
    guard response.status == .ok else {
      let problem = try await RegistryClient.problem(response)
      health.answered(asOf: .now())
      return Seen(end: keeper.refused(problem))
    }
    // Holds one delta: nothing is read ahead of a slow disk.
    let deltas = AsyncChannel<ReceivedDelta>()
    return try await withThrowingTaskGroup(of: Seen?.self) { group in
      group.addTask {
        try await read(response.body, after: question.after, progress, into: deltas)
        deltas.finish()
        return nil
      }
      group.addTask { try await take(deltas) }
      // Whichever fails ends the other: a delta that is refused, or calls for something else, does
      // not wait until the registry says more.
      defer { group.cancelAll() }
      while let ended = try await group.next() {
        if let seen = ended { return seen }
      }
      throw CancellationError()
    }
  }

  private func read(
    _ body: HTTPClientResponse.Body, after: Position, _ progress: Watchdog.Progress,
    into deltas: AsyncChannel<ReceivedDelta>
  ) async throws {
    var decoder = DeltaStreamDecoder(feed: feed, after: after)
    var isEmpty = true
    for try await piece in body {
      for delta in try piece.withUnsafeReadableBytes({ try decoder.append($0) }) {
        progress.made()
        await deltas.send(delta)
        isEmpty = false
      }
    }
    guard decoder.isBetweenDeltas, !isEmpty else { throw ExchangeError(.cutShort) }
  }

  private func take(_ deltas: AsyncChannel<ReceivedDelta>) async throws -> Seen {
    var seen = Seen()
    for await delta in deltas {
      seen.add(try await take(delta))
      if seen.end != nil { break }
    }
    return seen
  }

  private func take(_ delta: ReceivedDelta) async throws -> Seen {
    try await proof.prove(delta, asOf: .now())
    health.answered(asOf: .now())
    let progress = try await threads.runIfActive { try keeper.take(delta, asOf: .now()) }
    switch progress {
    case .applied(let changes, let held):
      health.applied(changes: changes)
      if held > 0 { warnOfBrake(held) }
      recovered()
      acknowledge.ring()
      return Seen(changes: changes)
    case .confirmed, .installed, .next(.ignore):
      recovered()
      return Seen()
    case .next(let action): return Seen(end: action)
    }
  }

  func warnOfBrake(_ held: Int) {
    logger.warning(
      "the brake holds subjects that became black: they answer as before until eir accept",
      metadata: ["held": "\(held)"])
  }
}

// MARK: - Snapshots

extension FeedLoop {
  private func takeSnapshot() async throws -> Outcome {
    let position = keeper.current?.head.position
    let download = SnapshotDownload(
      client: client, path: keeper.partPath, threads: threads, patience: pace.snapshotPatience)
    // What has come stays where this fails, and is gone on with.
    let refusal = try await download.run(after: position)
    health.answered(asOf: .now())
    if let refusal { throw NodeError(refusal.error) }
    do {
      let progress = try await install(download.path)
      try await threads.runIfActive { download.discard() }
      return outcome(of: progress)
    } catch {
      let error = Self.nodeError(error)
      // On a full disk the file is kept: it may be right.
      guard error.code != .diskFull else { return .trouble(error) }
      try await threads.runIfActive { download.discard() }
      return .useless(error)
    }
  }

  private func install(_ path: String) async throws -> ListKeeper.Progress {
    let signed = try await threads.runIfActive {
      try ListKeeper.signedCheckpoint(ofFile: path)
    }
    try await proof.prove(signed, asOf: .now())
    return try await threads.runIfActive {
      try keeper.install(snapshot: path, provenBy: signed.checkpoint, asOf: .now())
    }
  }

  private func outcome(of progress: ListKeeper.Progress) -> Outcome {
    switch progress {
    case .installed(let position, let held):
      health.installed()
      recovered()
      acknowledge.ring()
      logger.notice("snapshot installed", metadata: ["position": "\(position)"])
      if held > 0 { warnOfBrake(held) }
      return .detour
    case .next(.goOn(let error)): return .useless(NodeError(error))
    case .applied, .confirmed, .next: return .progress
    }
  }
}
