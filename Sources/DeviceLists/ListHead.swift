/// Where a list stands: which history, how far, with what content.
package struct ListHead: Hashable, Sendable {
  package var epoch: Epoch
  package var position: Position
  package var digest: ListDigest
  /// When the registry last said that this position is current.
  package var issuedAt: Instant

  package init(epoch: Epoch, position: Position, digest: ListDigest, issuedAt: Instant) {
    self.epoch = epoch
    self.position = position
    self.digest = digest
    self.issuedAt = issuedAt
  }
}
