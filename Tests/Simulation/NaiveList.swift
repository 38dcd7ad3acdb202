package import DeviceIdentity
package import DeviceLists

/// A list as a plain array that is scanned from end to end: too simple to be wrong, and what a
/// cleverer list is compared with. Holds the entries of `all` and of one operator.
package struct NaiveList: DeviceList, Sendable {
  package var head: ListHead
  package private(set) var entries: [Entry] = []

  package init(head: ListHead, entries: [Entry] = []) {
    self.head = head
    for entry in entries { set(entry.subject, entry.scope, to: entry.entryClass) }
  }

  /// At most one entry per subject and scope; nil takes it off.
  package mutating func set(_ subject: Subject, _ scope: Scope, to entryClass: EntryClass?) {
    entries.removeAll { $0.subject == subject && $0.scope == scope }
    if let entryClass {
      entries.append(Entry(subject: subject, scope: scope, entryClass: entryClass))
    }
  }

  /// Follows the journal; the digest is recomputed from all entries.
  package mutating func apply(_ change: Change) {
    set(change.subject, change.scope, to: change.entryClass)
    head.position = change.position
    head.digest = digest
  }

  /// The sum over all entries, nothing remembered.
  package var digest: ListDigest {
    entries.reduce(.zero) { $0 + $1.digest }
  }

  package func classes(where isMeant: (Subject) -> Bool) -> [EntryClass] {
    entries.filter { isMeant($0.subject) }.map(\.entryClass)
  }

  package func entry(of imei: IMEI) -> EntryClass? { effective { $0 == .imei(imei) } }

  package func entry(of tac: TAC) -> EntryClass? { effective { $0 == .tac(tac) } }

  package func entry(of pairing: Pairing) -> EntryClass? { effective { $0 == .pairing(pairing) } }

  package func rangeEntry(containing imei: IMEI) -> EntryClass? {
    effective {
      guard case .range(let range) = $0 else { return false }
      return range.contains(imei)
    }
  }

  package func hasException(_ imei: IMEI) -> Bool {
    pairings(of: imei).contains { entry(of: $0)?.status == .white }
  }

  package func pairings(of imei: IMEI) -> [Pairing] {
    entries.compactMap {
      guard case .pairing(let pairing) = $0.subject, pairing.imei == imei else { return nil }
      return pairing
    }
  }

  private func effective(_ isMeant: (Subject) -> Bool) -> EntryClass? {
    classes(where: isMeant).reduce(nil) { EntryClass.fold($0, $1) }
  }
}
