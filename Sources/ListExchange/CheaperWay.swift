/// Which brings a node to the registry's position with fewer bytes.
package enum CheaperWay: Hashable, Sendable {
  case delta, snapshot

  /// A line of a delta, about.
  package static let bytesPerChange = 110
  /// Below so many changes a delta is always as good: nobody waits for it.
  package static let fewChanges = 10_000

  /// - Parameter changes: rows of the feed above the node's position; those of the whole journal
  ///   where the feed's are not counted.
  /// - Parameter snapshotBytes: of the index file; nil where there is none to be had.
  package init(changes: Int, snapshotBytes: Int?) {
    guard changes > Self.fewChanges, let snapshotBytes else {
      self = .delta
      return
    }
    self = changes > snapshotBytes / Self.bytesPerChange ? .snapshot : .delta
  }
}
