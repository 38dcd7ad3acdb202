/// What a file from outside may ask of us. The size of the file itself has no limit.
package struct FileLimits: Sendable {
  /// Bytes of one record, line breaks inside quotes included.
  package var longestRecordBytes = 65_536
  /// Bytes of one field.
  package var longestFieldBytes = 8_192
  package var mostColumns = 256
  /// Lines before the header, where the kind of file allows any.
  package var mostPreambleLines = 20
  /// Refusals and notices kept in the report; more are counted only.
  package var mostRefusalsKept = 1_000
  package var mostNoticesKept = 100

  package init() {}

  /// Read at once; holds several of the longest records.
  var bufferBytes: Int { max(262_144, 2 * longestRecordBytes) }
}

/// What stands between two fields.
package enum Delimiter: UInt8, Sendable, CaseIterable {
  case comma = 0x2C
  case pipe = 0x7C
  case semicolon = 0x3B
}
