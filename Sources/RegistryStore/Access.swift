package import DeviceLists

/// What a person's token allows.
package enum StaffRole: String, Sendable, CaseIterable {
  case viewer, officer, approver, auditor, administrator

  /// Whether the role may block, unblock and release, and decide on operators' requests.
  package var mayDecide: Bool { self == .officer || self == .administrator }

  /// Whether the role may set an operator's policy and parameters.
  package var mayAdminister: Bool { self == .administrator }
}

/// A person whose token was shown.
package struct Staff: Sendable, Hashable {
  package let name: String
  package let role: StaffRole
}

package struct OperatorRecord: Sendable {
  package let code: OperatorCode
  package let name: String
  package let networks: [String]
  package let policy: OperatorPolicy
  package let nodes: [NodeRecord]
}

/// What the regulator has agreed with an operator.
package struct OperatorPolicy: Hashable, Sendable {
  /// What becomes of a request for a device.
  package enum Requests: String, Sendable, CaseIterable {
    /// Accepted at once for subscribers of the operator's own networks, reviewed for others.
    case accepted
    case reviewed
    case refused
  }

  /// What a device on no list is answered as.
  package var mode: CheckAnswer
  package var blockRequests: Requests
  package var unblockRequests: Requests
  /// Requests that are taken in a day of the registry's calendar.
  package var dailyLimit: Int

  package init(
    mode: CheckAnswer = .unknown, blockRequests: Requests = .reviewed,
    unblockRequests: Requests = .reviewed, dailyLimit: Int = 1_000
  ) {
    self.mode = mode
    self.blockRequests = blockRequests
    self.unblockRequests = unblockRequests
    self.dailyLimit = dailyLimit
  }
}

package struct TokenRecord: Sendable {
  package let number: Int32
  /// A ``StaffRole``.
  package let role: String
  package let name: String
  package let createdAt: Instant
  package let expiresAt: Instant?
  package let revokedAt: Instant?
}
