package import DeviceLists

/// Decides what a node does with the files that have come. Positions decide what may be applied;
/// numbers tell what has been lost.
package enum ReplicationFollower {
  package enum Step: Hashable, Sendable {
    /// The changes lead on from where the list stands.
    case apply(ReplicationManifest)
    /// The list that is there is right at this moment too.
    case confirm(ReplicationManifest)
    case install(ReplicationManifest)
    /// It says nothing that is not known.
    case passOver(ReplicationManifest)
    case wait(Gap)
    case idle
  }

  /// What is waited for.
  package struct Gap: Hashable, Sendable, CustomStringConvertible {
    /// The numbers that are missing, as far as that is known.
    package var missing: ClosedRange<FileNumber>?
    /// The file that cannot be applied before them.
    package var before: FileNumber

    package var description: String {
      guard let missing else { return "a full file is needed before \(before) can be used" }
      let numbers =
        missing.lowerBound == missing.upperBound
        ? "\(missing.lowerBound)" : "\(missing.lowerBound) to \(missing.upperBound)"
      return "\(numbers) missing before \(before); a later full file will do as well"
    }
  }

  /// - Parameters:
  ///   - manifests: signed and verified, in the order of their numbers.
  ///   - last: the number of the last file that was applied, confirmed, installed or passed over.
  package static func step(
    _ manifests: [ReplicationManifest], head: ListHead?, last: FileNumber?
  ) -> Step {
    guard let first = manifests.first else { return .idle }
    guard let head else {
      return newestFull(manifests).map(Step.install)
        ?? .wait(Gap(missing: nil, before: first.name.number))
    }
    let checkpoint = first.checkpoint.checkpoint
    guard checkpoint.epoch == head.epoch else {
      return stepInOtherEpoch(first, manifests, head: head)
    }
    guard checkpoint.position >= head.position else { return .passOver(first) }
    if checkpoint.position == head.position, checkpoint.digest == head.digest {
      return .confirm(first)
    }
    if first.name.kind == .full { return .install(first) }
    if checkpoint.after <= head.position, checkpoint.position > head.position {
      return .apply(first)
    }
    return heal(first, manifests, head: head, last: last)
  }

  private static func stepInOtherEpoch(
    _ first: ReplicationManifest, _ manifests: [ReplicationManifest], head: ListHead
  ) -> Step {
    let checkpoint = first.checkpoint.checkpoint
    guard checkpoint.issuedAt >= head.issuedAt else { return .passOver(first) }
    if checkpoint.position == head.position, checkpoint.digest == head.digest {
      return .confirm(first)
    }
    if first.name.kind == .full { return .install(first) }
    return heal(first, manifests, head: head, last: nil)
  }

  private static func heal(
    _ first: ReplicationManifest, _ manifests: [ReplicationManifest], head: ListHead,
    last: FileNumber?
  ) -> Step {
    let epoch = first.checkpoint.checkpoint.epoch
    if let full = newestFull(manifests.filter { $0.checkpoint.checkpoint.epoch == epoch }),
      epoch != head.epoch || full.checkpoint.checkpoint.position >= head.position
    {
      return .install(full)
    }
    var missing: ClosedRange<FileNumber>?
    if let lowest = last?.next, lowest < first.name.number,
      let highest = FileNumber(first.name.number.number - 1)
    {
      missing = lowest...highest
    }
    return .wait(Gap(missing: missing, before: first.name.number))
  }

  private static func newestFull(_ manifests: [ReplicationManifest]) -> ReplicationManifest? {
    manifests.last { $0.name.kind == .full }
  }
}
