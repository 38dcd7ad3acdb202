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
    /// Of what networks saw.
    var firstDay: String?
    var lastDay: String?
    var sightings: Int?
    var unusable: Int?
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

  /// Taken in, or tried, without checks.
  func done(_ status: String, _ outcome: ImportOutcome, _ file: FileReport) throws {
    try done(status, outcome, file, Optional<[CheckFinding<ListCheck>]>.none, accepted: [])
  }

  /// Taken in, or tried.
  func done(
    _ status: String, _ outcome: ImportOutcome, _ report: FileReport,
    _ findings: [CheckFinding<ListCheck>]?, accepted: [ListCheck]
  ) throws {
    let isTrial = status == "tried"
    var answer = Answer(status, report)
    answer.importNumber = isTrial ? nil : outcome.importNumber
    answer.added = outcome.added
    answer.changed = outcome.changed
    answer.removed = outcome.removed
    answer.unchanged = outcome.unchanged
    answer.checks = findings.map { Self.checks($0, accepted: accepted) }
    let ended = findings == nil ? "" : " \(outcome.removed) ended,"
    try done(
      answer, report, findings ?? [],
      """
      \(path): \(report.rowsRead) rows read, \(report.rowsKept) kept, \
      \(report.rowsRepeated) repeated, \(report.rowsRefused) refused; \(outcome.added) new, \
      \(outcome.changed) changed,\(ended) \(outcome.unchanged) known already.
      """)
  }

  /// What networks saw; nil: tried.
  func done(_ number: Int64?, _ report: OperatorImport.Report) throws {
    var answer = Answer(number == nil ? "tried" : "imported", report.file)
    answer.importNumber = number
    answer.firstDay = report.days.lowerBound.description
    answer.lastDay = report.days.upperBound.description
    answer.sightings = report.rows
    answer.unusable = report.unusable
    answer.checks = Self.checks(report.findings, accepted: report.accepted)
    try done(
      answer, report.file, report.findings,
      """
      \(path): \(report.days.lowerBound) to \(report.days.upperBound), \
      \(report.file.rowsRead) rows read, \(report.file.rowsRefused) refused; \(report.rows) \
      sightings, \(report.unusable) with an identity that is no IMEI.
      """)
  }

  private func done<Check>(
    _ answer: Answer, _ report: FileReport, _ findings: [CheckFinding<Check>], _ sentence: String
  ) throws {
    notices(report)
    for finding in findings where !finding.hasPassed {
      Terminal.error("ceir: set aside: \(finding.check.rawValue): \(finding.sentence).")
    }
    if format == .json { return try Terminal.json(answer) }
    let isTrial = answer.status == "tried"
    Terminal.output(sentence + (isTrial ? " Nothing was changed (--dry-run)." : ""))
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
  func stopped<Check>(
    _ findings: [CheckFinding<Check>], by failed: [CheckFinding<Check>], _ report: FileReport
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

  private static func checks<Kind>(
    _ findings: [CheckFinding<Kind>], accepted: [Kind]
  ) -> [Check] {
    findings.map { finding in
      Check(
        check: finding.check.rawValue, measured: finding.measured, limit: finding.limit,
        passed: finding.hasPassed, accepted: accepted.contains(finding.check))
    }
  }
}
