package import DeviceLists
package import RegistryFiles
package import RegistryStore

/// A file from an authority, taken into the registry: all of its good lines or, if the option says
/// so, nothing as soon as one is refused. Nothing is half-applied: it is one transaction.
package struct FileImport: Sendable {
  /// How the file is to be taken.
  package struct Options: Sendable {
    package var source: String
    package var actor: String
    /// The whole file is refused unless it is spotless: one line that is refused or repeated, or a
    /// column that is not known, is enough.
    package var isStrict = false
    package var imeiForm = IMEIForm.dialled
    /// Everything is done, reported and undone.
    package var isDryRun = false
    /// Where standard input is kept meanwhile.
    package var temporaryDirectory = "/tmp"
    /// The day by which a date is in the future.
    package var today: CivilDate

    package init(source: String, actor: String, today: CivilDate) {
      self.source = source
      self.actor = actor
      self.today = today
    }
  }

  package enum Outcome: Sendable {
    case imported(ImportOutcome, FileReport)
    /// What would have been: nothing was done.
    case tried(ImportOutcome, FileReport)
    /// The same bytes were imported before: nothing was done.
    case repeated(number: Int64, at: Instant)
    /// Refused as a whole: nothing was done.
    case refused(FileReport)
  }

  /// Hears of each refused line, and now and then how many lines have been read.
  package final class Listener {
    /// Lines between two words.
    private static let readInterval = 10_000

    private var lines = 0
    package var refused: (Refusal) throws -> Void
    package var read: (Int) -> Void

    package init(
      refused: @escaping (Refusal) throws -> Void = { _ in },
      read: @escaping (Int) -> Void = { _ in }
    ) {
      self.refused = refused
      self.read = read
    }

    /// The row of a line; nil for one that is refused.
    func row<Row>(of line: FileLine<Row>) throws -> Row? {
      lines += 1
      if lines % Self.readInterval == 0 { read(lines) }
      switch line {
      case .row(let row): return row
      case .refused(let refusal):
        try refused(refusal)
        return nil
      }
    }
  }

  private let store: RegistryStore
  private let options: Options

  package init(store: RegistryStore, options: Options) {
    self.store = store
    self.options = options
  }

  package func importTACs(path: String, listener: Listener) async throws -> Outcome {
    try await run(.tac, form: "", path: path) { registry, input, file in
      let rows = try TACRows(input, listener: listener)
      let outcome = try await registry.importTACs(by: options.actor, next: rows.next) {
        file(rows.report)
      }
      return (outcome, rows.report)
    }
  }

  package func importStolen(path: String, listener: Listener) async throws -> Outcome {
    try await run(.stolen, form: options.imeiForm.rawValue, path: path) { registry, input, file in
      let reading = StolenListFile.Options(asOf: options.today, imeiForm: options.imeiForm)
      let rows = try StolenRows(input, reading, listener: listener)
      let outcome = try await registry.importStolen(by: options.actor, next: rows.next) {
        file(rows.report)
      }
      return (outcome, rows.report)
    }
  }

  private struct StrictRefusal: Error {
    let report: FileReport
  }

  /// Undoes what was tried.
  private struct Trial: Error {
    let outcome: ImportOutcome
    let report: FileReport
  }

  private func run(
    _ kind: ImportedFile.Kind, form: String, path: String,
    _ work: (RegistryTransaction, InputFile, (FileReport) -> ImportedFile) async throws -> (
      ImportOutcome, FileReport
    )
  ) async throws -> Outcome {
    let input = try InputFile(path: path, temporaryDirectory: options.temporaryDirectory)
    func earlier() async throws -> Outcome? {
      try await store.read {
        try await $0.earlierImport(
          of: kind, sha256: input.sha256, source: options.source, form: form)
      }.map { .repeated(number: $0.number, at: $0.at) }
    }
    if let repeated = try await earlier() { return repeated }
    do {
      let (outcome, report) = try await store.write { registry in
        let (outcome, report) = try await work(registry, input) { report in
          ImportedFile(report, of: kind, input, source: options.source, form: form)
        }
        try input.requireUnchanged()
        if options.isStrict, !report.isSpotless { throw StrictRefusal(report: report) }
        try await registry.recordImport(outcome, of: kind, input, options)
        if options.isDryRun { throw Trial(outcome: outcome, report: report) }
        return (outcome, report)
      }
      return .imported(outcome, report)
    } catch let refusal as StrictRefusal {
      return .refused(refusal.report)
    } catch let trial as Trial {
      return .tried(trial.outcome, trial.report)
    } catch let error as StoreError where error.code == .alreadyImported {
      guard let repeated = try await earlier() else { throw error }
      return repeated
    }
  }
}

extension ImportedFile {
  init(
    _ report: FileReport, of kind: Kind, _ input: InputFile, source: String, form: String
  ) {
    self.init(
      kind: kind, fileName: input.name, sha256: input.sha256, source: source, form: form,
      rowsRead: report.rowsRead, rowsKept: report.rowsKept, rowsRepeated: report.rowsRepeated,
      rowsRefused: report.rowsRefused)
  }
}

extension RegistryTransaction {
  /// One row of the activity trail.
  func recordImport(
    _ outcome: ImportOutcome, of kind: ImportedFile.Kind, _ input: InputFile,
    _ options: FileImport.Options, more: [(name: String, value: String)] = []
  ) async throws {
    try await recordActivity(
      "import.\(kind.rawValue)", by: options.actor,
      about: [
        ("import", String(outcome.importNumber)), ("file", input.name),
        ("source", options.source), ("sha256", Hexadecimal.text(input.sha256)),
      ] + more)
  }
}
