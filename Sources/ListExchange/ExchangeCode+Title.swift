extension ExchangeCode {
  /// What it means, fit for strangers.
  package var title: String { titleOfRequest ?? titleOfMessage ?? titleOfFile ?? "" }

  private var titleOfRequest: String? {
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
    case .methodNotAllowed: "This address is not asked in this way"
    case .unsupportedMedia: "The message is in another form than is taken here"
    case .tooLarge: "The message is too large"
    case .keyReused: "The idempotency key stands for another message"
    case .wrongTime: "A time lies too far ahead of ours"
    case .limitReached: "A limit is reached"
    case .snapshotIsCheaper: "A snapshot is cheaper than the changes"
    case .noIdempotencyKey: "There is no usable idempotency key"
    case .rangeNotSatisfiable: "There are no such bytes"
    case .notProposed: "These parameters are not the proposed ones"
    case .notAllowed: "The operator's policy does not allow it"
    case .certificateRefused: "The certificate is not one that may ask this"
    default: nil
    }
  }

  private var titleOfMessage: String? {
    switch self {
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
    case .unsigned: "The checkpoint is not signed"
    case .signatureWrong: "The signature is wrong"
    case .signerNotTrusted: "The signer is not trusted"
    case .standsElsewhere: "The node stands at another place"
    default: nil
    }
  }

  private var titleOfFile: String? {
    switch self {
    case .unknownName: "The name of the file is none of ours"
    case .manifestUnusable: "The manifest cannot be used"
    case .fileDiffers: "The file is not what its manifest says"
    case .numberReused: "The number stands for another file"
    case .numberMissing: "A file with a number before it is missing"
    case .compressionDamaged: "The compressed file is damaged"
    case .fileTooLong: "The file is too long"
    case .wrongOperator: "The file is of another operator"
    case .recordCountDiffers: "The number of records is not the one in the manifest"
    default: nil
    }
  }
}
