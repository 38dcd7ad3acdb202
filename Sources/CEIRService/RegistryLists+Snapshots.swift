package import DeviceLists
import ListExchange
import ListIndex
package import RegistryStore
import Synchronization

extension RegistryLists {
  /// The feed of one operator as a file that a node can use at once.
  /// At `position` or later.
  package func snapshot(
    for node: NodeIdentity, notBelow position: Position, asOf now: Instant
  ) async throws -> SnapshotFile {
    let (all, own, cut) = lists.withLock { lists in
      (
        lists.byScope[.all]?.current, lists.byScope[node.operatorNumber]?.current,
        lists.snapshots[node.operatorNumber]
      )
    }
    guard let all, let own, all.indexHead.position == own.indexHead.position,
      all.indexHead.position >= position
    else {
      throw ExchangeError(.unavailable, "The registry's lists are being read: try again.")
    }
    if let cut, cut.checkpoint.head.epoch == all.indexHead.epoch,
      cut.checkpoint.position >= position,
      now.seconds(since: cut.checkpoint.issuedAt) < Self.snapshotReuseSeconds
    {
      return cut
    }
    let fresh = try await blocking { [directory] in
      try SnapshotFile(
        all: all, own: own, feed: Feed(of: node.operatorCode), asOf: now,
        directory: "\(directory)/snapshots")
    }
    let old = lists.withLock { lists in
      defer { lists.snapshots[node.operatorNumber] = fresh }
      return lists.snapshots[node.operatorNumber]
    }
    if let old, old.path != fresh.path { try await blocking { try old.remove() } }
    return fresh
  }
}
