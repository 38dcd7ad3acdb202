/// A device whose type is on the list of barred types. DIRBS: `is_barred_tac`.
package struct BarredType: Rule {
  package static let name = "barredType"

  package var needs: EvidenceNeeds { .lists }

  package init() {}
  package init(from fields: inout Fields) throws(RuleError) {}

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    device.lists.contains(.barredType)
  }
}
