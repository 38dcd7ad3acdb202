package import DeviceLists

/// An EIR node, known by its certificate.
package struct NodeIdentity: Sendable, Hashable {
  package let number: Int32
  package let name: String
  package let operatorCode: OperatorCode
  package let operatorNumber: ScopeNumber
}

/// How an operator or one of its nodes is told of changes. ITU-T Q Suppl. 76, 7 to 9.
package enum DeliveryStyle: String, Sendable, CaseIterable {
  case follow, push, pushAsync, files
}

/// What a node says of itself with a request or an answer. What it does not say stays as it was.
package struct NodeReport: Sendable, Hashable {
  /// Where its list stands.
  package struct Standing: Sendable, Hashable {
    package let epoch: Epoch
    package let position: Position
    package let digest: ListDigest?

    package init(epoch: Epoch, position: Position, digest: ListDigest? = nil) {
      self.epoch = epoch
      self.position = position
      self.digest = digest
    }
  }

  package var standing: Standing?
  /// Subjects that its brake keeps as they were.
  package var held: Int?
  package var style: DeliveryStyle?
  /// 32 hexadecimal digits, of the machine's own directory.
  package var instance: String?
  /// Of the certificate that it came with.
  package var serial: String?
  /// When the message came that says it. One that came earlier than what is written down does not
  /// move the standing back.
  package var cameAt: ContinuousClock.Instant

  package init(
    standing: Standing? = nil, held: Int? = nil, style: DeliveryStyle? = nil,
    instance: String? = nil, serial: String? = nil, cameAt: ContinuousClock.Instant = .now
  ) {
    self.cameAt = cameAt
    self.standing = standing
    self.held = held
    self.style = style
    self.instance = instance
    self.serial = serial
  }
}

/// Two machines speak as one node: the first, then the second, then the first again within a day.
package struct TwoMachines: Sendable, Hashable {
  /// How long the former machine is remembered.
  package static let memorySeconds: Int64 = 86_400

  package let noticedAt: Instant
  /// Whether they have the very same certificate, rather than two with one name.
  package let shareCertificate: Bool
}

/// How the list that a node says it has compares with the journal.
package enum ListComparison: Sendable, Hashable {
  case agrees
  /// Another content at the same place: the node needs a snapshot.
  case differs
  /// Of another epoch, or beyond the journal's end: nothing to compare with.
  case elsewhere
}

/// A node and what it last said of itself.
package struct NodeRecord: Sendable {
  package let name: String
  package let epoch: String?
  package let position: Position?
  package let digest: ListDigest?
  package let held: Int?
  package let style: DeliveryStyle?
  /// Nil while it is in force.
  package let retiredAt: Instant?
  package let seenAt: Instant?
  package let twoMachines: TwoMachines?
}

/// Whose certificate it is.
package enum CertificateHolder: Hashable, Sendable {
  case ceir
  case signer
  case node(OperatorCode, NodeName)
}

/// A certificate that the registry has issued.
package struct CertificateRecord: Sendable, Hashable {
  /// Lower-case hexadecimal digits.
  package let serial: String
  package let holder: CertificateHolder
  package let notBefore: Instant
  package let notAfter: Instant
  package let issuedAt: Instant
  package let issuedBy: String
  package let revokedAt: Instant?
  package let revokedBy: String?
  package let revokeReason: String?
}
