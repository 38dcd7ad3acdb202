/// A value that a statement takes as `$1`, `$2` ….
///
/// Numbers, times, bytes and arrays go in binary with their own type. Text goes as text of
/// unknown type, so that the statement decides what it is: `uuid`, `jsonb`, `date`, `text`.
package protocol PostgreSQLParameter: Sendable {
  static var postgreSQLType: PostgreSQLType { get }
  func encode(into bytes: inout ParameterBytes) throws(PostgreSQLError)
}

/// What may also stand in an array.
package protocol PostgreSQLArrayElement: PostgreSQLParameter {
  static var postgreSQLArrayType: PostgreSQLType { get }
  /// The same type inside an array; differs for text, which has no unknown arrays.
  static var postgreSQLElementType: PostgreSQLType { get }
  func encodeElement(into bytes: inout ParameterBytes) throws(PostgreSQLError)
  static func encodeArray(
    _ elements: [Self], into bytes: inout ParameterBytes
  ) throws(PostgreSQLError)
}

extension PostgreSQLArrayElement {
  package static var postgreSQLElementType: PostgreSQLType { postgreSQLType }

  package func encodeElement(into bytes: inout ParameterBytes) throws(PostgreSQLError) {
    try encode(into: &bytes)
  }

  /// One dimension counted from 1 (`array_recv` in PostgreSQL's arrayfuncs.c); an empty array
  /// has no dimension.
  package static func encodeArray(
    _ elements: [Self], into bytes: inout ParameterBytes
  ) throws(PostgreSQLError) {
    let hasNull = elements.contains { ($0 as? any OptionalParameter)?.isNull ?? false }
    bytes.append(Int32(elements.isEmpty ? 0 : 1))
    bytes.append(Int32(hasNull ? 1 : 0))
    bytes.append(postgreSQLElementType.oid)
    guard !elements.isEmpty else { return }
    bytes.append(Int32(elements.count))
    bytes.append(Int32(1))
    for element in elements {
      if hasNull, (element as? any OptionalParameter)?.isNull ?? false {
        bytes.append(Int32(-1))
      } else {
        try bytes.appendElement(element)
      }
    }
  }
}

/// A type by its number in `pg_type`.
package struct PostgreSQLType: Sendable, Hashable {
  package let oid: UInt32
  package init(oid: UInt32) { self.oid = oid }

  static let unknown = PostgreSQLType(oid: 0)
  static let bool = PostgreSQLType(oid: 16)
  static let bytea = PostgreSQLType(oid: 17)
  static let name = PostgreSQLType(oid: 19)
  static let int8 = PostgreSQLType(oid: 20)
  static let int2 = PostgreSQLType(oid: 21)
  static let int4 = PostgreSQLType(oid: 23)
  static let text = PostgreSQLType(oid: 25)
  static let oid = PostgreSQLType(oid: 26)
  static let json = PostgreSQLType(oid: 114)
  static let float4 = PostgreSQLType(oid: 700)
  static let float8 = PostgreSQLType(oid: 701)
  static let boolArray = PostgreSQLType(oid: 1000)
  static let byteaArray = PostgreSQLType(oid: 1001)
  static let int2Array = PostgreSQLType(oid: 1005)
  static let int4Array = PostgreSQLType(oid: 1007)
  static let textArray = PostgreSQLType(oid: 1009)
  static let int8Array = PostgreSQLType(oid: 1016)
  static let float8Array = PostgreSQLType(oid: 1022)
  static let bpchar = PostgreSQLType(oid: 1042)
  static let varchar = PostgreSQLType(oid: 1043)
  static let date = PostgreSQLType(oid: 1082)
  static let timestamp = PostgreSQLType(oid: 1114)
  static let dateArray = PostgreSQLType(oid: 1182)
  static let timestamptz = PostgreSQLType(oid: 1184)
  static let timestamptzArray = PostgreSQLType(oid: 1185)
  static let numeric = PostgreSQLType(oid: 1700)
  static let uuid = PostgreSQLType(oid: 2950)
  static let jsonb = PostgreSQLType(oid: 3802)
  /// Types made by users, such as enumerations, start here.
  static let firstOfUsers: UInt32 = 16_384
}

/// The bytes of one statement's parameters, in the order of the statement.
package struct ParameterBytes: Sendable {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ integer: some FixedWidthInteger) {
    withUnsafeBytes(of: integer.bigEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(contentsOf more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

  /// libpq finds the end of a text parameter by its NUL, and `text` cannot hold one.
  mutating func append(text: String) throws(PostgreSQLError) {
    var copy = text
    let hasNUL = copy.withUTF8 { utf8 in
      bytes.append(contentsOf: utf8)
      return utf8.contains(0)
    }
    if hasNUL { throw PostgreSQLError(.encoding, "Text for the database holds a NUL") }
  }

  /// Writes an array element's length before it, once it is known.
  mutating func appendElement<Element: PostgreSQLArrayElement>(
    _ element: Element
  ) throws(PostgreSQLError) {
    let lengthAt = bytes.count
    append(Int32(0))
    try element.encodeElement(into: &self)
    let length = Int32(bytes.count - lengthAt - 4)
    withUnsafeBytes(of: length.bigEndian) {
      bytes.replaceSubrange(lengthAt..<lengthAt + 4, with: $0)
    }
  }
}

/// All parameters of one statement, ready for libpq.
struct EncodedParameters: Sendable {
  /// PostgreSQL's own limit: the wire counts parameters in 16 bits.
  static let countLimit = 65_535
  /// PostgreSQL's own limit for one value.
  static let byteLimit = 1 << 30

  var bytes = ParameterBytes()
  var types: [UInt32] = []
  /// Offset and length in `bytes`; an offset of -1 is NULL.
  var places: [(offset: Int, length: Int)] = []

  init(_ parameters: [any PostgreSQLParameter]) throws(PostgreSQLError) {
    guard parameters.count <= Self.countLimit else {
      throw PostgreSQLError(.encoding, "A statement takes at most \(Self.countLimit) parameters")
    }
    types.reserveCapacity(parameters.count)
    places.reserveCapacity(parameters.count)
    for parameter in parameters { try append(parameter) }
    guard bytes.bytes.count < Self.byteLimit else {
      throw PostgreSQLError(.encoding, "The parameters of one statement exceed 1 GiB")
    }
  }

  private mutating func append(_ parameter: any PostgreSQLParameter) throws(PostgreSQLError) {
    types.append(type(of: parameter).postgreSQLType.oid)
    if let optional = parameter as? any OptionalParameter, optional.isNull {
      places.append((-1, 0))
      return
    }
    let offset = bytes.bytes.count
    try parameter.encode(into: &bytes)
    places.append((offset, bytes.bytes.count - offset))
    bytes.append(UInt8(0))
  }
}

/// Tells NULL from a value without unwrapping the type.
protocol OptionalParameter { var isNull: Bool { get } }

extension Optional: OptionalParameter where Wrapped: PostgreSQLParameter {
  var isNull: Bool { self == nil }
}

extension Optional: PostgreSQLParameter where Wrapped: PostgreSQLParameter {
  package static var postgreSQLType: PostgreSQLType { Wrapped.postgreSQLType }

  package func encode(into bytes: inout ParameterBytes) throws(PostgreSQLError) {
    guard let value = self else { return }
    try value.encode(into: &bytes)
  }
}
