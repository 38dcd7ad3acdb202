/// What went wrong, as a number that stays the same: `Schema/exchange/codes.md`.
package enum ExchangeCode: UInt16, Hashable, Sendable, CaseIterable {
  // A request that is not served.
  case badRequest = 1000
  case unauthenticated = 1001
  case forbidden = 1002
  case notFound = 1003
  /// The registry is in another epoch; the problem document names it.
  case epochChanged = 1004
  /// The node's position lies beyond the registry's, in the same epoch.
  case nodeAhead = 1005
  /// The journal no longer holds the changes asked for: a snapshot is needed.
  case beforeHorizon = 1006
  /// The node's digest at its position is not the registry's.
  case digestDiffers = 1007
  case unavailable = 1008
  case internalFailure = 1009

  // A message that is refused.
  case malformed = 1100
  case lineTooLong = 1101
  case tooManyChanges = 1102
  case wrongOrder = 1103
  case wrongScope = 1104
  case unknownWord = 1105
  case cutShort = 1106
  /// The SHA-256 of the bytes is not the one in the checkpoint.
  case contentDiffers = 1107
  case wrongFeed = 1108
  case wrongRegistry = 1109
  case wrongEpoch = 1110
  /// Older than what the node has.
  case stale = 1111

  package var title: String {
    switch self {
    case .badRequest: "The request cannot be understood"
    case .unauthenticated: "The node has not proved who it is"
    case .forbidden: "The node may not have this"
    case .notFound: "There is nothing at this address"
    case .epochChanged: "The registry is in another epoch"
    case .nodeAhead: "The node is ahead of the registry"
    case .beforeHorizon: "The journal no longer holds these changes"
    case .digestDiffers: "The digests differ"
    case .unavailable: "The registry cannot answer at present"
    case .internalFailure: "The registry has failed"
    case .malformed: "A line cannot be understood"
    case .lineTooLong: "A line is too long"
    case .tooManyChanges: "There are too many changes in one delta"
    case .wrongOrder: "Positions do not rise"
    case .wrongScope: "A change does not belong to the feed"
    case .unknownWord: "A word is not known"
    case .cutShort: "The message ends before its checkpoint"
    case .contentDiffers: "The content is not what the checkpoint says"
    case .wrongFeed: "The checkpoint is of another feed"
    case .wrongRegistry: "The checkpoint is of another registry"
    case .wrongEpoch: "The checkpoint is of another epoch"
    case .stale: "The message is older than what is there already"
    }
  }

  /// The status that goes with it over HTTP. RFC 9110, 15.
  package var httpStatus: Int {
    switch self {
    case .badRequest: 400
    case .unauthenticated: 401
    case .forbidden: 403
    case .notFound: 404
    case .epochChanged, .nodeAhead: 409
    case .beforeHorizon: 410
    case .digestDiffers: 412
    case .unavailable: 503
    case .internalFailure: 500
    default: 422
    }
  }
}

/// Why a message or a request is refused. Shows places and counts, never identities.
package struct ExchangeError: Error, Hashable, Sendable, CustomStringConvertible {
  package let code: ExchangeCode
  package let detail: String

  package init(_ code: ExchangeCode, _ detail: String = "") {
    self.code = code
    self.detail = detail
  }

  package var description: String {
    detail.isEmpty ? code.title : "\(code.title): \(detail)"
  }
}
