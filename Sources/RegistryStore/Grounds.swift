package import DeviceIdentity
package import DeviceLists

/// A ground to be recorded.
package struct NewGround: Sendable {
  package var subject: Subject
  package var scope: Scope
  package var code: GroundCode
  package var status: ListStatus
  package var isOverridable: Bool
  package var source: String
  package var caseReference: String
  package var reason: String
  /// Nil: from now on.
  package var start: Instant?
  package var end: Instant?

  package init(
    on subject: Subject, scope: Scope = .all, code: GroundCode, source: String,
    caseReference: String = "", reason: String = "", start: Instant? = nil, end: Instant? = nil
  ) {
    self.subject = subject
    self.scope = scope
    self.code = code
    status = code.defaultStatus
    isOverridable = code.isOverridable
    self.source = source
    self.caseReference = caseReference
    self.reason = reason
    self.start = start
    self.end = end
  }
}

/// Marks that a change has left in the queue: when they are gone, the change is published.
package struct ChangeReceipt: Sendable {
  package let marks: [Int64]
  package let imeis: [IMEI]
}

/// A ground as it is recorded, with its history.
package struct RecordedGround: Sendable {
  package let number: Int64
  package let subject: Subject
  package let scope: Scope
  package let code: GroundCode
  package let status: ListStatus
  package let isOverridable: Bool
  package let source: String
  package let caseReference: String
  package let reason: String
  package let start: Instant
  package let end: Instant?
  package let recordedBy: String
  package let endRecordedBy: String?
  package let endReason: String?
}

/// A release as it is recorded.
package struct RecordedRelease: Sendable {
  package let number: Int64
  package let subject: Subject
  package let scope: Scope
  package let codes: GroundCodeSet
  package let liftsWider: Bool
  package let reason: String
  package let start: Instant
  package let end: Instant?
  package let recordedBy: String
}

/// An entry that bears on a device: its own, or that of its type or a range.
package struct RecordedEntry: Sendable {
  package let subject: Subject
  package let scope: Scope
  package let entryClass: EntryClass
  package let since: Instant
  package let position: Position
}

/// All that the registry knows of a device, except who uses it.
package struct DeviceRecord: Sendable {
  package let imei: IMEI
  package let manufacturer: String?
  package let model: String?
  /// The other IMEIs of the same device.
  package let siblings: [IMEI]
  package let entries: [RecordedEntry]
  /// How many subscribers have an entry of their own with this device.
  package let pairingCount: Int
  /// The newest first.
  package let grounds: [RecordedGround]
  package let releases: [RecordedRelease]
}
