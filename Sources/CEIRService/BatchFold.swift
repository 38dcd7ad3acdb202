import DeviceLists
package import RegistryStore

/// What the publisher makes of a batch that it has taken: a value, without side effects.
package struct BatchFold: Sendable {
  package let batch: PublishedBatch
  /// When subjects of this batch must be looked at again.
  package let due: [DueSubject]
  /// The journal's head once the batch is stored.
  package let head: JournalHead

  /// Folds each subject, compares it with its entry, and gives the next positions to those that
  /// differ, in the order in which they were taken.
  package init(
    _ taken: TakenBatch, after head: JournalHead, scopes: OperatorDirectory
  ) throws {
    var next = head
    var rows: [JournalRow] = []
    var newcomers: [JournalRow] = []
    var due: [DueSubject] = []
    var canonical: [ScopedClass: CanonicalEntry] = [:]
    var changedScopes: Set<ScopeNumber> = []

    func digest(_ subject: Subject, _ number: ScopeNumber, _ entryClass: EntryClass) throws
      -> ListDigest
    {
      let key = ScopedClass(scope: number, entryClass: entryClass)
      if canonical[key] == nil {
        guard let scope = scopes.scope(number) else {
          throw StoreError(.corrupt, "A ground has the scope of an operator that is unknown.")
        }
        canonical[key] = CanonicalEntry(scope: scope, entryClass: entryClass)
      }
      return canonical[key]?.digest(of: subject) ?? .zero
    }

    for subject in taken.subjects {
      if let moment = subject.nextChange(after: taken.asOfMicroseconds) {
        due.append(
          DueSubject(
            subject: subject.subject, scope: subject.scope, dueMicroseconds: moment))
      }
      let folded = subject.fold(at: taken.asOfMicroseconds)
      guard folded != subject.entryClass else { continue }
      next.position = next.position.next
      let row = JournalRow(
        position: next.position, subject: subject.subject, scope: subject.scope,
        entryClass: folded)
      rows.append(row)
      if subject.entryClass == nil { newcomers.append(row) }
      changedScopes.insert(subject.scope)
      if let old = subject.entryClass {
        next.digests[subject.scope, default: .zero] -= try digest(
          subject.subject, subject.scope, old)
      }
      if let folded {
        next.digests[subject.scope, default: .zero] += try digest(
          subject.subject, subject.scope, folded)
      }
    }
    if !rows.isEmpty { next.asOfMicroseconds = taken.asOfMicroseconds }
    self.head = next
    self.due = due
    batch = PublishedBatch(
      epoch: head.epoch, rows: rows, newcomers: newcomers, asOfMicroseconds: taken.asOfMicroseconds,
      digests: next.digests.filter { changedScopes.contains($0.key) })
  }

  private struct ScopedClass: Hashable {
    let scope: ScopeNumber
    let entryClass: EntryClass
  }
}

extension TakenSubject {
  fileprivate func fold(at moment: Int64) -> EntryClass? {
    Fold.entryClass(
      of: grounds.filter { $0.isInForce(at: moment) }.map(\.value),
      releases: releases.filter { $0.isInForce(at: moment) }.map(\.value))
  }

  fileprivate func nextChange(after moment: Int64) -> Int64? {
    let changes =
      grounds.compactMap { $0.nextChange(after: moment) }
      + releases.compactMap { $0.nextChange(after: moment) }
    return changes.min()
  }
}
