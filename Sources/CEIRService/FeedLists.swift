package import DeviceIdentity
package import DeviceLists
package import ListIndex
import RegistryStore

/// What one operator's nodes hold, as a view of two lists at one position: that of every operator
/// and its own.
package struct FeedLists: DeviceList {
  /// ``ListHead/issuedAt`` is when the lists last agreed with the journal.
  package var head: ListHead
  let all: ListSnapshot
  let own: ListSnapshot

  package init(all: ListSnapshot, own: ListSnapshot, confirmedAt: Instant) {
    self.all = all
    self.own = own
    head = ListHead(
      epoch: all.indexHead.epoch, position: all.indexHead.position,
      digest: all.indexHead.digests.sum + own.indexHead.digests.sum, issuedAt: confirmedAt)
  }

  /// Of the snapshot that would be cut of it.
  var estimatedBytes: Int { all.estimatedBytes + own.estimatedBytes }

  package func entry(of imei: IMEI) -> EntryClass? {
    EntryClass.fold(all.entry(of: imei), own.entry(of: imei))
  }

  package func entry(of pairing: Pairing) -> EntryClass? {
    EntryClass.fold(all.entry(of: pairing), own.entry(of: pairing))
  }

  package func entry(of tac: TAC) -> EntryClass? {
    EntryClass.fold(all.entry(of: tac), own.entry(of: tac))
  }

  package func rangeEntry(containing imei: IMEI) -> EntryClass? {
    EntryClass.fold(all.rangeEntry(containing: imei), own.rangeEntry(containing: imei))
  }

  /// An exception of one list counts unless the other blocks the same pairing, which can be only
  /// while a network changes hands.
  package func hasException(_ imei: IMEI) -> Bool {
    isWhite(imei, in: all) || isWhite(imei, in: own)
  }

  private func isWhite(_ imei: IMEI, in list: ListSnapshot) -> Bool {
    guard list.hasException(imei) else { return false }
    return list.exceptions(of: imei).contains { entry(of: $0)?.status == .white }
  }
}

/// The lists of every scope at one position. What is answered and what is cut comes from one value
/// of it, so that no answer sees half of a batch.
struct PublishedLists: Sendable {
  let position: Position
  let epoch: Epoch
  private let feeds: [ScopeNumber: FeedLists]

  /// Nil where the lists do not stand together.
  init?(_ lists: [ScopeNumber: ListSnapshot]) {
    guard let all = lists[.all] else { return nil }
    let head = all.indexHead
    for list in lists.values {
      guard list.indexHead.position == head.position, list.indexHead.epoch == head.epoch else {
        return nil
      }
    }
    position = head.position
    epoch = head.epoch
    feeds = lists.filter { $0.key != .all }
      .mapValues { FeedLists(all: all, own: $0, confirmedAt: head.issuedAt) }
  }

  func feed(of number: ScopeNumber) -> FeedLists? { feeds[number] }
}
