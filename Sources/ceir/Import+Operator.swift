import ArgumentParser
import CEIRService
import DeviceLists
import Foundation
import NightlyJobs
import RegistryFiles
import RegistryStore

extension Import {
  struct Operator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "operator",
      abstract: "What an operator's networks saw: date, imei, imsi, msisdn, and rat if known.",
      discussion: """
        The name of the file says which days it is about (OPERATOR_FIRST_LAST.csv), or --from and \
        --to do. What was known of these days is replaced; other days stay. A file that fails a \
        check changes nothing: --accept sets a check aside for this file, and the registry keeps \
        who did so and why.

        EXAMPLES
          ceir import operator alfa alfa_20261101_20261130.csv
          ceir import operator alfa dump.csv --from 2026-11-01 --to 2026-11-30 --dry-run
          ceir import operator beta beta_20261101_20261130.csv --accept volume-imei \\
            --because "network closed in the north since the flood"
        """)

    @Argument(help: "The operator's code.") var code: KnownCode
    @Argument(help: "The file.", completion: .file()) var path: String
    @Option(help: "The first day that the file is about, as in 2026-11-01.") var from: String?
    @Option(help: "The last day.") var to: String?
    @Option(
      parsing: .upToNextOption, help: "Checks that this file need not hold.",
      completion: .list(DumpCheck.allCases.map(\.rawValue)))
    var accept: [String] = []
    @Option(help: "Why they are set aside.", transform: KeptText.read) var because: String?
    @Flag(help: "Read and check everything, change nothing.") var dryRun = false
    @Option(
      help: "Write every refused line with its reason to this CSV file.", completion: .file())
    var refusals: String?
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func validate() throws {
      for name in accept where DumpCheck(rawValue: name) == nil {
        let known = DumpCheck.allCases.map(\.rawValue).sorted().joined(separator: ", ")
        throw ValidationError("There is no check \(name): there are \(known).")
      }
      guard accept.isEmpty || because != nil else {
        throw ValidationError("--accept needs --because: the registry keeps the reason.")
      }
      guard (from == nil) == (to == nil) else {
        throw ValidationError("Give both --from and --to.")
      }
    }

    func run() async throws {
      let output = try RefusalOutput(path: refusals, shown: ImportOptions.shownRefusals)
      let progress = ImportProgress("lines read")
      var options = OperatorImport.Options(
        actor: Actor.name, temporaryDirectory: FileManager.default.temporaryDirectory.path)
      options.days = try days()
      options.accepted = Set(accept)
      options.reason = because ?? ""
      options.isTrial = dryRun
      let outcome = try await registry.withRegistry(longWork: true) { store in
        try await OperatorImport(store: store, operator: code.code, options: options).run(
          path: path,
          listener: FileImport.Listener(
            refused: { try output.add($0) }, read: { progress.line.update($0) }))
      }
      progress.line.end()
      try output.finish()
      try show(outcome)
    }

    private func days() throws -> ClosedRange<CivilDate>? {
      guard let from, let to else { return nil }
      guard let first = CivilDate(from), let last = CivilDate(to), first <= last else {
        throw ValidationError(
          "--from and --to are days as in 2026-11-01, the first before the last.")
      }
      return first...last
    }
  }
}

final class ImportProgress {
  var line: ProgressLine

  init(_ what: String) { line = ProgressLine(what) }
}

extension Import.Operator {
  private struct Check: Encodable {
    let check: String
    let measured: Double
    let limit: Double
    let holds: Bool
  }

  private struct Answer: Encodable {
    let status: String
    var importNumber: Int64?
    var firstDay: String?
    var lastDay: String?
    var read: Int?
    var kept: Int?
    var refused: Int?
    var refusedByReason: [String: Int]?
    var rows: Int?
    var unusable: Int?
    var checks: [Check]?

    init(_ status: String, _ summary: OperatorImport.Summary? = nil) {
      self.status = status
      guard let summary else { return }
      firstDay = summary.days.lowerBound.description
      lastDay = summary.days.upperBound.description
      read = summary.report.rowsRead
      kept = summary.report.rowsKept
      refused = summary.report.rowsRefused
      refusedByReason = Dictionary(
        uniqueKeysWithValues: summary.report.refused.map { ($0.key.description, $0.value) })
      rows = summary.rows
      unusable = summary.unusable
      checks = summary.results.map {
        Check(
          check: $0.check.rawValue, measured: $0.measured, limit: $0.limit, holds: $0.holds)
      }
    }
  }

  private func show(_ outcome: OperatorImport.Outcome) throws {
    switch outcome {
    case .imported(let number, let summary):
      var answer = Answer("imported", summary)
      answer.importNumber = number
      try show(answer, summary, "taken in as import \(number)")
    case .trial(let summary):
      try show(Answer("trial", summary), summary, "a trial, nothing changed")
    case .repeated(let number, let at):
      if format == .json { return try Terminal.json(Answer("repeated")) }
      Terminal.output(
        "\(path): the same file was taken in at \(at) as import \(number); nothing to do.")
    case .refused(let failing, let summary):
      if format == .json { try Terminal.json(Answer("refused", summary)) }
      for result in failing { Terminal.error("ceir: \(sentence(result))") }
      let names = failing.map(\.check.rawValue).joined(separator: " ")
      Terminal.error(
        "ceir: \(path) was refused and nothing was changed. If it is right nevertheless: --accept "
          + "\(names) --because WHY.")
      throw ExitCode(CommandFailure.undecided)
    }
  }

  private func show(
    _ answer: Answer, _ summary: OperatorImport.Summary, _ what: String
  ) throws {
    if format == .json { return try Terminal.json(answer) }
    for notice in summary.report.notices { Terminal.error("ceir: \(notice)") }
    for result in summary.results where !result.holds {
      Terminal.error("ceir: set aside: \(sentence(result))")
    }
    Terminal.output(
      """
      \(path): \(summary.days.lowerBound) to \(summary.days.upperBound), \
      \(summary.report.rowsRead) rows read, \(summary.report.rowsRefused) refused; \(summary.rows) \
      sightings, \(summary.unusable) with an identity that is no IMEI; \(what).
      """)
  }

  private func sentence(_ result: CheckResult) -> String {
    let measured = (result.measured * 1000).rounded() / 10
    return "check \(result.check.rawValue): \(measured) % (\(result.check.meaning)); "
      + (result.check.isFloor ? "at least " : "at most ")
      + "\((result.limit * 1000).rounded() / 10) % is expected"
  }
}
