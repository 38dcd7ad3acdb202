/// The name of one EIR process of an operator: 1 to 32 of `a`–`z`, `0`–`9` and `-`.
package struct NodeName: Hashable, Comparable, Sendable, CustomStringConvertible {
  package static let longestText = 32

  package let description: String

  package init?(_ text: some StringProtocol) {
    guard (1...Self.longestText).contains(text.utf8.count) else { return nil }
    let isAllowed: (UInt8) -> Bool = { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x2D }
    guard text.utf8.allSatisfy(isAllowed), text.utf8.first != 0x2D else { return nil }
    description = String(text)
  }

  package static func < (left: NodeName, right: NodeName) -> Bool {
    left.description < right.description
  }
}
