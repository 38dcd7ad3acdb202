import DeviceIdentity
import DeviceLists
import Simulation
import Testing

@testable import ListIndex

/// What a list is, said plainly: a dictionary.
struct ListModel {
  var head: IndexHead
  var listed: [Subject: ListedClass] = [:]
  var held: [Subject: HeldSubject] = [:]

  init(_ head: IndexHead) { self.head = head }

  mutating func apply(_ change: Change) {
    var now = listed[change.subject] ?? ListedClass()
    if change.scope == .all { now.all = change.entryClass } else { now.own = change.entryClass }
    listed[change.subject] = now.isEmpty ? nil : now
  }

  var digests: ScopeDigests {
    var digests = ScopeDigests()
    for (subject, item) in listed {
      if let all = item.all {
        digests.all += Entry(subject: subject, scope: .all, entryClass: all).digest
      }
      if let own = item.own {
        let scope = Scope.only(Samples.ownOperator)
        digests.own += Entry(subject: subject, scope: scope, entryClass: own).digest
      }
    }
    return digests
  }

  var sorted: [ListedEntry] {
    listed.map { ListedEntry(subject: $0, listed: $1) }.sorted { left, right in
      let (one, other) = (left.subject, right.subject)
      return (one.kind.rawValue, one.keys.first, one.keys.second)
        < (other.kind.rawValue, other.keys.first, other.keys.second)
    }
  }

  /// What answers are given by.
  private var answering: [Subject: ListedClass] {
    listed.merging(held.mapValues(\.listed)) { _, held in held }
  }

  func write(to path: String, trailer: [UInt8] = []) throws -> WrittenIndex {
    let writer = try IndexFileWriter(path: path)
    for entry in sorted { try writer.append(entry.subject, entry.listed) }
    var head = head
    head.digests = digests
    return try writer.finish(head: head) { (_) throws(ListIndexError) in trailer }
  }

  mutating func randomChanges(
    _ count: Int, using random: inout SeededGenerator
  ) -> [Change] {
    var changes: [Change] = []
    for _ in 0..<count {
      let known =
        listed.isEmpty || random.below(3) > 0
        ? nil : sorted[random.below(listed.count)].subject
      head.position = head.position.next
      let change = Change(
        position: head.position, subject: known ?? Samples.subject(using: &random),
        scope: random.below(3) == 0 ? .only(Samples.ownOperator) : .all,
        entryClass: random.below(3) == 0 ? nil : Samples.entryClass(using: &random))
      apply(change)
      changes.append(change)
    }
    return changes
  }

  /// Every entry, every digest and the answers, compared.
  func expectSame(_ snapshot: ListSnapshot, using random: inout SeededGenerator) {
    let digests = digests
    #expect(snapshot.indexHead.digests == digests)
    #expect(snapshot.recomputedDigests() == digests)
    #expect(snapshot.head.position == head.position)
    #expect(snapshot.head.epoch == head.epoch)
    var found: [Subject: HeldSubject] = [:]
    snapshot.held.visit { found[$0] = $1 }
    #expect(found == held)
    #expect(snapshot.held.count == held.count)
    var entries: [ListedEntry] = []
    var cursor = snapshot.entries()
    while let entry = cursor.next() { entries.append(entry) }
    #expect(entries == sorted)
    for kind in Subject.Kind.allCases {
      #expect(snapshot.counts[kind] == UInt64(listed.keys.filter { $0.kind == kind }.count))
    }
    let answering = answering
    for _ in 0..<40 {
      let subject = Samples.subject(using: &random)
      #expect(snapshot.listed(subject) == listed[subject])
      expectAnswers(snapshot, about: subject, answering)
    }
    for subject in answering.keys { expectAnswers(snapshot, about: subject, answering) }
  }

  private func expectAnswers(
    _ snapshot: ListSnapshot, about subject: Subject, _ answering: [Subject: ListedClass]
  ) {
    let imei: IMEI
    switch subject {
    case .imei(let own): imei = own
    case .range(let range): imei = range.last
    case .tac(let tac): imei = tac.imeis.lowerBound
    case .pairing(let pairing):
      imei = pairing.imei
      #expect(snapshot.entry(of: pairing) == answering[subject]?.effective)
    }
    #expect(snapshot.entry(of: imei) == answering[.imei(imei)]?.effective)
    #expect(snapshot.entry(of: imei.tac) == answering[.tac(imei.tac)]?.effective)
    var range: EntryClass?
    var hasException = false
    for (other, item) in answering {
      switch other {
      case .range(let other) where other.contains(imei):
        range = EntryClass.fold(range, item.effective)
      case .pairing(let pairing) where pairing.imei == imei:
        hasException = hasException || item.effective?.status == .white
      default: continue
      }
    }
    #expect(snapshot.rangeEntry(containing: imei) == range)
    #expect(snapshot.hasException(imei) == hasException)
  }
}
