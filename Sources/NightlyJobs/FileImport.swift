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
    package var imeiForm = StolenListFile.IMEIForm.dialled
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
    /// The same bytes were imported before: nothing was done.
    case repeated(number: Int64, at: Instant)
    /// Refused as a whole: nothing was done.
    case refused(FileReport)
  }

  /// Hears of each refused line, and now and then how many lines have been read.
  package struct Listener {
    package var refused: (Refusal) throws -> Void
    package var read: (Int) -> Void

    package init(
      refused: @escaping (Refusal) throws -> Void = { _ in },
      read: @escaping (Int) -> Void = { _ in }
    ) {
      self.refused = refused
      self.read = read
    }
  }

  /// Lines between two words to the listener.
  static let readInterval = 10_000

  private let store: RegistryStore
  private let options: Options

  package init(store: RegistryStore, options: Options) {
    self.store = store
    self.options = options
  }

  package func importTACs(path: String, listener: Listener) async throws -> Outcome {
    try await run(.tac, form: "", path: path) { registry, file in
      let rows = try TACRows(path: path, listener: listener)
      let outcome = try await registry.importTACs(by: options.actor, next: rows.next) {
        file(rows.report)
      }
      return (outcome, rows.report)
    }
  }

  package func importStolen(path: String, listener: Listener) async throws -> Outcome {
    let form = options.imeiForm == .dialled ? "dialled" : "signalled"
    return try await run(.stolen, form: form, path: path) { registry, file in
      let rows = try StolenRows(
        path: path, today: options.today, form: options.imeiForm, listener: listener)
      let outcome = try await registry.importStolen(by: options.actor, next: rows.next) {
        file(rows.report)
      }
      return (outcome, rows.report)
    }
  }

  private struct StrictRefusal: Error {
    let report: FileReport
  }

  private func run(
    _ kind: ImportedFile.Kind, form: String, path: String,
    _ work: (RegistryTransaction, (FileReport) -> ImportedFile) async throws -> (
      ImportOutcome, FileReport
    )
  ) async throws -> Outcome {
    let before = try FileState(path: path)
    let sha256 = try FileHash.sha256(of: path)
    func earlier() async throws -> Outcome? {
      try await store.read {
        try await $0.earlierImport(of: kind, sha256: sha256, source: options.source, form: form)
      }.map { .repeated(number: $0.number, at: $0.at) }
    }
    if let repeated = try await earlier() { return repeated }
    do {
      let (outcome, report) = try await store.write { registry in
        let (outcome, report) = try await work(registry) { report in
          ImportedFile(
            kind: kind, fileName: FileName.last(of: path), sha256: sha256,
            source: options.source, form: form, rowsRead: report.rowsRead,
            rowsKept: report.rowsKept, rowsRepeated: report.rowsRepeated,
            rowsRefused: report.rowsRefused)
        }
        guard try FileState(path: path) == before else { throw UnreadableFile(changed: path) }
        if options.isStrict, !report.isSpotless { throw StrictRefusal(report: report) }
        try await record(outcome, of: kind, path: path, sha256: sha256, in: registry)
        return (outcome, report)
      }
      return .imported(outcome, report)
    } catch let refusal as StrictRefusal {
      return .refused(refusal.report)
    } catch let error as StoreError where error.code == .alreadyImported {
      guard let repeated = try await earlier() else { throw error }
      return repeated
    }
  }

  /// One row of the activity trail.
  private func record(
    _ outcome: ImportOutcome, of kind: ImportedFile.Kind, path: String, sha256: [UInt8],
    in registry: RegistryTransaction
  ) async throws {
    try await registry.recordActivity(
      "import.\(kind.rawValue)", by: options.actor,
      about: [
        ("import", String(outcome.importNumber)), ("file", FileName.last(of: path)),
        ("source", options.source), ("sha256", Hexadecimal.text(sha256)),
      ])
  }
}
