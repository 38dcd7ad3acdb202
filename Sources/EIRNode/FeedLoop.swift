import AsyncHTTPClient
import DeviceLists
import ListExchange
import ListIndex
import Logging
import NIOPosix

/// Follows the registry until it is cancelled: asks, keeps what came, and after a failure waits and
/// asks again. Answers do not depend on it.
struct FeedLoop: Sendable {
  struct Pace: Sendable {
    /// How long the registry may hold a question.
    var waitSeconds = 50
    /// After an answer that said nothing new too soon.
    var pauseAfterNothing = Duration.milliseconds(100)
    /// Between two looks for a better snapshot while one is held.
    var betweenHeldSnapshots = Duration.seconds(600)
    var backoff = Backoff()
  }

  private enum Outcome {
    case progress, nothingNew, heldWhole
    /// A snapshot or another epoch: well in itself, but not over and over.
    case detour
    case trouble(NodeError)
  }

  private static let mostDetours = 3
  private static let betweenCompactions = Duration.seconds(1)

  let keeper: ListKeeper
  let client: RegistryClient
  let feed: Feed
  let health: FeedHealth
  let threads: NIOThreadPool
  let logger: Logger
  var pace = Pace()
  /// Rung when a person has accepted, so that a held snapshot is not waited for.
  let wakeUp: WakeUp

  /// Until the task is cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await follow() }
      group.addTask { await compact() }
    }
  }

  private func follow() async {
    var detours = 0
    var backoff = pace.backoff
    var chance = SystemRandomNumberGenerator()
    while !Task.isCancelled {
      let outcome = await step()
      if Task.isCancelled { return }
      switch outcome {
      case .progress, .nothingNew:
        backoff.succeeded()
        detours = 0
        if health.recovered() { logger.notice("following the registry again") }
        if case .nothingNew = outcome { await wakeUp.sleep(for: pace.pauseAfterNothing) }
      case .detour:
        detours += 1
        if detours > Self.mostDetours { await wakeUp.sleep(for: backoff.failed(using: &chance)) }
      case .heldWhole: await wakeUp.sleep(for: pace.betweenHeldSnapshots)
      case .trouble(let error):
        if health.failed(error.description, code: error.code) {
          logger.warning(
            "not following the registry at present; answering from the list on disk, if any",
            metadata: ["reason": "\(error.debugDescription)"])
        }
        await wakeUp.sleep(for: backoff.failed(using: &chance))
      }
    }
  }

  private func step() async -> Outcome {
    do {
      if keeper.heldSnapshot != nil { return try await takeSnapshot() }
      return try await perform(keeper.next)
    } catch let error as NodeError {
      return .trouble(error)
    } catch let error as ExchangeError {
      return .trouble(NodeError(error))
    } catch {
      return .trouble(
        NodeError(.registryUnreachable, "the registry does not answer", underlying: error))
    }
  }

  private func perform(_ action: FeedFollower.Action) async throws -> Outcome {
    switch action {
    case .fetch(let epoch, let after, let digest):
      return try await fetch(
        ChangesRequest(
          epoch: epoch, after: after, digest: digest, waitSeconds: pace.waitSeconds))
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

  private func fetch(_ question: ChangesRequest) async throws -> Outcome {
    let start = ContinuousClock.now
    switch try await client.changes(question, feed: feed) {
    case .problem(let problem):
      health.answered(asOf: .now())
      return try await perform(keeper.refused(problem))
    case .delta(let delta):
      health.answered(asOf: .now())
      let progress = try await threads.runIfActive { try keeper.take(delta, asOf: .now()) }
      switch progress {
      case .applied(let changes, let held):
        health.applied(changes: changes)
        if held > 0 { warnOfBrake(held) }
        return changes > 0 ? .progress : pausing(since: start)
      case .confirmed: return pausing(since: start)
      case .installed, .heldWhole: return .progress
      case .next(let action): return try await perform(action)
      }
    }
  }

  /// A registry that holds questions paces us; one that does not is not to be pestered.
  private func pausing(since start: ContinuousClock.Instant) -> Outcome {
    ContinuousClock.now - start < .seconds(1) ? .nothingNew : .progress
  }

  private func takeSnapshot() async throws -> Outcome {
    let wasHeld = keeper.heldSnapshot != nil
    let position = keeper.current?.head.position
    defer { keeper.discardPart() }
    let reply = try await client.snapshot(after: position, to: keeper.partPath)
    health.answered(asOf: .now())
    if case .problem(let problem) = reply { throw NodeError(problem.error) }
    switch try await threads.runIfActive({ try keeper.installPart(asOf: .now()) }) {
    case .installed(let position):
      health.installed()
      logger.notice("snapshot installed", metadata: ["position": "\(position)"])
      return .detour
    case .heldWhole:
      if !wasHeld {
        logger.warning(
          "a snapshot that makes too many devices black is held until eir accept"
        )
      }
      return .heldWhole
    case .next(.goOn(let error)): return .trouble(NodeError(error))
    case .applied, .confirmed, .next: return .progress
    }
  }

  private func warnOfBrake(_ held: Int) {
    logger.warning(
      "the brake holds subjects that became black: they answer as before until eir accept",
      metadata: ["held": "\(held)"])
  }

  /// Beside the following, which goes on meanwhile.
  private func compact() async {
    var isNews = true
    while !Task.isCancelled {
      do {
        try await threads.runIfActive { try keeper.compactIfNeeded() }
        isNews = true
      } catch  where !Task.isCancelled {
        if isNews {
          logger.warning(
            "cannot compact the list; answering goes on", metadata: ["reason": "\(error)"])
        }
        isNews = false
      } catch { return }
      await wakeUp.sleep(for: Self.betweenCompactions)
    }
  }
}
