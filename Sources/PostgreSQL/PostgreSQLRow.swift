/// One row. A reader throws `.decoding` if the column is missing, null (use the `optional`
/// form), or of a type that does not fit; the error names the column, never the value.
package struct PostgreSQLRow: Sendable {
  let result: QueryResult
  let row: Int

  package var columnCount: Int { result.columnCount }

  package func isNull(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Bool {
    result.bytes(row: row, column: try index(column)) == nil
  }

  package func bool(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Bool {
    try required(column, optionalBool(column))
  }

  package func optionalBool(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Bool? {
    try decode(column, "a boolean") { $0.bool }
  }

  package func int16(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Int16 {
    try required(column, optionalInt16(column))
  }

  package func optionalInt16(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Int16? {
    try decode(column, "a 16-bit integer") { $0.integer() }
  }

  package func int32(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Int32 {
    try required(column, optionalInt32(column))
  }

  package func optionalInt32(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Int32? {
    try decode(column, "a 32-bit integer") { $0.integer() }
  }

  package func int64(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Int64 {
    try required(column, optionalInt64(column))
  }

  package func optionalInt64(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Int64? {
    try decode(column, "a 64-bit integer") { $0.integer() }
  }

  package func int(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Int {
    try required(column, optionalInt(column))
  }

  package func optionalInt(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Int? {
    try decode(column, "a 64-bit integer") { $0.integer() }
  }

  package func double(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Double {
    try required(column, optionalDouble(column))
  }

  package func optionalDouble(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Double? {
    try decode(column, "a floating-point number") { $0.double }
  }

  /// Text, names, enumerations, `json`, `jsonb` and `uuid`; cast other types to text in SQL.
  package func string(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> String {
    try required(column, optionalString(column))
  }

  package func optionalString(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> String? {
    try decode(column, "text") { $0.string }
  }

  package func bytes(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> [UInt8] {
    try required(column, optionalBytes(column))
  }

  package func optionalBytes(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> [UInt8]? {
    try decode(column, "bytes") { $0.type == .bytea ? Array($0.bytes) : nil }
  }

  /// The value as it came, whatever its type; nil for NULL. `body` must not keep the bytes.
  package func withRawBytes<Value>(
    _ column: PostgreSQLColumn, _ body: (UnsafeRawBufferPointer?) throws -> Value
  ) throws -> Value {
    let bytes = result.bytes(row: row, column: try index(column))
    return try withExtendedLifetime(result) { try body(bytes) }
  }

  package func timestamp(
    _ column: PostgreSQLColumn
  ) throws(PostgreSQLError) -> PostgreSQLTimestamp {
    try required(column, optionalTimestamp(column))
  }

  package func optionalTimestamp(
    _ column: PostgreSQLColumn
  ) throws(PostgreSQLError) -> PostgreSQLTimestamp? {
    try decode(column, "a time") { $0.timestamp }
  }

  package func date(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> PostgreSQLDate {
    try required(column, optionalDate(column))
  }

  package func optionalDate(
    _ column: PostgreSQLColumn
  ) throws(PostgreSQLError) -> PostgreSQLDate? {
    try decode(column, "a date") { $0.date }
  }

  package func int64s(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> [Int64] {
    try array(column, "an array of integers") { $0.integer() }
  }

  package func int32s(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> [Int32] {
    try array(column, "an array of 32-bit integers") { $0.integer() }
  }

  package func int16s(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> [Int16] {
    try array(column, "an array of 16-bit integers") { $0.integer() }
  }

  package func strings(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> [String] {
    try array(column, "an array of texts") { $0.string }
  }

  package func optionalStrings(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> [String?] {
    let strings: [String?]? = try decode(column, "an array of texts") { value in
      value.array { element in
        guard let element else { return .some(.none) }
        return element.string.map(Optional.some)
      }
    }
    return try required(column, strings)
  }
}

extension PostgreSQLRow {
  private func index(_ column: PostgreSQLColumn) throws(PostgreSQLError) -> Int {
    switch column {
    case .index(let index) where index >= 0 && index < result.columnCount: return index
    case .index(let index):
      throw PostgreSQLError(.decoding, "The database returned no column \(index)")
    case .name(let name):
      guard let index = result.index(named: name) else {
        throw PostgreSQLError(.decoding, "The database did not return the column", column: name)
      }
      return index
    }
  }

  private func failure(_ column: PostgreSQLColumn, _ explanation: String) -> PostgreSQLError {
    let name =
      switch column {
      case .index(let index): result.name(column: index)
      case .name(let name): name
      }
    return PostgreSQLError(.decoding, explanation, column: name)
  }

  private func required<Value>(
    _ column: PostgreSQLColumn, _ value: Value?
  ) throws(PostgreSQLError) -> Value {
    guard let value else { throw failure(column, "The database returned NULL for a column") }
    return value
  }

  private func decode<Value>(
    _ column: PostgreSQLColumn, _ expected: String, _ read: (BinaryValue) -> Value?
  ) throws(PostgreSQLError) -> Value? {
    let index = try index(column)
    guard let bytes = result.bytes(row: row, column: index) else { return nil }
    guard let value = read(BinaryValue(type: result.type(column: index), bytes: bytes)) else {
      throw failure(column, "The database returned something other than \(expected)")
    }
    return value
  }

  private func array<Element>(
    _ column: PostgreSQLColumn, _ expected: String, _ read: (BinaryValue) -> Element?
  ) throws(PostgreSQLError) -> [Element] {
    let elements = try decode(column, expected) { value in
      value.array { element in element.flatMap(read) }
    }
    return try required(column, elements)
  }
}
