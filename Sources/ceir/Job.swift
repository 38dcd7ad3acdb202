import ArgumentParser
import CEIRService
import DeviceLists
import Foundation
import NightlyJobs
import RegistryStore

struct Job: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the work of the night, and see what became of it.",
    discussion: """
      EXAMPLES
        ceir job run classify --dry-run
        ceir job run classify
        ceir job list
      """,
    subcommands: [Run.self, List.self])

  enum Name: String, ExpressibleByArgument, CaseIterable { case classify }

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run a job now.",
      discussion: """
        classify holds every device that networks have seen against the conditions \
        (`ceir condition list`). Only devices that have changed are looked at where that gives the \
        same; --full looks at all. A condition that finds more than it may stops the run, which \
        then has changed nothing.

        EXAMPLES
          ceir job run classify --dry-run
          ceir job run classify --as-of 2026-11-30 --format json
        """)

    @Argument(help: "The job.") var name: Name
    @Option(help: "The last day that counts, as in 2026-11-30. (default: today)")
    var asOf: String?
    @Flag(help: "Find and count everything, change nothing.") var dryRun = false
    @Flag(help: "Look at every device.") var full = false
    @Option(
      help: "missing-month: go on although an operator's newest month is missing.",
      completion: .list(["missing-month"]))
    var accept: String?
    @Flag(help: "End a run that is under way, because it is dead.") var takeOver = false
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    func validate() throws {
      guard accept == nil || accept == "missing-month" else {
        throw ValidationError("--accept knows missing-month only.")
      }
    }

    func run() async throws {
      var options = ClassifyJob.Options(actor: Actor.name)
      if let asOf {
        guard let day = CivilDate(asOf) else {
          throw ValidationError("--as-of is a day as in 2026-11-30.")
        }
        options.asOf = day
      }
      options.isTrial = dryRun
      options.isFull = full
      options.acceptsMissingMonth = accept != nil
      options.takesOver = takeOver
      let chosen = options
      let showsProgress = Terminal.showsProgress
      let report = try await registry.withRegistry(longWork: true) { store in
        try await ClassifyJob(
          store: store, options: chosen,
          progress: { count in
            if showsProgress { Terminal.progress("devices looked at: \(count)") }
          }
        ).run()
      }
      if showsProgress { Terminal.endProgress() }
      try show(report)
    }

    private func show(_ report: ClassifyReport) throws {
      if format == .json {
        try Terminal.json(report)
      } else {
        var table = TextTable(["condition", "matching", "new", "changed", "ended"])
        for found in report.conditions {
          table.add([
            found.condition, String(found.matching), String(found.begun), String(found.changed),
            String(found.ended),
          ])
        }
        Terminal.output(table.text)
        let seconds = (report.seconds * 10).rounded() / 10
        Terminal.output(
          "\(report.asOf): \(report.devices) devices looked at"
            + (report.isFull ? "" : " (those that have changed)")
            + ", \(report.unusable) identities that are no IMEI, in \(seconds) s; "
            + (dryRun
              ? "a trial, nothing changed."
              : "\(report.groundsBegun) grounds begun, \(report.groundsEnded) ended."))
      }
      guard report.excesses.isEmpty else {
        for excess in report.excesses { Terminal.error("ceir: \(excess)") }
        throw ExitCode(CommandFailure.undecided)
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The last runs, the newest first.",
      discussion: """
        EXAMPLES
          ceir job list --limit 5
        """)

    static let mostRuns = 1_000

    @Option(help: "How many.") var limit = 20
    @OptionGroup var registry: RegistryOptions
    @Option(help: "text or json.") var format = OutputFormat.text

    private struct Line: Encodable {
      let run: Int64
      let job: String
      let asOf: String
      let startedAt: String
      let startedBy: String
      let endedAt: String?
      let state: String
    }

    func validate() throws {
      guard (1...Self.mostRuns).contains(limit) else {
        throw ValidationError("--limit is 1 to \(Self.mostRuns).")
      }
    }

    func run() async throws {
      let runs = try await registry.withRegistry { store in
        try await store.read { try await $0.jobRuns(limit: limit) }
      }
      let lines = runs.map {
        Line(
          run: $0.number, job: $0.job, asOf: $0.asOf.description,
          startedAt: $0.startedAt.description, startedBy: $0.startedBy,
          endedAt: $0.endedAt?.description, state: $0.state.rawValue)
      }
      if format == .json { return try Terminal.json(lines) }
      var table = TextTable(["run", "job", "as of", "started", "by", "ended", "state"])
      for line in lines {
        table.add([
          String(line.run), line.job, line.asOf, line.startedAt, line.startedBy,
          line.endedAt ?? "–", line.state,
        ])
      }
      Terminal.output(table.text)
    }
  }
}
