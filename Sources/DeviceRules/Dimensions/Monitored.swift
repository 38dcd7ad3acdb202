/// A device that has been on the monitoring list for some days. DIRBS: `exists_in_monitoring_list`.
package struct Monitored: Rule {
  package static let name = "monitored"
  static let days = 0...3_650

  package let minimumDays: Int

  package var needs: EvidenceNeeds { .monitoring }

  package init(minimumDays: Int = 0) { self.minimumDays = minimumDays }

  package init(from fields: inout Fields) throws(RuleError) {
    minimumDays = try fields.integer("minimumDays", in: Self.days, default: 0)
  }

  package func write(to fields: inout FieldWriter) throws {
    try fields.write("minimumDays", minimumDays)
  }

  /// On the day of the run it must have been there for so many days.
  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    device.monitoredSince.map { $0 + minimumDays < scope.period.end } ?? false
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    device.monitoredSince.map { [Measure("monitoredSince", $0)] } ?? []
  }
}
