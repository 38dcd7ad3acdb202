/// Writes rows in the format of `COPY … FROM STDIN (FORMAT binary)` into memory of its own,
/// which grows to its largest use and is never given back before the end. One call of `row`
/// comes before the fields of each row; `finish` comes after the last.
///
/// PostgreSQL documentation, COPY, "Binary Format".
package struct BinaryCopyWriter: ~Copyable {
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var capacity: Int
  @usableFromInline var used: Int

  /// Bytes after which `isFull` asks for a write.
  package static let fullBytes = 1 << 18

  /// Starts with the header.
  package init() {
    capacity = Self.fullBytes + Self.fullBytes / 4
    base = .allocate(byteCount: capacity, alignment: 16)
    used = 0
    for byte in binaryCopySignature { append(byte) }
    append(UInt32(0))
    append(UInt32(0))
  }

  deinit { base.deallocate() }

  @inlinable package var isFull: Bool { used >= Self.fullBytes }

  /// What was written since the last `removeAll`; valid until the next change.
  @inlinable package var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base, count: used)
  }

  @inlinable package mutating func removeAll() { used = 0 }

  @inlinable package mutating func row(fields: Int) { append(Int16(fields)) }

  @inlinable package mutating func null() { append(Int32(-1)) }

  @inlinable package mutating func int16(_ value: Int16) { field(value) }

  @inlinable package mutating func int32(_ value: Int32) { field(value) }

  @inlinable package mutating func int64(_ value: Int64) { field(value) }

  @inlinable package mutating func bool(_ value: Bool) { field(UInt8(value ? 1 : 0)) }

  @inlinable package mutating func timestamp(_ value: PostgreSQLTimestamp) { field(value.wire) }

  @inlinable package mutating func date(_ value: PostgreSQLDate) { field(value.wire) }

  /// For `bytea`, and for `text` whose bytes are known to be UTF-8 without NUL.
  @inlinable package mutating func bytes(_ value: UnsafeRawBufferPointer) {
    append(Int32(value.count))
    append(contentsOf: value)
  }

  @inlinable package mutating func bytes(_ value: [UInt8]) {
    value.withUnsafeBytes { bytes($0) }
  }

  /// The server refuses text that holds NUL.
  @inlinable package mutating func text(_ value: String) {
    var value = value
    value.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
  }

  /// A `text[]`.
  package mutating func texts(_ values: [String]) {
    let lengthAt = used
    append(Int32(0))
    append(Int32(values.isEmpty ? 0 : 1))
    append(Int32(0))
    append(PostgreSQLType.text.oid)
    if !values.isEmpty {
      append(Int32(values.count))
      append(Int32(1))
      for value in values { text(value) }
    }
    let length = Int32(used - lengthAt - 4)
    base.storeBytes(of: length.bigEndian, toByteOffset: lengthAt, as: Int32.self)
  }

  /// Ends the data.
  package mutating func finish() { append(Int16(-1)) }

  @inlinable mutating func append<Integer: FixedWidthInteger>(_ value: Integer) {
    let size = MemoryLayout<Integer>.size
    if capacity - used < size { grow(by: size) }
    base.storeBytes(of: value.bigEndian, toByteOffset: used, as: Integer.self)
    used += size
  }

  /// Length and value with one check of the space.
  @inlinable mutating func field<Integer: FixedWidthInteger>(_ value: Integer) {
    let size = MemoryLayout<Integer>.size
    if capacity - used < size + 4 { grow(by: size + 4) }
    base.storeBytes(of: Int32(size).bigEndian, toByteOffset: used, as: Int32.self)
    base.storeBytes(of: value.bigEndian, toByteOffset: used + 4, as: Integer.self)
    used += size + 4
  }

  @inlinable mutating func append(contentsOf value: UnsafeRawBufferPointer) {
    guard let start = value.baseAddress else { return }
    if capacity - used < value.count { grow(by: value.count) }
    (base + used).copyMemory(from: start, byteCount: value.count)
    used += value.count
  }

  @usableFromInline mutating func grow(by bytes: Int) {
    let larger = max(capacity * 2, used + bytes)
    let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    moved.copyMemory(from: base, byteCount: used)
    base.deallocate()
    base = moved
    capacity = larger
  }
}

/// `PGCOPY\n`, 255, `\r\n`, 0.
let binaryCopySignature: [UInt8] = [
  0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00,
]
