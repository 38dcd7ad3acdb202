import DeviceLists
import ListExchange
import Logging
import NIOPosix
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Takes what the registry hands over: now, or one after the other in the background.
final class BroadcastTaker: Sendable {
  /// Something whole, whose signature is proved.
  enum Broadcast: Sendable {
    case delta(ReceivedDelta)
    case snapshot(path: String, Checkpoint)

    var checkpoint: Checkpoint {
      switch self {
      case .delta(let delta): delta.checkpoint
      case .snapshot(_, let checkpoint): checkpoint
      }
    }

    /// Removes the file of a snapshot that is not taken; one that is taken has moved away.
    func discard() {
      if case .snapshot(let path, _) = self { unlink(path) }
    }
  }

  /// Taken and not yet on disk.
  static let mostWaiting = 4

  private let keeper: ListKeeper
  private let health: FeedHealth
  private let threads: NIOThreadPool
  private let logger: Logger
  private let acknowledge: AcknowledgementBell
  private let waiting = Mutex(0)
  private let queue: AsyncStream<Broadcast>
  private let entrance: AsyncStream<Broadcast>.Continuation

  init(
    keeper: ListKeeper, health: FeedHealth, threads: NIOThreadPool, logger: Logger,
    acknowledge: AcknowledgementBell
  ) {
    self.keeper = keeper
    self.health = health
    self.threads = threads
    self.logger = logger
    self.acknowledge = acknowledge
    (queue, entrance) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.mostWaiting))
  }

  /// Applies it; it is on disk when this returns.
  func take(_ broadcast: Broadcast) async throws {
    let now = Instant.now()
    let progress = try await threads.runIfActive { [keeper] in
      switch broadcast {
      case .delta(let delta): try keeper.takeBroadcast(delta, asOf: now)
      case .snapshot(let path, let checkpoint):
        try keeper.install(snapshot: path, provenBy: checkpoint, asOf: now)
      }
    }
    try note(progress)
    if health.recovered() { logger.notice("hearing from the registry again") }
    acknowledge.ring()
  }

  private func note(_ progress: ListKeeper.Progress) throws {
    switch progress {
    case .applied(let changes, let held):
      health.applied(changes: changes)
      warnOfBrake(held)
    case .installed(let position, let held):
      health.installed()
      logger.notice("snapshot installed", metadata: ["position": "\(position)"])
      warnOfBrake(held)
    case .confirmed, .next(.ignore): break
    case .next(.goOn(let error)): throw error
    case .next(.takeSnapshot(.tooManyToHold)): throw keeper.tooManyToHold()
    case .next: throw BroadcastRefusal(problem: ExchangeProblem(standing: keeper.standing))
    }
  }

  private func warnOfBrake(_ held: Int) {
    guard held > 0 else { return }
    logger.warning(
      "the brake holds subjects that became black: they answer as before until eir accept",
      metadata: ["held": "\(held)"])
  }

  /// Takes it later. Refused at once where it cannot begin here, as far as that is known.
  func accept(_ broadcast: Broadcast) throws {
    let isFirst = try waiting.withLock { count in
      guard count < Self.mostWaiting else {
        throw ExchangeError(.limitReached, "\(Self.mostWaiting) broadcasts wait already")
      }
      count += 1
      return count == 1
    }
    if isFirst, case .delta(let delta) = broadcast, !keeper.mayApply(delta.checkpoint) {
      waiting.withLock { $0 -= 1 }
      throw BroadcastRefusal(problem: ExchangeProblem(standing: keeper.standing))
    }
    entrance.yield(broadcast)
  }

  /// Until it is cancelled. What was accepted and is lost with the process is asked for again by
  /// the registry, which hears after the restart where the list stands.
  func run() async {
    for await broadcast in queue {
      do {
        try await take(broadcast)
      } catch {
        logger.warning(
          "an accepted broadcast was not applied", metadata: ["reason": "\(error)"])
        broadcast.discard()
      }
      // Also where nothing has changed: the registry waits to hear of each.
      acknowledge.ring(isRepeated: true)
      waiting.withLock { $0 -= 1 }
    }
  }
}

/// A refusal that says where the node stands.
struct BroadcastRefusal: Error {
  let problem: ExchangeProblem
}
