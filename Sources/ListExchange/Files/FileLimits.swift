/// What is accepted from files.
package enum FileLimits {
  /// Bytes of a manifest.
  package static let longestManifestBytes = ExchangeLimits.longestDocumentBytes
  /// Bytes of one line of a list, without its line feed.
  package static let longestLineBytes = 2_048

  /// Bytes of a full or incremental file, as text: no list of all the devices of a large country
  /// comes near it.
  package static let longestListBytes = 1 << 34
  /// Changes in one incremental file. Where there are more, the registry writes a full one: a node
  /// holds the changes in memory until they are applied together.
  package static let mostChanges = 1_000_000

  /// Bytes of an operator's file, as it comes and as text.
  package static let longestInboundBytes = ExchangeLimits.longestOwnListBytes
  /// Its lines, without the header.
  package static let mostInboundRecords = ExchangeLimits.mostOwnListLines
  /// Characters of the detail beside a refused line.
  package static let longestDetail = 200
}
