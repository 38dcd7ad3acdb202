package import DeviceLists

/// Consecutive rows of the journal, applied whole or refused whole.
package struct Delta: Hashable, Sendable {
  package var epoch: Epoch
  /// The position that the list must have.
  package var after: Position
  /// The position that it gets. Where it is `after` and nothing changes, this is a checkpoint.
  package var upTo: Position
  package var issuedAt: Instant
  /// Of the list afterwards: both parts together. Nil where nobody else has computed it, as for the
  /// registry's own journal; then it is not compared.
  package var digest: ListDigest?
  /// Ascending positions above `after`, up to `upTo`.
  package var changes: [Change]

  package init(
    epoch: Epoch, after: Position, upTo: Position, issuedAt: Instant, digest: ListDigest?,
    changes: [Change]
  ) {
    self.epoch = epoch
    self.after = after
    self.upTo = upTo
    self.issuedAt = issuedAt
    self.digest = digest
    self.changes = changes
  }
}

/// Whole entries, or their absence, that replace those of a list at one position.
package struct Repair: Hashable, Sendable {
  package var epoch: Epoch
  package var position: Position
  package var issuedAt: Instant
  /// The position of each is not looked at.
  package var entries: [Change]

  package init(epoch: Epoch, position: Position, issuedAt: Instant, entries: [Change]) {
    self.epoch = epoch
    self.position = position
    self.issuedAt = issuedAt
    self.entries = entries
  }
}

extension Delta {
  /// Refuses what does not follow `head`.
  func check(against head: IndexHead) throws(ListIndexError) {
    guard epoch == head.epoch else { throw ListIndexError(.otherEpoch(current: head.epoch)) }
    guard after == head.position else {
      throw ListIndexError(.notNext(current: head.position))
    }
    guard upTo >= after else { throw ListIndexError(.invalidDelta("it ends before it starts")) }
    var last = after
    for change in changes {
      guard change.position > last else {
        throw ListIndexError(.invalidDelta("its positions do not ascend"))
      }
      last = change.position
    }
    guard last <= upTo else {
      throw ListIndexError(.invalidDelta("it has a change after its last position"))
    }
  }
}

extension Repair {
  func check(against head: IndexHead) throws(ListIndexError) {
    guard epoch == head.epoch else { throw ListIndexError(.otherEpoch(current: head.epoch)) }
    guard position == head.position else {
      throw ListIndexError(.notNext(current: head.position))
    }
  }
}
