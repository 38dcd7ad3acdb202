/// What a file from outside may ask of us. The size of a plain file has no limit; what is packed
/// into one has.
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
  /// Bytes that a packed file may become: four times the dump of a month of 100 million devices.
  package var mostRestoredBytes = 64 << 30
  /// How many bytes may come of one packed byte, beyond the first ``freelyRestoredBytes``. Lists
  /// become 3 to 30 times as long; a file of zeros 1,000 times.
  package var mostExpansion = 200
  package var freelyRestoredBytes = 16 << 20
  /// Of a zip file: names in it, and bytes of its directory.
  package var mostZipMembers = 1_000
  package var mostZipDirectoryBytes = 1 << 20

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
