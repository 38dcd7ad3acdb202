/// Why a subject is treated in a way. The words are stable: they stand in the journal, on the wire
/// and in the digest. The raw value is a bit of ``GroundCodeSet`` in memory and is never stored.
package enum GroundCode: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  // In the order of their words, which is the order of the canonical bytes: a test holds it.
  case barredTac
  case courtOrder
  case duplicate
  case foreignBlock
  case fraud
  case genuineOwner
  case lost
  case malformed
  case notApproved
  case notRegistered
  case operatorRequest
  case ownershipClaim
  case protected
  case registered
  case released
  case simBox
  case stolen
  case tacAllocated
  case tacNotAllocated
  case technologyMismatch
  case typeApproved

  private static let byWord = Dictionary(
    uniqueKeysWithValues: allCases.map { (String(describing: $0), $0) })

  package init?(word: some StringProtocol) {
    guard let code = Self.byWord[String(word)] else { return nil }
    self = code
  }

  package var description: String {
    switch self {
    case .barredTac: "barredTac"
    case .courtOrder: "courtOrder"
    case .duplicate: "duplicate"
    case .foreignBlock: "foreignBlock"
    case .fraud: "fraud"
    case .genuineOwner: "genuineOwner"
    case .lost: "lost"
    case .malformed: "malformed"
    case .notApproved: "notApproved"
    case .notRegistered: "notRegistered"
    case .operatorRequest: "operatorRequest"
    case .ownershipClaim: "ownershipClaim"
    case .protected: "protected"
    case .registered: "registered"
    case .released: "released"
    case .simBox: "simBox"
    case .stolen: "stolen"
    case .tacAllocated: "tacAllocated"
    case .tacNotAllocated: "tacNotAllocated"
    case .technologyMismatch: "technologyMismatch"
    case .typeApproved: "typeApproved"
    }
  }

  // The three switches name every code: a new one must be thought about, not become black.

  /// The list that a ground of this code puts its subject on unless the ground says otherwise.
  package var defaultStatus: ListStatus {
    switch self {
    case .genuineOwner, .protected, .registered, .released, .tacAllocated, .typeApproved: .white
    case .ownershipClaim: .grey
    case .barredTac, .courtOrder, .duplicate, .foreignBlock, .fraud, .lost, .malformed,
      .notApproved, .notRegistered, .operatorRequest, .simBox, .stolen, .tacNotAllocated,
      .technologyMismatch:
      .black
    }
  }

  /// Whether the holder is told first and blocked after a grace period. ITU-T Q.5050, 9.7.
  package var hasGrace: Bool {
    switch self {
    case .duplicate, .malformed, .notApproved, .notRegistered, .tacNotAllocated,
      .technologyMismatch:
      true
    case .barredTac, .courtOrder, .foreignBlock, .fraud, .genuineOwner, .lost, .operatorRequest,
      .ownershipClaim, .protected, .registered, .released, .simBox, .stolen, .tacAllocated,
      .typeApproved:
      false
    }
  }

  /// Whether an exception for one subscriber lifts a black of this code.
  package var isOverridable: Bool {
    switch self {
    case .barredTac, .courtOrder, .lost, .stolen: false
    case .duplicate, .foreignBlock, .fraud, .genuineOwner, .malformed, .notApproved,
      .notRegistered, .operatorRequest, .ownershipClaim, .protected, .registered, .released,
      .simBox, .tacAllocated, .tacNotAllocated, .technologyMismatch, .typeApproved:
      true
    }
  }
}
