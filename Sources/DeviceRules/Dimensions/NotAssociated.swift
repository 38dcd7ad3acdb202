/// A device that was seen and belongs to no person. ITU-T Q.5052, 7.3. DIRBS:
/// `not_on_association_list`.
package struct NotAssociated: Rule {
  package static let name = "notAssociated"

  package var needs: EvidenceNeeds { [.owners, .seenBefore] }

  package init() {}
  package init(from fields: inout Fields) throws(RuleError) {}

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    device.owners.isEmpty && device.isSeen(in: scope)
  }
}
