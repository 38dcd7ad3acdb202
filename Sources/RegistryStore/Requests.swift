package import DeviceIdentity
package import DeviceLists

/// What an operator asks for a device.
package struct NewDeviceRequest: Sendable {
  package enum Kind: String, Sendable, CaseIterable { case block, unblock }

  package var kind: Kind
  package var imei: IMEI
  /// A subscriber of the device: of the operator's own, its policy may accept the request at once.
  package var imsi: IMSI?
  package var reason: String
  package var caseReference: String

  package init(
    kind: Kind, imei: IMEI, imsi: IMSI? = nil, reason: String, caseReference: String = ""
  ) {
    self.kind = kind
    self.imei = imei
    self.imsi = imsi
    self.reason = reason
    self.caseReference = caseReference
  }
}

/// An operator's request as it is recorded. The subscriber that it named is not shown.
package struct RecordedRequest: Sendable, Hashable {
  package enum State: String, Sendable, CaseIterable {
    /// A person of the registry decides.
    case pending
    case accepted
    /// Every list that has reached ``RecordedRequest/position`` holds the change.
    case published
    case refused
  }

  /// Whose networks the subscriber belongs to who was named.
  package enum Subscriber: String, Sendable { case none, own, other }

  /// 32 hexadecimal digits.
  package let request: String
  package let operatorCode: OperatorCode
  package let node: String
  package let kind: NewDeviceRequest.Kind
  package let imei: IMEI
  package let subscriber: Subscriber
  package let reason: String
  package let caseReference: String
  package let state: State
  package let position: Position?
  package let receivedAt: Instant
  package let decidedAt: Instant?
  package let decidedBy: String?
  /// Why it was refused, for the operator.
  package let refusal: String?
}

/// A line of an operator's own black list.
package struct OwnListLine: Sendable {
  package enum Operation: Sendable { case add, remove }

  package var operation: Operation
  package var imei: IMEI
  package var reason: String
  package var caseReference: String

  package init(
    _ operation: Operation = .add, _ imei: IMEI, reason: String = "", caseReference: String = ""
  ) {
    self.operation = operation
    self.imei = imei
    self.reason = reason
    self.caseReference = caseReference
  }
}

/// What an operator's list has changed. A line counts for every IMEI of its device.
package struct OwnListOutcome: Sendable {
  package let added: Int
  package let ended: Int
  /// Already there, or already gone.
  package let unchanged: Int
  /// Of a delta: lines that add what is there.
  package let present: [IMEI]
  /// Of a delta: lines that remove what is not there.
  package let missing: [IMEI]
  /// Those of ``missing`` that another source has made black.
  package let foreign: [IMEI]
  /// To wait for; nil where there are too many changes to wait for, or none.
  package let receipt: ChangeReceipt?
}
