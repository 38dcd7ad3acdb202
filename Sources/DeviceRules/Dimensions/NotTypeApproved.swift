/// A device that was seen and whose type has no approval in this country. Its kind may be exempt.
/// Colombia, CRC 5050: non-approved. ITU-T Q.5050, 9.5.
package struct NotTypeApproved: Rule {
  package static let name = "notTypeApproved"

  package var needs: EvidenceNeeds { [.types, .seenBefore] }

  package init() {}
  package init(from fields: inout Fields) throws(RuleError) {}

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    device.imei != nil && !device.type.isApproved && !device.type.isExempt
      && device.isSeen(in: scope)
  }
}
