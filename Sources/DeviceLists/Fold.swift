/// What a ground says, as far as the fold looks at it: the ground is in force.
package struct GroundInForce: Hashable, Sendable {
  package let code: GroundCode
  package let status: ListStatus
  package let isOverridable: Bool

  package init(code: GroundCode, status: ListStatus, isOverridable: Bool) {
    self.code = code
    self.status = status
    self.isOverridable = isOverridable
  }

  package init(_ code: GroundCode) {
    self.init(code: code, status: code.defaultStatus, isOverridable: code.isOverridable)
  }
}

/// A regulator's release in force: grounds of these codes count for nothing, whoever gave them.
package struct ReleaseInForce: Hashable, Sendable {
  package let codes: GroundCodeSet
  /// Whether one of the released grounds is on the type or a range of the device. Then the device
  /// itself must be on the list, white, to be told apart from its kind.
  package let liftsWider: Bool

  package init(codes: GroundCodeSet, liftsWider: Bool) {
    self.codes = codes
    self.liftsWider = liftsWider
  }
}

/// From the grounds in force to the entry.
package enum Fold {
  /// Protected → white; released grounds count for nothing; else black if any is black; else grey;
  /// else white if any is white; else the subject is on no list. The entry names the codes of its
  /// status alone, so that a lesser ground that comes or goes changes nothing.
  package static func entryClass(
    of grounds: some Collection<GroundInForce>, releases: some Collection<ReleaseInForce>
  ) -> EntryClass? {
    if grounds.contains(where: { $0.code == .protected }) {
      return EntryClass(status: .white, codes: GroundCodeSet(.protected))
    }
    let released = releases.reduce(GroundCodeSet()) { $0.union($1.codes) }
    var status: ListStatus?
    var codes = GroundCodeSet()
    var isOverridable = true
    for ground in grounds where !released.contains(ground.code) {
      if let heaviest = status, ground.status.weight < heaviest.weight { continue }
      if ground.status != status {
        status = ground.status
        codes = []
        isOverridable = true
      }
      codes.formUnion(GroundCodeSet(ground.code))
      isOverridable = isOverridable && ground.isOverridable
    }
    if releases.contains(where: \.liftsWider), status != .black {
      return EntryClass(
        status: status ?? .white, codes: codes.union(GroundCodeSet(.released)))
    }
    return status.map { EntryClass(status: $0, codes: codes, isOverridable: isOverridable) }
  }
}
