import ArgumentParser
import DeviceLists
import NightlyJobs
import RegistryFiles
import RegistryStore

/// What an import says at its end.
struct ImportReport {
  let path: String
  let format: OutputFormat

  private struct Check: Encodable {
    let check: String
    let measured: Double
    let limit: Double
    let passed: Bool
    let accepted: Bool
  }

  private struct Answer: Encodable {
    var status: String
    var importNumber: Int64?
    var read: Int?
    var kept: Int?
    var repeated: Int?
    var refused: Int?
    var refusedByReason: [String: Int]?
    var added: Int?
    var changed: Int?
    var removed: Int?
    var unchanged: Int?
    var checks: [Check]?

    init(_ status: String, _ report: FileReport? = nil) {
      self.status = status
      read = report?.rowsRead
      kept = report?.rowsKept
      repeated = report?.rowsRepeated
      refused = report?.rowsRefused
      refusedByReason = report.map { report in
        Dictionary(
          uniqueKeysWithValues: report.refused.map { ($0.key.description, $0.value) })
      }
    }
  }

  /// Taken in, or tried.
  func done(
    _ status: String, _ outcome: ImportOutcome, _ report: FileReport,
    _ findings: ListFindings? = nil, accepted: [ListCheck] = []
  ) throws {
    notices(report)
    let isTrial = status == "tried"
    var answer = Answer(status, report)
    answer.importNumber = isTrial ? nil : outcome.importNumber
    answer.added = outcome.added
    answer.changed = outcome.changed
    answer.removed = outcome.removed
    answer.unchanged = outcome.unchanged
    answer.checks = findings.map { Self.checks($0, accepted: accepted) }
    for finding in findings?.failed ?? [] {
      Terminal.error("ceir: set aside: \(finding.check.rawValue): \(finding.sentence).")
    }
    if format == .json { return try Terminal.json(answer) }
    let ended = findings == nil ? "" : " \(outcome.removed) ended,"
    Terminal.output(
      """
      \(path): \(report.rowsRead) rows read, \(report.rowsKept) kept, \
      \(report.rowsRepeated) repeated, \(report.rowsRefused) refused; \(outcome.added) new, \
      \(outcome.changed) changed,\(ended) \(outcome.unchanged) known already.\
      \(isTrial ? " Nothing was changed (--dry-run)." : "")
      """)
  }

  func repeated(_ number: Int64, _ at: Instant) throws {
    if format == .json { return try Terminal.json(Answer("repeated")) }
    Terminal.output(
      "\(path): the same file was taken in at \(at) as import \(number); nothing to do.")
  }

  func refusedAsStrict(_ report: FileReport) throws {
    notices(report)
    if format == .json { try Terminal.json(Answer("refused", report)) }
    Terminal.error(
      "ceir: \(path) was refused as a whole, for --strict was given: of \(report.rowsRead) rows "
        + "\(report.rowsRefused) cannot be used and \(report.rowsRepeated) are repeated, or a "
        + "column is not known. Nothing was changed.")
    throw ExitCode(CommandFailure.failed)
  }

  /// Checks have failed: a person must decide.
  func stopped(
    _ findings: ListFindings, by failed: [CheckFinding], _ report: FileReport
  ) throws {
    notices(report)
    if format == .json {
      var answer = Answer("stopped", report)
      answer.checks = Self.checks(findings, accepted: [])
      try Terminal.json(answer)
    }
    for finding in failed {
      Terminal.error(
        "ceir: \(path): \(finding.sentence). If that is right: --accept "
          + "\(finding.check.rawValue) --because TEXT.")
    }
    Terminal.error("ceir: \(path) was not taken in: nothing was changed.")
    throw ExitCode(CommandFailure.undecided)
  }

  private func notices(_ report: FileReport) {
    for notice in report.notices { Terminal.error("ceir: \(notice)") }
  }

  private static func checks(_ findings: ListFindings, accepted: [ListCheck]) -> [Check] {
    findings.all.map { finding in
      Check(
        check: finding.check.rawValue, measured: finding.measured, limit: finding.limit,
        passed: finding.hasPassed, accepted: accepted.contains(finding.check))
    }
  }
}
