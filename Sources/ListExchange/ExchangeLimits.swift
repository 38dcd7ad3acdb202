/// What is accepted from the other side.
package struct ExchangeLimits: Hashable, Sendable {
  /// Changes in one delta; the rest is fetched by the next request.
  package var mostChanges = 20_000
  /// Bytes of one line of a delta, without its line feed.
  package var longestLineBytes = 4_096
  /// Bytes of a problem or status document.
  package static let longestDocumentBytes = 65_536
  /// Arrays and objects inside each other.
  static let deepestNesting = 8
  /// How long a node may ask the registry to hold a request until there is something new.
  package static let longestWaitSeconds = 55

  package init() {}
}

/// Where the interface is found, and in which forms it speaks.
package enum ExchangePath {
  package static let changes = "/exchange/v1/changes"
  package static let snapshot = "/exchange/v1/snapshot"
  package static let status = "/exchange/v1/status"
  package static let ndjson = "application/x-ndjson"
  package static let index = "application/vnd.openceir.index"
  package static let json = "application/json"
  package static let problem = "application/problem+json"
}
