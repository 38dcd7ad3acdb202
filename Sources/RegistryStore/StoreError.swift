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
    case unknownNode
    case unknownCertificate
    /// The certificate that is to be renewed, or its node, is no longer in force.
    case certificateEnded
    case unknownRequest
    /// A page is asked for after something that is not there.
    case unknownCursor
    case unknownRun
    /// The parameters that are confirmed are not those that were proposed last.
    case otherParameters
    /// The operator's policy does not take such requests.
    case policyForbids
    /// As many requests as the policy allows in a day; more are taken on the next.
    case dailyLimit(retryAfterSeconds: Int)
    /// As many queries of a node as may wait at once.
    case queriesWaiting
    /// A request that somebody has decided already.
    case decidedAlready
    /// The same token or person has approved before; a second one is needed.
    case approvedAlready
    /// The token is not one of role approver in force.
    case noApprover
    /// Changes of the run are still to be published.
    case notPublished
    /// A time that lies too far ahead of the registry's, or too far back.
    case timeTooFar
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
    /// The job is under way, or was ended by another.
    case jobRuns
    case jobLost
    case unknownCondition
    case corrupt
  }

  package let code: Code
  package let description: String

  package init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
