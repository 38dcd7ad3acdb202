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
    @OptionGroup var input: InputOptions
    @Option(help: "The first day that the file is about, as in 2026-11-01.") var from: String?
    @Option(help: "The last day.") var to: String?
    @OptionGroup var set: AcceptOptions<DumpCheck>

    func validate() throws {
      guard (from == nil) == (to == nil) else {
        throw ValidationError("Give both --from and --to.")
      }
    }

    func run() async throws {
      let days = try days()
      let outcome = try await input.read { store, listener, temporaryDirectory in
        var options = OperatorImport.Options(
          actor: Actor.name, temporaryDirectory: temporaryDirectory)
        options.days = days
        options.accepted = Set(set.accept)
        options.acceptedReason = set.because ?? ""
        options.isDryRun = input.dryRun
        return try await OperatorImport(store: store, operator: code.code, options: options)
          .run(path: input.path, listener: listener)
      }
      let report = input.report
      switch outcome {
      case .imported(let number, let dump): try report.done(number, dump)
      case .tried(let dump): try report.done(nil, dump)
      case .repeated(let number, let at): try report.repeated(number, at)
      case .stopped(let failed, let dump):
        try report.stopped(dump.findings, by: failed, dump.file)
      }
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
