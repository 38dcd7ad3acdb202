/// The short name of an operator, as in file names, certificates and the journal: 1 to 16 of
/// `a`–`z`, `0`–`9` and `-`, and not `all`.
package struct OperatorCode: Hashable, Comparable, Sendable, CustomStringConvertible {
  package static let longestText = 16

  package let description: String

  package init?(_ text: some StringProtocol) {
    guard (1...Self.longestText).contains(text.utf8.count), text != "all" else { return nil }
    let isAllowed: (UInt8) -> Bool = { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x2D }
    guard text.utf8.allSatisfy(isAllowed), text.utf8.first != 0x2D else { return nil }
    description = String(text)
  }

  package static func < (left: OperatorCode, right: OperatorCode) -> Bool {
    left.description < right.description
  }
}

/// Whom an entry concerns: every operator, or one.
package enum Scope: Hashable, Sendable, CustomStringConvertible {
  case all
  case only(OperatorCode)

  /// `all` or the operator's code.
  package init?(_ text: some StringProtocol) {
    if text == "all" {
      self = .all
    } else if let code = OperatorCode(text) {
      self = .only(code)
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .all: "all"
    case .only(let code): code.description
    }
  }
}
