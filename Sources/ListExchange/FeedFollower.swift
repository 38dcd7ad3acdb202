package import DeviceLists

/// Decides what a node does with what the registry says. It changes only when it is told what
/// happened, which is after it is on disk.
package struct FeedFollower: Hashable, Sendable {
  package enum Action: Hashable, Sendable {
    /// Ask for the changes after this position.
    case fetch(epoch: Epoch, after: Position, digest: ListDigest)
    /// Apply the rows of these positions, all or none, if their digest agrees.
    case apply(ClosedRange<Position>)
    /// Nothing new, and the registry says so: the list is as young as the checkpoint.
    case confirm
    /// Already known.
    case ignore
    /// The registry is in this epoch now: tell the follower, then ask in it.
    case changeEpoch(Epoch)
    case takeSnapshot(SnapshotReason)
    case install
    /// Go on answering with what is there, and ask again later.
    case goOn(ExchangeError)
  }

  package enum SnapshotReason: Hashable, Sendable, CustomStringConvertible {
    case noList, damaged, beforeHorizon, digestDiffers, epochChanged, cheaper, tooManyToHold

    package var description: String {
      switch self {
      case .noList: "there is no list yet"
      case .damaged: "the file of the list is damaged"
      case .beforeHorizon: "the registry no longer holds the changes since"
      case .digestDiffers: "the list is not what the registry has at this position"
      case .epochChanged: "the registry has started a new epoch with another list"
      case .cheaper: "a snapshot is cheaper than the changes since"
      case .tooManyToHold: "the changes since make more devices black than the brake can hold"
      }
    }
  }

  package let feed: Feed
  /// Of the first list taken; a list of another registry is refused ever after.
  package private(set) var registry: RegistryName?
  package private(set) var head: ListHead?
  /// The registry's epoch, as far as it has said, while ours is still another.
  package private(set) var announcedEpoch: Epoch?

  package init(feed: Feed, registry: RegistryName? = nil, head: ListHead? = nil) {
    self.feed = feed
    self.registry = registry
    self.head = head
  }

  /// What the node says of itself; nil where it has no list.
  package var standing: Standing? { head.map { Standing($0) } }

  /// What to do when nothing has come.
  package var next: Action {
    guard let head else { return .takeSnapshot(.noList) }
    return .fetch(
      epoch: announcedEpoch ?? head.epoch, after: head.position, digest: head.digest)
  }

  /// A delta, or a checkpoint alone, has come.
  package func offered(_ checkpoint: Checkpoint) -> Action {
    if let stranger = strangeness(of: checkpoint) { return .goOn(stranger) }
    guard let head else { return .takeSnapshot(.noList) }
    if checkpoint.epoch != head.epoch, checkpoint.epoch != announcedEpoch {
      // A message of a former epoch that was long on its way must not lead back there.
      guard checkpoint.issuedAt > head.issuedAt else {
        return .goOn(ExchangeError(.stale, "another epoch, issued before the list that is here"))
      }
      return .changeEpoch(checkpoint.epoch)
    }
    let isOurEpoch = checkpoint.epoch == head.epoch
    if isOurEpoch, announcedEpoch != nil { return .ignore }
    if checkpoint.position < head.position {
      return isOurEpoch ? .ignore : .takeSnapshot(.epochChanged)
    }
    if checkpoint.position == head.position {
      guard checkpoint.digest == head.digest else {
        return .takeSnapshot(isOurEpoch ? .digestDiffers : .epochChanged)
      }
      return .confirm
    }
    guard checkpoint.after <= head.position else { return next }
    return .apply(head.position.next...checkpoint.position)
  }

  /// The rows of a delta that is to be applied would make the list add up to `digest`.
  package func compared(_ digest: ListDigest, with checkpoint: Checkpoint) -> Action {
    guard digest == checkpoint.digest else {
      return .takeSnapshot(checkpoint.epoch == head?.epoch ? .digestDiffers : .epochChanged)
    }
    return .confirm
  }

  /// The registry has refused what was asked.
  package func refused(_ problem: ExchangeProblem) -> Action {
    switch problem.error.code {
    case .epochChanged:
      guard let epoch = problem.epoch, epoch != announcedEpoch ?? head?.epoch else {
        return .goOn(problem.error)
      }
      return .changeEpoch(epoch)
    case .beforeHorizon: return .takeSnapshot(.beforeHorizon)
    case .snapshotIsCheaper: return .takeSnapshot(.cheaper)
    case .digestDiffers:
      return .takeSnapshot(announcedEpoch == nil ? .digestDiffers : .epochChanged)
    case .nodeAhead where announcedEpoch != nil: return .takeSnapshot(.epochChanged)
    default: return .goOn(problem.error)
    }
  }

  /// A snapshot has come: its checkpoint, before anything else of it is believed. In our epoch it
  /// must not lead back; in another it must be younger than what is there.
  package func snapshotOffered(_ checkpoint: Checkpoint) -> Action {
    if let stranger = strangeness(of: checkpoint) { return .goOn(stranger) }
    guard let head else { return .install }
    if checkpoint.epoch == head.epoch {
      guard announcedEpoch == nil else {
        return .goOn(ExchangeError(.wrongEpoch, "a snapshot of the former epoch"))
      }
      guard checkpoint.position >= head.position else {
        return .goOn(
          ExchangeError(.stale, "a snapshot of \(checkpoint.position), \(head.position) is here"))
      }
      return .install
    }
    guard announcedEpoch == checkpoint.epoch || checkpoint.issuedAt > head.issuedAt else {
      return .goOn(ExchangeError(.stale, "a snapshot issued before the list that is here"))
    }
    return .install
  }

  private func strangeness(of checkpoint: Checkpoint) -> ExchangeError? {
    guard checkpoint.feed == feed else {
      return ExchangeError(.wrongFeed, "\(checkpoint.feed) instead of \(feed)")
    }
    if let registry, checkpoint.registry != registry {
      return ExchangeError(.wrongRegistry, "\(checkpoint.registry) instead of \(registry)")
    }
    return nil
  }
}

// MARK: - What has happened

extension FeedFollower {
  /// The registry has said that it is in this epoch.
  package mutating func announced(_ epoch: Epoch) {
    announcedEpoch = epoch == head?.epoch ? nil : epoch
  }

  /// A delta is applied, a checkpoint confirmed or a snapshot installed, and it is on disk.
  package mutating func reached(_ checkpoint: Checkpoint) {
    var reached = checkpoint.head
    if let head, head.epoch == reached.epoch, head.position <= reached.position {
      reached.issuedAt = max(head.issuedAt, reached.issuedAt)
    }
    head = reached
    registry = checkpoint.registry
    announcedEpoch = nil
  }
}
