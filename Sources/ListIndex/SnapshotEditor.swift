internal import DeviceIdentity
internal import DeviceLists
internal import HashTreeCollections

/// Makes the next snapshot out of one and changes; the one that it starts from stays as it is.
struct SnapshotEditor {
  private struct RangeKey: Hashable, Comparable {
    var first: UInt64
    var last: UInt64

    static func < (left: RangeKey, right: RangeKey) -> Bool {
      (left.first, left.last) < (right.first, right.last)
    }
  }

  private let start: ListSnapshot
  private var overlay: Overlay
  private var numbering: ClassNumbering
  private var counts: SubjectCounts
  private(set) var digests: ScopeDigests
  private var changedRanges: [RangeKey: UInt16] = [:]
  private var digesters: PartDigesters
  /// Subjects that changed between black and not black.
  private var turns: [Subject: Turn] = [:]

  private struct Turn {
    let wasBlack: Bool
    var isBlack: Bool
    var position: Position
  }

  init(_ start: ListSnapshot) {
    self.start = start
    overlay = start.overlay
    numbering = ClassNumbering(start.classes)
    counts = start.counts
    digests = start.indexHead.digests
    digesters = PartDigesters(start.indexHead.content)
  }

  mutating func apply(_ change: Change) throws(ListIndexError) {
    let content = start.indexHead.content
    guard content.contains(change.scope) else {
      throw ListIndexError(.invalidDelta("a change is of another scope"))
    }
    let number = classNumber(of: change.subject)
    let before = numbering.item(number)
    var after = before ?? ListedClass()
    if change.scope == .all {
      digesters.replace(after.all, by: change.entryClass, for: change.subject, in: &digests.all)
      after.all = change.entryClass
    } else {
      digesters.replaceOwn(after.own, by: change.entryClass, for: change.subject, &digests.own)
      after.own = change.entryClass
    }
    noteTurn(of: change, from: before, to: after)
    let isEmpty = after.isEmpty
    // A damaged file can have more entries than it says.
    if before != nil, isEmpty, counts[change.subject.kind] > 0 {
      counts[change.subject.kind] -= 1
    }
    if before == nil, !isEmpty { counts[change.subject.kind] += 1 }
    set(change.subject, isEmpty ? IndexLayout.noClass : try numbering.number(of: after))
  }

  private mutating func noteTurn(
    of change: Change, from before: ListedClass?, to after: ListedClass
  ) {
    let wasBlack = before?.effective?.status == .black
    let isBlack = after.effective?.status == .black
    guard wasBlack != isBlack else { return }
    var turn =
      turns[change.subject]
      ?? Turn(wasBlack: wasBlack, isBlack: isBlack, position: change.position)
    turn.isBlack = isBlack
    turn.position = change.position
    turns[change.subject] = turn
  }

  /// Subjects that are black now and were not at the start, with the change that made them so.
  var newBlacks: [Subject: Position] {
    turns.compactMapValues { $0.isBlack && !$0.wasBlack ? $0.position : nil }
  }

  /// In the file, or changed by this editor or before.
  private func classNumber(of subject: Subject) -> UInt16 {
    let keys = subject.keys
    switch subject {
    case .imei:
      return overlay.imeis[keys.first] ?? start.index.classNumber(ofIMEI: keys.first)
    case .tac(let tac):
      return overlay.tacs[tac.number] ?? start.index.classNumber(ofTAC: tac.number)
    case .pairing:
      return overlay.pairing(keys.first, keys.second)
        ?? start.index.classNumber(ofPairing: keys.first, keys.second)
    case .range:
      return changedRanges[RangeKey(first: keys.first, last: keys.second)]
        ?? start.classNumber(of: subject)
    }
  }

  private mutating func set(_ subject: Subject, _ number: UInt16) {
    let keys = subject.keys
    switch subject {
    case .imei: overlay.imeis[keys.first] = number
    case .tac(let tac): overlay.tacs[tac.number] = number
    case .pairing: overlay.setPairing(keys.first, keys.second, number)
    case .range: changedRanges[RangeKey(first: keys.first, last: keys.second)] = number
    }
  }

  consuming func finish(head: IndexHead) throws(ListIndexError) -> ListSnapshot {
    if !changedRanges.isEmpty {
      let items = mergedRanges()
      guard items.count <= IndexLayout.mostRanges else {
        throw ListIndexError(.tooMany("ranges"))
      }
      overlay.ranges = try RangeTable(items: items, numbering: &numbering)
      overlay.changedRanges += changedRanges.count
    }
    let classes =
      numbering.listed.count == start.classes.count ? start.classes : ClassTable(numbering)
    var answering = start.answeringRanges
    if let held = start.heldAnswers, !held.ranges.isEmpty, !changedRanges.isEmpty {
      answering = try AnsweringRanges(
        overlay.ranges?.items ?? [], held: held.ranges, classes: classes)
    }
    return ListSnapshot(
      index: start.index, head: head, counts: counts, classes: classes, overlay: overlay,
      held: start.heldAnswers, answeringRanges: answering)
  }

  private func mergedRanges() -> [RangeTable.Item] {
    let changed = changedRanges.sorted { $0.key < $1.key }
    var merged: [RangeTable.Item] = []
    var next = 0
    func take(before item: RangeKey?) {
      while next < changed.count, item.map({ changed[next].key <= $0 }) ?? true {
        let (key, number) = changed[next]
        if number != IndexLayout.noClass {
          merged.append(RangeTable.Item(first: key.first, last: key.last, number: number))
        }
        next += 1
      }
    }
    for item in start.rangeItems {
      let key = RangeKey(first: item.first, last: item.last)
      take(before: key)
      if changedRanges[key] == nil { merged.append(item) }
    }
    take(before: nil)
    return merged
  }
}

/// Adds and removes what entries of one feed contribute to its digests.
struct PartDigesters {
  private let ownScope: Scope?
  private var all: [EntryClass: CanonicalEntry] = [:]
  private var own: [EntryClass: CanonicalEntry] = [:]

  init(_ content: IndexContent) { ownScope = content.ownScope }

  mutating func replace(
    _ old: EntryClass?, by new: EntryClass?, for subject: Subject, in digest: inout ListDigest
  ) {
    if let old {
      digest -= all[old, default: .init(scope: .all, entryClass: old)].digest(of: subject)
    }
    if let new {
      digest += all[new, default: .init(scope: .all, entryClass: new)].digest(of: subject)
    }
  }

  mutating func replaceOwn(
    _ old: EntryClass?, by new: EntryClass?, for subject: Subject, _ digest: inout ListDigest
  ) {
    guard let scope = ownScope else { return }
    if let old {
      digest -= own[old, default: .init(scope: scope, entryClass: old)].digest(of: subject)
    }
    if let new {
      digest += own[new, default: .init(scope: scope, entryClass: new)].digest(of: subject)
    }
  }

  mutating func add(_ listed: ListedClass, for subject: Subject, to digests: inout ScopeDigests) {
    replace(nil, by: listed.all, for: subject, in: &digests.all)
    replaceOwn(nil, by: listed.own, for: subject, &digests.own)
  }
}
