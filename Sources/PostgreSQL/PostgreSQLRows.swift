internal import CLibPQ

/// What a statement returned. Values are read from libpq's own memory when asked for.
package struct PostgreSQLRows: RandomAccessCollection, Sendable {
  let result: QueryResult

  package var startIndex: Int { 0 }
  package var endIndex: Int { result.rowCount }
  package subscript(position: Int) -> PostgreSQLRow { PostgreSQLRow(result: result, row: position) }

  /// Rows that the statement inserted, updated, deleted or selected.
  package var affectedCount: Int { result.affectedCount }

  /// The only row; throws `.decoding` if there is none or more than one.
  package func only() throws(PostgreSQLError) -> PostgreSQLRow {
    guard count == 1 else {
      throw PostgreSQLError(.decoding, "The database returned \(count) rows where one was due")
    }
    return self[0]
  }
}

/// A column by its place from 0 or by its name.
package enum PostgreSQLColumn: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, Sendable {
  case index(Int)
  case name(String)

  package init(integerLiteral value: Int) { self = .index(value) }
  package init(stringLiteral value: String) { self = .name(value) }
}

/// Owns a `PGresult`.
///
/// `@unchecked Sendable`: after `PQgetResult` hands a result out nothing changes it, the reading
/// functions of libpq keep no state, and it is freed once, by the last owner.
final class QueryResult: @unchecked Sendable {
  private let pointer: OpaquePointer
  let rowCount: Int
  let columnCount: Int
  /// Read once: each row is asked for its columns by name.
  private let names: [String]

  init(_ pointer: OpaquePointer) {
    self.pointer = pointer
    rowCount = Int(PQntuples(pointer))
    columnCount = Int(PQnfields(pointer))
    names = (0..<PQnfields(pointer)).map { column in
      PQfname(pointer, column).map { String(cString: $0) } ?? "?"
    }
  }

  deinit { PQclear(pointer) }

  var affectedCount: Int {
    guard let text = PQcmdTuples(pointer) else { return 0 }
    return Int(String(cString: text)) ?? 0
  }

  var commandTag: String {
    guard let text = PQcmdStatus(pointer) else { return "" }
    return String(cString: text)
  }

  func type(column: Int) -> PostgreSQLType {
    PostgreSQLType(oid: PQftype(pointer, Int32(column)))
  }

  func name(column: Int) -> String { names.indices.contains(column) ? names[column] : "?" }

  /// Compares exactly, unlike `PQfnumber`, which folds case.
  func index(named name: String) -> Int? { names.firstIndex(of: name) }

  /// `nil` for NULL. Valid while this object lives.
  func bytes(row: Int, column: Int) -> UnsafeRawBufferPointer? {
    guard PQgetisnull(pointer, Int32(row), Int32(column)) == 0 else { return nil }
    let length = Int(PQgetlength(pointer, Int32(row), Int32(column)))
    return UnsafeRawBufferPointer(
      start: PQgetvalue(pointer, Int32(row), Int32(column)), count: length)
  }
}
