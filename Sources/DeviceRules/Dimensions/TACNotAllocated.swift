import DeviceIdentity

/// A device whose type is in no list of allocations, seen for longer than new types take to get
/// there. DIRBS: `gsma_not_found`. Colombia, CRC 5050: invalid.
///
/// What is no IMEI has no type: that is ``MalformedIdentity``.
package struct TACNotAllocated: Rule {
  package static let name = "tacNotAllocated"

  /// Whether a new type gets no time at all.
  package let ignoresDelays: Bool

  package var needs: EvidenceNeeds { ignoresDelays ? [.types] : [.types, .seenBefore] }

  package init(ignoresDelays: Bool = false) { self.ignoresDelays = ignoresDelays }

  package init(from fields: inout Fields) throws(RuleError) {
    ignoresDelays = try fields.flag("ignoresDelays", default: false)
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("ignoresDelays", ignoresDelays)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    guard let imei = device.imei, !device.type.isAllocated else { return false }
    guard let first = firstDay(of: device, in: scope) else { return false }
    return isLate(first, delay: scope.country.delay(of: imei.tac), in: scope)
  }

  /// Only where what the period shows is not old enough by itself.
  package func isUndecided(_ device: Evidence, in scope: Scope) -> Bool {
    guard let imei = device.imei, !device.type.isAllocated, !ignoresDelays else { return false }
    guard let first = device.firstDay(within: scope.allDays, of: scope.period) else { return true }
    return !isLate(first, delay: scope.country.delay(of: imei.tac), in: scope)
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    guard let imei = device.imei, let first = firstDay(of: device, in: scope) else { return [] }
    return [
      Measure("firstSeen", first), Measure("delayDays", scope.country.delay(of: imei.tac)),
    ]
  }

  private func isLate(_ first: Day, delay: Int, in scope: Scope) -> Bool {
    ignoresDelays || first + delay < scope.period.end
  }

  private func firstDay(of device: Evidence, in scope: Scope) -> Day? {
    let within = device.firstDay(within: scope.allDays, of: scope.period)
    guard let before = device.seenBefore, before < scope.period.end else { return within }
    return min(before, within ?? before)
  }
}
