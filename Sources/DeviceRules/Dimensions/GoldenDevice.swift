/// A device on the golden list. Its entry is white whatever a condition says; inverted, this keeps
/// it out of the counts too.
package struct GoldenDevice: Rule {
  package static let name = "goldenDevice"

  package var needs: EvidenceNeeds { .lists }

  package init() {}
  package init(from fields: inout Fields) throws(RuleError) {}

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    device.lists.contains(.golden)
  }
}
