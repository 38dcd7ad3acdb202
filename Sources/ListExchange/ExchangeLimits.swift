/// What is accepted from the other side.
package struct ExchangeLimits: Hashable, Sendable {
  /// Changes in one delta; the rest is fetched by the next request.
  package var mostChanges = 20_000
  /// Bytes of one line of a delta, without its line feed: a checkpoint with its certificates.
  package var longestLineBytes = 8_192

  package init() {}
}

extension ExchangeLimits {
  /// Bytes of a problem, a status or any other document of a known size.
  package static let longestDocumentBytes = 65_536
  /// Bytes of one line of sightings or of an operator's own list, without its line feed.
  package static let longestRecordBytes = 2_048
  /// How long a node may ask the registry to hold a request until there is something new.
  package static let longestWaitSeconds = 55
  /// How far ahead of ours the clock of the other side may be.
  package static let longestAheadSeconds: Int64 = 300

  /// Identities in one synchronous query, and the bytes of the request.
  package static let mostQueriesAtOnce = 10_000
  package static let longestLUStatusBytes = 2 * 1_048_576
  /// Identities in one asynchronous query, and the bytes of the request.
  package static let mostQueries = 100_000
  package static let longestQueriesBytes = 8 * 1_048_576
  /// Bytes of the answer to the largest query.
  package static let longestAnswersBytes = 32 * 1_048_576

  /// Sightings in one message, and its bytes.
  package static let mostSightings = 10_000
  package static let longestSightingsBytes = 4 * 1_048_576
  /// Lines of an operator's own list or of its changes, and their bytes.
  package static let mostOwnListLines = 100_000
  package static let longestOwnListBytes = 16 * 1_048_576
  /// Requests of an operator shown at once.
  package static let mostRequestsShown = 100
  package static let longestRequestListBytes = 262_144

  /// Marks of approved mass changes in one checkpoint.
  package static let mostMassMarks = 16
  /// Certificates beside a signature, and the bytes of each.
  package static let mostCertificates = 3
  package static let longestCertificateBytes = 2_048

  /// Characters of what a network reports as an IMEI, in a question; 16 of them are kept.
  package static let longestIdentityText = 64
  /// Characters of a case reference, and of a reason.
  package static let longestCaseReference = 64
  package static let longestRemark = 512
  /// Bytes of a node's endpoint.
  package static let longestEndpointBytes = 255

  /// Arrays and objects inside each other.
  static let deepestNesting = 8
  /// Values in one document, and members in one object.
  static let mostValues = 20_000
  static let mostMembers = 64
}
