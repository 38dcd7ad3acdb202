package import DeviceLists
import PostgreSQL

/// A scope as the database names it: 0 for all, or the number of an operator.
package struct ScopeNumber: Hashable, Sendable {
  package static let all = ScopeNumber(0)

  package let number: Int32

  package init(_ number: Int32) { self.number = number }
}

/// Operators by number and by code, as they were when this was read. Numbers are never reused.
package struct OperatorDirectory: Sendable {
  private var codes: [ScopeNumber: OperatorCode] = [:]
  private var numbers: [OperatorCode: ScopeNumber] = [:]

  package init() {}

  mutating func add(_ code: OperatorCode, number: ScopeNumber) {
    codes[number] = code
    numbers[code] = number
  }

  package func scope(_ number: ScopeNumber) -> Scope? {
    number == .all ? .all : codes[number].map(Scope.only)
  }

  package func number(_ scope: Scope) -> ScopeNumber? {
    switch scope {
    case .all: .all
    case .only(let code): numbers[code]
    }
  }

  package var all: [OperatorCode] { numbers.keys.sorted() }
}

/// Reads the columns that stand in many tables.
extension PostgreSQLRow {
  func subject() throws -> Subject {
    try Self.subject(
      try int16("subject_kind"), try int64("subject_key1"), try int64("subject_key2"))
  }

  /// The same from three columns in this order, for millions of rows.
  func subject(from column: Int) throws -> Subject {
    try Self.subject(
      try int16(.index(column)), try int64(.index(column + 1)), try int64(.index(column + 2)))
  }

  private static func subject(_ kind: Int16, _ first: Int64, _ second: Int64) throws -> Subject {
    guard let kind = UInt8(exactly: kind).flatMap(Subject.Kind.init), first >= 0, second >= 0,
      let subject = Subject(kind: kind, first: UInt64(first), second: UInt64(second))
    else { throw StoreError(.corrupt, "The database holds a subject that cannot be one.") }
    return subject
  }

  func status() throws -> ListStatus? {
    guard let number = try optionalInt16("status") else { return nil }
    guard let status = UInt8(exactly: number).flatMap(ListStatus.init) else {
      throw StoreError(.corrupt, "The database holds a status that is none.")
    }
    return status
  }

  func codes(_ column: PostgreSQLColumn) throws -> GroundCodeSet {
    var set = GroundCodeSet()
    for word in try strings(column) {
      guard let code = GroundCode(word: word) else {
        throw StoreError(
          .corrupt, "The database holds a ground code that this version does not know.")
      }
      set.formUnion(GroundCodeSet(code))
    }
    return set
  }

  func groundCode(_ column: PostgreSQLColumn) throws -> GroundCode {
    guard let code = GroundCode(word: try string(column)) else {
      throw StoreError(
        .corrupt, "The database holds a ground code that this version does not know.")
    }
    return code
  }

  /// The entry that the columns status, ground_codes and overridable describe; nil without status.
  func entryClass() throws -> EntryClass? {
    guard let status = try status() else { return nil }
    return EntryClass(
      status: status, codes: try codes("ground_codes"), isOverridable: try bool("overridable"))
  }

  func instant(_ column: PostgreSQLColumn) throws -> Instant {
    Instant(secondsSinceEpoch: try timestamp(column).secondsSince1970)
  }

  func optionalInstant(_ column: PostgreSQLColumn) throws -> Instant? {
    try optionalTimestamp(column).map { Instant(secondsSinceEpoch: $0.secondsSince1970) }
  }

  func digest(_ column: PostgreSQLColumn) throws -> ListDigest {
    let bytes = try bytes(column)
    guard bytes.count == ListDigest.byteCount else {
      throw StoreError(.corrupt, "The database holds a digest of the wrong length.")
    }
    return bytes.withUnsafeBytes { ListDigest(littleEndian: $0) }
  }
}

/// The subject's columns as parameters, in the order kind, key 1, key 2.
struct SubjectColumns {
  let kind: Int16
  let key1: Int64
  let key2: Int64

  init(_ subject: Subject) {
    kind = Int16(subject.kind.rawValue)
    key1 = Int64(subject.keys.first)
    key2 = Int64(subject.keys.second)
  }
}

extension PostgreSQLTimestamp {
  init(_ instant: Instant) { self.init(secondsSince1970: instant.secondsSinceEpoch) }
}

extension Position {
  /// For the database, whose positions are signed: what lies beyond them is as good as their last.
  var column: Int64 { Int64(clamping: number) }
}
