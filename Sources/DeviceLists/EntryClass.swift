/// How an entry treats its subject. Entries by the million share few of these.
package struct EntryClass: Hashable, Sendable {
  package let status: ListStatus
  package let codes: GroundCodeSet
  /// Whether an exception for a subscriber, or a white below it, lifts it. True for all but black.
  package let isOverridable: Bool

  package init(status: ListStatus, codes: GroundCodeSet, isOverridable: Bool = true) {
    self.status = status
    self.codes = codes
    self.isOverridable = isOverridable || status != .black
  }

  package var isProtected: Bool { status == .white && codes.contains(.protected) }

  /// Protected, or released for this one device: whatever its type or range is does not count.
  /// White, or grey where the device has a grey ground of its own.
  package var isExempt: Bool {
    isProtected || (status != .black && codes.contains(.released))
  }

  package var isFinalBlack: Bool { status == .black && !isOverridable }

  /// Two entries on one subject: protected wins, then black, grey, white. Those of equal status
  /// add their codes.
  package func folded(with other: EntryClass) -> EntryClass {
    if isProtected != other.isProtected { return isProtected ? self : other }
    if status != other.status {
      return status.weight > other.status.weight
        ? carrying(releaseOf: other) : other.carrying(releaseOf: self)
    }
    return EntryClass(
      status: status, codes: codes.union(other.codes),
      isOverridable: isOverridable && other.isOverridable)
  }

  /// A release from the type's ground holds although another scope's grey outweighs its white.
  private func carrying(releaseOf other: EntryClass) -> EntryClass {
    guard status == .grey, other.codes.contains(.released) else { return self }
    return EntryClass(status: status, codes: codes.union(GroundCodeSet(.released)))
  }

  package static func fold(_ left: EntryClass?, _ right: EntryClass?) -> EntryClass? {
    guard let left else { return right }
    guard let right else { return left }
    return left.folded(with: right)
  }
}

/// What a feed says of one subject: the entry for every operator and the one for its own.
package struct ListedClass: Hashable, Sendable {
  package var all: EntryClass?
  package var own: EntryClass?

  package init(all: EntryClass? = nil, own: EntryClass? = nil) {
    self.all = all
    self.own = own
  }

  package var isEmpty: Bool { all == nil && own == nil }

  /// What counts for a verdict.
  package var effective: EntryClass? { EntryClass.fold(all, own) }
}
