extension Bool: PostgreSQLArrayElement {
  package static var postgreSQLType: PostgreSQLType { .bool }
  package static var postgreSQLArrayType: PostgreSQLType { .boolArray }

  package func encode(into bytes: inout ParameterBytes) { bytes.append(UInt8(self ? 1 : 0)) }
}

extension Int16: PostgreSQLArrayElement {
  package static var postgreSQLType: PostgreSQLType { .int2 }
  package static var postgreSQLArrayType: PostgreSQLType { .int2Array }

  package func encode(into bytes: inout ParameterBytes) { bytes.append(self) }
}

extension Int32: PostgreSQLArrayElement {
  package static var postgreSQLType: PostgreSQLType { .int4 }
  package static var postgreSQLArrayType: PostgreSQLType { .int4Array }

  package func encode(into bytes: inout ParameterBytes) { bytes.append(self) }
}

extension Int64: PostgreSQLArrayElement {
  package static var postgreSQLType: PostgreSQLType { .int8 }
  package static var postgreSQLArrayType: PostgreSQLType { .int8Array }

  package func encode(into bytes: inout ParameterBytes) { bytes.append(self) }
}

/// As `bigint`, like `Int64`.
extension Int: PostgreSQLArrayElement {
  package static var postgreSQLType: PostgreSQLType { .int8 }
  package static var postgreSQLArrayType: PostgreSQLType { .int8Array }

  package func encode(into bytes: inout ParameterBytes) { bytes.append(Int64(self)) }
}

extension Double: PostgreSQLArrayElement {
  package static var postgreSQLType: PostgreSQLType { .float8 }
  package static var postgreSQLArrayType: PostgreSQLType { .float8Array }

  package func encode(into bytes: inout ParameterBytes) { bytes.append(bitPattern) }
}

extension String: PostgreSQLArrayElement {
  package static var postgreSQLType: PostgreSQLType { .unknown }
  package static var postgreSQLArrayType: PostgreSQLType { .textArray }
  package static var postgreSQLElementType: PostgreSQLType { .text }

  package func encode(into bytes: inout ParameterBytes) throws(PostgreSQLError) {
    try bytes.append(text: self)
  }
}

extension PostgreSQLTimestamp: PostgreSQLArrayElement {
  package static var postgreSQLType: PostgreSQLType { .timestamptz }
  package static var postgreSQLArrayType: PostgreSQLType { .timestamptzArray }

  package func encode(into bytes: inout ParameterBytes) { bytes.append(wire) }
}

extension PostgreSQLDate: PostgreSQLArrayElement {
  package static var postgreSQLType: PostgreSQLType { .date }
  package static var postgreSQLArrayType: PostgreSQLType { .dateArray }

  package func encode(into bytes: inout ParameterBytes) { bytes.append(wire) }
}

/// Alone a `smallint`; `[UInt8]` is a `bytea`.
extension UInt8: PostgreSQLArrayElement {
  package static var postgreSQLType: PostgreSQLType { .int2 }
  package static var postgreSQLArrayType: PostgreSQLType { .bytea }

  package func encode(into bytes: inout ParameterBytes) { bytes.append(Int16(self)) }

  package static func encodeArray(_ elements: [Self], into bytes: inout ParameterBytes) {
    bytes.append(contentsOf: elements)
  }
}

/// A `bytea` that can stand in an array; alone, `[UInt8]` does as well.
package struct PostgreSQLBytes: PostgreSQLArrayElement, Hashable {
  package let bytes: [UInt8]

  package init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  package static var postgreSQLType: PostgreSQLType { .bytea }
  package static var postgreSQLArrayType: PostgreSQLType { .byteaArray }

  package func encode(into bytes: inout ParameterBytes) { bytes.append(contentsOf: self.bytes) }
}

/// NULL in an array.
extension Optional: PostgreSQLArrayElement where Wrapped: PostgreSQLArrayElement {
  package static var postgreSQLArrayType: PostgreSQLType { Wrapped.postgreSQLArrayType }
  package static var postgreSQLElementType: PostgreSQLType { Wrapped.postgreSQLElementType }
}

extension Array: PostgreSQLParameter where Element: PostgreSQLArrayElement {
  package static var postgreSQLType: PostgreSQLType { Element.postgreSQLArrayType }

  package func encode(into bytes: inout ParameterBytes) throws(PostgreSQLError) {
    try Element.encodeArray(self, into: &bytes)
  }
}
