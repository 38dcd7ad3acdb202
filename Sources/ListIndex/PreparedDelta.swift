package import DeviceLists

/// A delta with the list that it makes, not yet written down or seen by anybody.
package struct PreparedDelta: Sendable {
  package let delta: Delta
  /// Subjects that it makes black and that were not, each with the position that did so.
  package let newBlacks: [Subject: Position]
  /// The list that it was prepared on.
  package let before: ListSnapshot
  fileprivate let result: ListSnapshot

  init(_ delta: Delta, on before: ListSnapshot) throws(ListIndexError) {
    self.delta = delta
    self.before = before
    try delta.check(against: before.indexHead)
    var editor = SnapshotEditor(before)
    for change in delta.changes { try editor.apply(change) }
    if let expected = delta.digest, editor.digests.sum != expected {
      throw ListIndexError(.otherDigest(computed: editor.digests.sum))
    }
    var head = before.indexHead
    head.position = delta.upTo
    head.issuedAt = max(head.issuedAt, delta.issuedAt)
    head.digests = editor.digests
    newBlacks = editor.newBlacks
    result = try editor.finish(head: head)
  }

  /// The list that it makes of what is there by now: compacted meanwhile, or with more that is
  /// held.
  func list(after present: ListSnapshot) throws(ListIndexError) -> ListSnapshot {
    if present === before { return result }
    guard present.index === before.index, present.indexHead == before.indexHead else {
      return try PreparedDelta(delta, on: present).result
    }
    return try result.with(held: present.heldAnswers)
  }
}

extension ListSnapshot {
  /// The list after a delta that fits it.
  func applying(_ delta: Delta) throws(ListIndexError) -> ListSnapshot {
    try PreparedDelta(delta, on: self).result
  }

  func applying(_ repair: Repair) throws(ListIndexError) -> ListSnapshot {
    try repair.check(against: indexHead)
    var editor = SnapshotEditor(self)
    for change in repair.entries { try editor.apply(change) }
    var head = indexHead
    head.issuedAt = max(head.issuedAt, repair.issuedAt)
    head.digests = editor.digests
    return try editor.finish(head: head)
  }
}
