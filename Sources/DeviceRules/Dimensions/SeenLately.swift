/// A device that a network saw in the last days. Beside ``ReportedStolen`` it finds the stolen
/// devices that are in use.
package struct SeenLately: Rule {
  package static let name = "seenLately"

  private let within: Window

  package var window: Window? { within }

  package init(window: Window = .days(30)) { within = window }

  package init(from fields: inout Fields) throws(RuleError) {
    within = try fields.window(default: .days(30))
  }

  package func write(to fields: inout FieldWriter) throws { try fields.write(within) }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    device.isSeen(within: scope.days)
  }
}
