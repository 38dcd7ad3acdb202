/// The name of a registry: 1 to 32 printable ASCII characters without space, comma, quotation
/// mark and backslash, so that it stands in JSON and CSV as it is.
package struct RegistryName: Hashable, Sendable, CustomStringConvertible {
  package static let longestText = 32

  package let description: String

  package init?(_ text: some StringProtocol) {
    guard (1...Self.longestText).contains(text.utf8.count) else { return nil }
    guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != 0x22 && $0 != 0x2C && $0 != 0x5C })
    else {
      return nil
    }
    description = String(text)
  }
}

/// What a node follows: the entries for all operators and those of its own operator.
package struct Feed: Hashable, Sendable, CustomStringConvertible {
  package let ownOperator: OperatorCode

  package init(of ownOperator: OperatorCode) { self.ownOperator = ownOperator }

  package func contains(_ scope: Scope) -> Bool {
    scope == .all || scope == .only(ownOperator)
  }

  package var description: String { ownOperator.description }
}
