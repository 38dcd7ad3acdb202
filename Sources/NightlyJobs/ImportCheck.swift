package import RegistryFiles

/// What a file is held against before it changes anything. A person can set each aside by name, for
/// one file.
package protocol ImportCheck: RawRepresentable<String>, CaseIterable, Hashable, Sendable {}

extension DumpCheck: ImportCheck {}

/// What a check has found.
package struct CheckFinding<Check: ImportCheck>: Sendable, Hashable {
  package let check: Check
  package let measured: Double
  package let limit: Double
  package let hasPassed: Bool
  /// For people: what was measured, and what the limit is.
  package let sentence: String
}

extension CheckFinding where Check == DumpCheck {
  init(_ result: CheckResult) {
    let bound = result.check.isFloor ? "at least" : "at most"
    self.init(
      check: result.check, measured: result.measured, limit: result.limit,
      hasPassed: result.holds,
      sentence: "\(percent(result.measured)) (\(result.check.meaning)); "
        + "\(bound) \(percent(result.limit)) is expected")
  }
}

extension Array {
  /// A JSON object: for each check what was measured, the limit, and whether it passed.
  func json<Check>() -> String where Element == CheckFinding<Check> {
    let members = map { finding in
      "\"\(finding.check.rawValue)\":{\"measured\":\(finding.measured),"
        + "\"limit\":\(finding.limit),\"passed\":\(finding.hasPassed)}"
    }
    return "{\(members.joined(separator: ","))}"
  }
}

/// `0.1 %`.
func percent(_ share: Double) -> String { "\((share * 1_000).rounded() / 10) %" }
