package import DeviceLists

/// What a person's token allows.
package enum StaffRole: String, Sendable, CaseIterable {
  case viewer, officer, approver, auditor, administrator

  /// Whether the role may block, unblock and release.
  package var mayDecide: Bool { self == .officer || self == .administrator }
}

/// A person whose token was shown.
package struct Staff: Sendable, Hashable {
  package let name: String
  package let role: StaffRole
}

/// An EIR node whose token was shown.
package struct NodeIdentity: Sendable, Hashable {
  package let number: Int32
  package let name: String
  package let operatorCode: OperatorCode
  package let operatorNumber: ScopeNumber
}

package struct OperatorRecord: Sendable {
  package let code: OperatorCode
  package let name: String
  package let networks: [String]
  package let mode: CheckAnswer
  package let nodes: [NodeRecord]
}

/// A node and what it last said of itself.
package struct NodeRecord: Sendable {
  package let name: String
  package let epoch: String?
  package let position: Position?
  package let seenAt: Instant?
}

package struct TokenRecord: Sendable {
  package let number: Int32
  /// A staff role, or `node`.
  package let role: String
  package let name: String
  package let createdAt: Instant
  package let expiresAt: Instant?
  package let revokedAt: Instant?
}
