/// Why a line of an operator's file is refused: `Schema/exchange/codes.md`. Those below 1000 are
/// the ones of GSMA SG.18 that mean the same.
package enum LineCode: UInt16, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case ownedByAnother = 2
  case notThere = 3
  case unusableIdentity = 9
  case unknownReason = 10
  case unreadable = 11
  case invalid = 12
  case empty = 13
  case fieldCount = 1300
  case alreadyThere = 1301
  case notAllowed = 1302
  case dailyLimit = 1303
  case noSuchFile = 1304

  /// Four digits.
  package var description: String {
    String(repeating: "0", count: rawValue < 10 ? 3 : rawValue < 1000 ? 2 : 0) + String(rawValue)
  }

  package var title: String {
    switch self {
    case .ownedByAnother: "the entry to be removed is another owner's"
    case .notThere: "there is no entry to be removed"
    case .unusableIdentity: "the identity is none that can be listed"
    case .unknownReason: "the reason is not known"
    case .unreadable: "a character cannot be read"
    case .invalid: "a field is invalid or too long"
    case .empty: "a field is empty"
    case .fieldCount: "the number of fields is not that of the header"
    case .alreadyThere: "the entry is there already"
    case .notAllowed: "the operator's policy does not allow it"
    case .dailyLimit: "the operator's limit for the day is reached"
    case .noSuchFile: "there is no file of this number"
    }
  }
}
