package import DeviceIdentity
package import DeviceLists

/// A device that an authority reports stolen or lost.
package struct StolenReport: Hashable, Sendable {
  package let imei: IMEI
  /// ``GroundCode/stolen`` or ``GroundCode/lost``.
  package let ground: GroundCode
  package let reportedOn: CivilDate?
  package let caseReference: String?
  /// Only of a file of changes.
  package let change: ListChange?
  /// The first line of the record, from 1.
  package let line: Int

  package init(
    imei: IMEI, ground: GroundCode, reportedOn: CivilDate?, caseReference: String?,
    change: ListChange? = nil, line: Int
  ) {
    self.imei = imei
    self.ground = ground
    self.reportedOn = reportedOn
    self.caseReference = caseReference
    self.change = change
    self.line = line
  }
}
