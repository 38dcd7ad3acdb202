package import PostgreSQL

/// A device, a subscriber and a number, and the days of one month on which an operator saw them
/// together. 32 bytes.
package struct SightingRow: Hashable, Sendable {
  package static let none = SightingRow(imei: 0, imsi: 0, msisdn: 0, days: 0, technologies: 0)

  package var imei: UInt64
  /// Packed; 0: none. So is the MSISDN.
  package var imsi: UInt64
  package var msisdn: UInt64
  /// Bit 0 is the first of the month.
  package var days: UInt32
  /// Bits of RadioTechnology.
  package var technologies: Int32

  @inlinable package init(
    imei: UInt64, imsi: UInt64, msisdn: UInt64, days: UInt32, technologies: Int32
  ) {
    self.imei = imei
    self.imsi = imsi
    self.msisdn = msisdn
    self.days = days
    self.technologies = technologies
  }

  @inlinable package func isSame(as other: SightingRow) -> Bool {
    imei == other.imei && imsi == other.imsi && msisdn == other.msisdn
  }

  /// The order of the key.
  @inlinable package static func < (left: SightingRow, right: SightingRow) -> Bool {
    if left.imei != right.imei { return left.imei < right.imei }
    if left.imsi != right.imsi { return left.imsi < right.imsi }
    return left.msisdn < right.msisdn
  }

  @inlinable package mutating func combine(_ other: SightingRow) {
    days |= other.days
    technologies |= other.technologies
  }
}

/// Writes the rows of one operator's month into its new table.
package struct SightingWriter: ~Copyable {
  @usableFromInline var buffer = BinaryCopyWriter()
  private let writer: PostgreSQLCopyWriter

  init(_ writer: PostgreSQLCopyWriter) { self.writer = writer }

  @inlinable package mutating func put(_ row: SightingRow) {
    buffer.row(fields: 5)
    buffer.int64(Int64(bitPattern: row.imei))
    buffer.int64(Int64(bitPattern: row.imsi))
    buffer.int64(Int64(bitPattern: row.msisdn))
    buffer.int32(Int32(bitPattern: row.days))
    buffer.int32(row.technologies)
  }

  /// Whether it is time to ``send()``.
  @inlinable package var isFull: Bool { buffer.isFull }

  package mutating func send() async throws { try await writer.write(&buffer) }

  mutating func finish() async throws {
    buffer.finish()
    try await send()
  }
}

extension SightingRow {
  /// The rows of a chunk of a COPY: imei, imsi, msisdn, days, technologies.
  static func rows(of chunk: [UInt8]) throws -> [SightingRow] {
    try chunk.withUnsafeBytes { bytes in
      var reader = BinaryCopyReader(bytes)
      var rows: [SightingRow] = []
      rows.reserveCapacity(chunk.count / copiedBytes)
      while try reader.nextRow() {
        rows.append(
          SightingRow(
            imei: UInt64(bitPattern: try reader.int64()),
            imsi: UInt64(bitPattern: try reader.int64()),
            msisdn: UInt64(bitPattern: try reader.int64()),
            days: UInt32(bitPattern: try reader.int32()), technologies: try reader.int32()))
      }
      return rows
    }
  }

  /// What one takes in such a chunk.
  private static let copiedBytes = 54
}
