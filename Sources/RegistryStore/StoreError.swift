/// Why the store refused. What the database itself refused comes as a `PostgreSQLError`.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: Hashable, Sendable {
    case noRegistry
    case registryExists
    /// A migration that this program does not know, or another text under a known number.
    case schemaIsNewer(version: Int)
    case schemaDiffers(version: Int)
    case schemaIsOlder(version: Int, wanted: Int)
    case unknownOperator
    case operatorExists
    case networkTaken
    case unknownToken
    case nameTaken
    case releaseStands
    case alreadyBlocked
    case notBlocked
    case notReleased
    case deviceTaken
    /// What was asked for cannot be, whatever the registry holds.
    case unfit
    /// The same bytes were imported before, or by somebody else at the same moment.
    case alreadyImported
    case corrupt
  }

  package let code: Code
  package let description: String

  package init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
