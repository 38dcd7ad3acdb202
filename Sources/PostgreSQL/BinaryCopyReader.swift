/// Reads rows of `COPY … TO STDOUT (FORMAT binary)` in place. It needs no state between chunks:
/// a chunk holds whole rows, and the header is known by its first bytes, which as a count of
/// fields would exceed what a table can have.
///
/// Fields are read in order; what is left of a row is skipped by `nextRow`.
/// PostgreSQL documentation, COPY, "Binary Format".
package struct BinaryCopyReader {
  @usableFromInline let bytes: UnsafeRawBufferPointer
  @usableFromInline var offset = 0
  @usableFromInline var fieldsLeft = 0

  /// `bytes` must outlive the reader.
  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Steps to the next row; false after the last of this chunk.
  @inlinable package mutating func nextRow() throws(PostgreSQLError) -> Bool {
    while fieldsLeft > 0 { _ = try optionalBytes() }
    if offset == bytes.count { return false }
    var count = try load(Int16.self)
    if count == Self.signatureStart {
      try skipHeader()
      if offset == bytes.count { return false }
      count = try load(Int16.self)
    }
    if count == -1 {
      offset = bytes.count
      return false
    }
    guard count >= 0 else { throw Self.malformed() }
    fieldsLeft = Int(count)
    return true
  }

  @inlinable package mutating func int16() throws(PostgreSQLError) -> Int16 { try field() }

  @inlinable package mutating func int32() throws(PostgreSQLError) -> Int32 { try field() }

  @inlinable package mutating func int64() throws(PostgreSQLError) -> Int64 { try field() }

  @inlinable package mutating func optionalInt16() throws(PostgreSQLError) -> Int16? {
    try optionalField()
  }

  @inlinable package mutating func optionalInt32() throws(PostgreSQLError) -> Int32? {
    try optionalField()
  }

  @inlinable package mutating func optionalInt64() throws(PostgreSQLError) -> Int64? {
    try optionalField()
  }

  @inlinable package mutating func bool() throws(PostgreSQLError) -> Bool {
    let byte: UInt8 = try field()
    return byte != 0
  }

  @inlinable package mutating func timestamp() throws(PostgreSQLError) -> PostgreSQLTimestamp {
    PostgreSQLTimestamp(wire: try field())
  }

  @inlinable package mutating func optionalTimestamp() throws(PostgreSQLError)
    -> PostgreSQLTimestamp?
  {
    let wire: Int64? = try optionalField()
    return wire.map { PostgreSQLTimestamp(wire: $0) }
  }

  @inlinable package mutating func date() throws(PostgreSQLError) -> PostgreSQLDate {
    PostgreSQLDate(wire: try field())
  }

  /// The bytes of any field, in place; `nil` for NULL.
  @inlinable package mutating func optionalBytes() throws(PostgreSQLError)
    -> UnsafeRawBufferPointer?
  {
    let length = try fieldLength()
    if length < 0 { return nil }
    guard length <= bytes.count - offset else { throw Self.malformed() }
    defer { offset += length }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
  }

  @inlinable package mutating func bytesInPlace() throws(PostgreSQLError)
    -> UnsafeRawBufferPointer
  {
    guard let value = try optionalBytes() else { throw Self.malformed() }
    return value
  }

  package mutating func text() throws(PostgreSQLError) -> String {
    guard let text = try optionalText() else { throw Self.malformed() }
    return text
  }

  package mutating func optionalText() throws(PostgreSQLError) -> String? {
    guard let value = try optionalBytes() else { return nil }
    guard let text = String(validating: value, as: UTF8.self) else { throw Self.malformed() }
    return text
  }

  /// A `text[]` without NULL elements.
  package mutating func texts() throws(PostgreSQLError) -> [String] {
    let value = BinaryValue(type: .textArray, bytes: try bytesInPlace())
    guard let texts = value.array({ $0?.string }) else { throw Self.malformed() }
    return texts
  }
}

extension BinaryCopyReader {
  /// The first two bytes of the signature.
  @usableFromInline static let signatureStart: Int16 = 0x5047

  @usableFromInline static func malformed() -> PostgreSQLError {
    PostgreSQLError(.decoding, "Binary COPY data does not have the columns asked for")
  }

  @inlinable mutating func load<Integer: FixedWidthInteger>(
    _ type: Integer.Type
  ) throws(PostgreSQLError) -> Integer {
    let size = MemoryLayout<Integer>.size
    guard bytes.count - offset >= size else { throw Self.malformed() }
    defer { offset += size }
    return Integer(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
  }

  @inlinable mutating func fieldLength() throws(PostgreSQLError) -> Int {
    guard fieldsLeft > 0 else { throw Self.malformed() }
    fieldsLeft -= 1
    return Int(try load(Int32.self))
  }

  @inlinable mutating func field<Integer: FixedWidthInteger>() throws(PostgreSQLError) -> Integer {
    guard try fieldLength() == MemoryLayout<Integer>.size else { throw Self.malformed() }
    return try load(Integer.self)
  }

  @inlinable mutating func optionalField<Integer: FixedWidthInteger>() throws(PostgreSQLError)
    -> Integer?
  {
    let length = try fieldLength()
    if length < 0 { return nil }
    guard length == MemoryLayout<Integer>.size else { throw Self.malformed() }
    return try load(Integer.self)
  }

  /// The rest of the signature, flags, and an extension that is skipped.
  @usableFromInline mutating func skipHeader() throws(PostgreSQLError) {
    offset += binaryCopySignature.count - 2
    guard offset <= bytes.count else { throw Self.malformed() }
    let flags = try load(UInt32.self)
    let extensionBytes = Int(try load(UInt32.self))
    guard flags == 0, extensionBytes <= bytes.count - offset else { throw Self.malformed() }
    offset += extensionBytes
  }
}
