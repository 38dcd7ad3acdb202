/// A device on the list of barred devices; it need not have been seen. DIRBS:
/// `exists_in_barred_list`.
package struct Barred: Rule {
  package static let name = "barred"

  package var needs: EvidenceNeeds { .lists }

  package init() {}
  package init(from fields: inout Fields) throws(RuleError) {}

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    device.lists.contains(.barred)
  }
}
