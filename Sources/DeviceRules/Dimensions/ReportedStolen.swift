package import DeviceLists

/// A device with a ground of the given codes in force, from a list or a case; it need not have been
/// seen. DIRBS: `stolen_list`.
package struct ReportedStolen: Rule {
  package static let name = "reportedStolen"
  static let usual = ["stolen", "lost"]

  package let codes: GroundCodeSet

  package var needs: EvidenceNeeds { .grounds }

  package init(codes: GroundCodeSet = [GroundCodeSet(.stolen), GroundCodeSet(.lost)]) {
    self.codes = codes
  }

  package init(from fields: inout Fields) throws(RuleError) {
    codes = try fields.groundCodes("codes", default: Self.usual)
    guard !codes.isEmpty else { throw RuleError(fields.place, "codes is empty") }
  }

  package func write(to fields: inout FieldWriter) throws { try fields.write("codes", codes) }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    !device.grounds.isDisjoint(with: codes)
  }

  package func measured(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> [Measure] {
    device.grounds.intersection(codes).codes.map { Measure("ground", $0) }
  }
}
