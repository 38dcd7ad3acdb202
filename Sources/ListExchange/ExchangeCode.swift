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
  case methodNotAllowed = 1010
  case unsupportedMedia = 1011
  case tooLarge = 1012
  /// The same key came with another method, path or body within seven days.
  case keyReused = 1013
  /// Over ``ExchangeLimits/longestAheadSeconds``.
  case wrongTime = 1014
  case limitReached = 1015
  /// Unless the node insists on the changes.
  case snapshotIsCheaper = 1016
  case noIdempotencyKey = 1017
  case rangeNotSatisfiable = 1018
  case notProposed = 1019
  case notAllowed = 1020
  case certificateRefused = 1021

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
  case unsigned = 1112
  case signatureWrong = 1113
  case signerNotTrusted = 1114
  /// Said by a node that cannot use a broadcast; the problem document names its place.
  case standsElsewhere = 1120

  // A file that is refused as a whole.
  case unknownName = 1200
  case manifestUnusable = 1201
  case fileDiffers = 1202
  case numberReused = 1203
  case numberMissing = 1204
  case compressionDamaged = 1205
  case fileTooLong = 1206
  case wrongOperator = 1207
  case recordCountDiffers = 1208

  /// The status that goes with it over HTTP. RFC 9110, 15.
  package var httpStatus: Int {
    switch self {
    case .badRequest, .noIdempotencyKey: 400
    case .unauthenticated: 401
    case .forbidden, .notAllowed, .certificateRefused: 403
    case .notFound: 404
    case .methodNotAllowed: 405
    case .epochChanged, .nodeAhead, .keyReused, .snapshotIsCheaper, .notProposed, .standsElsewhere:
      409
    case .beforeHorizon: 410
    case .digestDiffers: 412
    case .tooLarge: 413
    case .unsupportedMedia: 415
    case .rangeNotSatisfiable: 416
    case .limitReached: 429
    case .internalFailure: 500
    case .unavailable: 503
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
