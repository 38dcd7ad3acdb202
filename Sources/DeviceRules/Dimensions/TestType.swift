/// A device with the identity of a test device: the prefixes of the settings, by default those of
/// GSMA TS.06. DIRBS: `is_test_tac`.
package struct TestType: Rule {
  package static let name = "testType"

  package init() {}
  package init(from fields: inout Fields) throws(RuleError) {}

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    device.imei.map(scope.country.isTest) ?? false
  }
}
