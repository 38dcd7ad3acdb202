internal import DeviceLists
internal import HashTreeCollections

/// Every subject of a list in order: kind, then keys. Memory: one block of the file, and the
/// changes since it was written.
package struct EntryCursor {
  private let snapshot: ListSnapshot
  private var numbered: NumberedEntries

  init(_ snapshot: ListSnapshot) {
    self.snapshot = snapshot
    numbered = NumberedEntries(snapshot)
  }

  package mutating func next() -> ListedEntry? {
    while let entry = numbered.next() {
      // A damaged file can hold what is no subject.
      guard let listed = snapshot.classes.listed(entry.number),
        let subject = Subject(kind: entry.kind, first: entry.first, second: entry.second)
      else { continue }
      return ListedEntry(subject: subject, listed: listed)
    }
    return nil
  }
}

/// The merge of a file and the changes since.
struct NumberedEntries {
  private var mapped: MappedEntries
  private var mappedNext: NumberedEntry?
  private let changed: [NumberedEntry]
  private var nextChanged = 0

  init(_ snapshot: ListSnapshot) {
    mapped = MappedEntries(snapshot.index, includesRanges: snapshot.overlay.ranges == nil)
    mappedNext = mapped.next()
    changed = snapshot.overlay.sorted()
  }

  mutating func next() -> NumberedEntry? {
    while nextChanged < changed.count {
      let change = changed[nextChanged]
      if let entry = mappedNext {
        if entry.precedes(change) { break }
        if entry.hasKeys(of: change) { mappedNext = mapped.next() }
      }
      nextChanged += 1
      if change.number != IndexLayout.noClass { return change }
    }
    guard let entry = mappedNext else { return nil }
    mappedNext = mapped.next()
    return entry
  }
}

extension Overlay {
  fileprivate func sorted() -> [NumberedEntry] {
    var entries: [NumberedEntry] = []
    entries.reserveCapacity(count)
    for (imei, number) in imeis {
      entries.append(NumberedEntry(kind: .imei, first: imei, second: 0, number: number))
    }
    for item in ranges?.items ?? [] {
      entries.append(
        NumberedEntry(kind: .range, first: item.first, second: item.last, number: item.number))
    }
    for (tac, number) in tacs {
      entries.append(NumberedEntry(kind: .tac, first: UInt64(tac), second: 0, number: number))
    }
    for (imei, paired) in pairings {
      for item in paired {
        entries.append(
          NumberedEntry(kind: .pairing, first: imei, second: item.imsi, number: item.number))
      }
    }
    entries.sort { $0.precedes($1) }
    return entries
  }
}

extension ListSnapshot {
  package func entries() -> EntryCursor { EntryCursor(self) }

  /// The digests from every entry, to compare with those that were kept up change by change.
  package func recomputedDigests() -> ScopeDigests {
    var digests = ScopeDigests()
    var digesters = PartDigesters(indexHead.content)
    var cursor = entries()
    while let entry = cursor.next() {
      digesters.add(entry.listed, for: entry.subject, to: &digests)
    }
    return digests
  }
}
