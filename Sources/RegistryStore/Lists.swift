package import DeviceLists

/// A list that is reference data: rules look devices up in it.
package enum ReferenceList: String, Sendable {
  case registration, monitoring, golden, subscribers, associations
  case typeApproval = "type-approval"
}

/// What a line of a file of changes asks for.
package enum RowChange: Int16, Sendable {
  case add = 1
  case remove = 2
  case update = 3
}

/// One line of a reference list, ready to be stored. `attributes` is a JSON object that is the same
/// text for the same values.
package struct ReferenceRow: Sendable {
  package let key1: Int64
  package let keyText: String
  package let attributes: String
  package let change: RowChange?

  package init(key1: Int64, keyText: String, attributes: String, change: RowChange?) {
    self.key1 = key1
    self.keyText = keyText
    self.attributes = attributes
    self.change = change
  }
}

/// One line of a list whose lines are grounds.
package struct GroundRow: Sendable {
  package let subject: Subject
  package let code: GroundCode
  package let caseReference: String
  /// Nil: from the time of the import.
  package let reported: CivilDate?
  package let change: RowChange?

  package init(
    subject: Subject, code: GroundCode, caseReference: String = "", reported: CivilDate? = nil,
    change: RowChange?
  ) {
    self.subject = subject
    self.code = code
    self.caseReference = caseReference
    self.reported = reported
    self.change = change
  }
}

/// What a file would do to what is in force of the same list and source, in subjects.
package struct ListMeasure: Sendable, Hashable {
  /// Before.
  package let inForce: Int
  package let staged: Int
  package let added: Int
  package let changed: Int
  package let removed: Int
  package let unchanged: Int
  /// Of a file of changes: lines that add what is there, or remove or update what is not.
  package let wrongAdds: Int
  package let wrongRemoves: Int
  package let wrongUpdates: Int

  package var after: Int { inForce + added - removed }
}

/// How a list is taken in.
package struct ListOrder: Sendable {
  package let kind: ImportedFile.Kind
  package let source: String
  package let actor: String
  /// A file of changes; else it says what is in force.
  package let isDelta: Bool
  /// Whether the same file may be taken in again.
  package let mayRepeat: Bool

  package init(
    kind: ImportedFile.Kind, source: String, actor: String, isDelta: Bool, mayRepeat: Bool
  ) {
    self.kind = kind
    self.source = source
    self.actor = actor
    self.isDelta = isDelta
    self.mayRepeat = mayRepeat
  }
}

/// The calls that an import of a list makes while its transaction lasts.
package struct ListSteps<Row> {
  package let next: () throws -> Row?
  /// Told what the file would do; throws where nothing may be changed.
  package let file: (ListMeasure) throws -> ImportedFile

  package init(
    next: @escaping () throws -> Row?, file: @escaping (ListMeasure) throws -> ImportedFile
  ) {
    self.next = next
    self.file = file
  }
}
