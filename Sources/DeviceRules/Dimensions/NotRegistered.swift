/// A device that was seen and has no registration in force. Its kind may be exempt; a device whose
/// type is not in the list of allocations has no kind and is never exempt. DIRBS:
/// `not_on_registration_list`.
package struct NotRegistered: Rule {
  package static let name = "notRegistered"

  package var needs: EvidenceNeeds { [.types, .registration, .seenBefore] }

  package init() {}
  package init(from fields: inout Fields) throws(RuleError) {}

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    device.registration != .inForce && !device.type.isExempt && device.isSeen(in: scope)
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    device.registration == .notInForce ? [Measure("registration", "notInForce")] : []
  }
}
