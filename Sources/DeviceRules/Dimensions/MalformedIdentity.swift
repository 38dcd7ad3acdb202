/// What networks report where an IMEI should be does not begin with fourteen digits. TS 23.003,
/// 6.2. DIRBS: `malformed_imei`.
package struct MalformedIdentity: Rule {
  package static let name = "malformedIdentity"

  package init() {}
  package init(from fields: inout Fields) throws(RuleError) {}

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    device.imei == nil
  }
}
