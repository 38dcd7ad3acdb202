/// One subject on the list of one scope.
package struct Entry: Hashable, Sendable {
  package let subject: Subject
  package let scope: Scope
  package let entryClass: EntryClass

  package init(subject: Subject, scope: Scope, entryClass: EntryClass) {
    self.subject = subject
    self.scope = scope
    self.entryClass = entryClass
  }
}

/// A row of the journal: what the entry of a subject became, or that it left the list.
package struct Change: Hashable, Sendable {
  package let position: Position
  package let subject: Subject
  package let scope: Scope
  /// Nil: no longer on this list.
  package let entryClass: EntryClass?

  package init(position: Position, subject: Subject, scope: Scope, entryClass: EntryClass?) {
    self.position = position
    self.subject = subject
    self.scope = scope
    self.entryClass = entryClass
  }
}
