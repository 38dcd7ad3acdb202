package import DeviceLists
package import RegistryFiles
package import RegistryStore

/// A list, taken in whole or as changes, in one transaction. A whole list says what is in force of
/// its kind and source: what it does not name ends.
package struct ListImport: Sendable {
  package struct Options: Sendable {
    package var file: FileImport.Options
    /// Each line says what is to change.
    package var isDelta = false
    /// Why the devices of a list of barred ones are barred.
    package var code = GroundCode.notApproved
    package var limits: ListLimits
    /// Checks that a person sets aside for this file, and why.
    package var accepted: Set<ListCheck> = []
    package var acceptedReason = ""

    package init(_ kind: ListKind, _ file: FileImport.Options) {
      self.file = file
      limits = ListLimits(kind)
    }
  }

  package struct Report: Sendable {
    package let outcome: ImportOutcome
    package let file: FileReport
    package let findings: ListFindings
    /// Checks that failed and were set aside.
    package let accepted: [ListCheck]
  }

  package enum Outcome: Sendable {
    case imported(Report)
    /// What would have been: nothing was done.
    case tried(Report)
    /// The same bytes were imported before: nothing was done.
    case repeated(number: Int64, at: Instant)
    /// Checks that nobody has set aside have failed: nothing was done.
    case stopped(ListFindings, by: [CheckFinding<ListCheck>], FileReport)
    /// Not spotless, where that was asked for: nothing was done.
    case refused(FileReport)
  }

  private struct Stop: Error {
    let outcome: Outcome
  }

  private let store: RegistryStore
  private let kind: ListKind
  private let options: Options

  package init(_ kind: ListKind, store: RegistryStore, options: Options) {
    self.kind = kind
    self.store = store
    self.options = options
  }

  package func run(path: String, listener: FileImport.Listener) async throws -> Outcome {
    let input = try InputFile(
      path: path, temporaryDirectory: options.file.temporaryDirectory)
    if let repeated = try await earlier(input) { return repeated }
    do {
      return try await store.write { registry in
        let report = try await take(input, listener, into: registry)
        try input.requireUnchanged()
        try await registry.recordImport(
          report.outcome, of: kind.stored, input, options.file, more: trail(report))
        if options.file.isDryRun { throw Stop(outcome: .tried(report)) }
        return .imported(report)
      }
    } catch let stop as Stop {
      return stop.outcome
    } catch let error as StoreError where error.code == .alreadyImported {
      guard let repeated = try await earlier(input) else { throw error }
      return repeated
    }
  }

  private func earlier(_ input: InputFile) async throws -> Outcome? {
    guard !options.accepted.contains(.repeated) else { return nil }
    return try await store.read {
      try await $0.earlierList(
        of: kind.stored, sha256: input.sha256, source: options.file.source, form: form,
        isDelta: options.isDelta)
    }.map { .repeated(number: $0.number, at: $0.at) }
  }

  /// How the file is read: the same bytes, read otherwise, say something else.
  private var form: String {
    let words = [
      kind.hasIMEIs ? options.file.imeiForm.rawValue : nil, options.isDelta ? "delta" : "full",
      kind == .barred ? options.code.description : nil,
    ]
    return words.compactMap(\.self).joined(separator: " ")
  }

  private func trail(_ report: Report) -> [(name: String, value: String)] {
    guard !report.accepted.isEmpty else { return [] }
    return [
      ("accepted", report.accepted.map(\.rawValue).joined(separator: ",")),
      ("because", options.acceptedReason),
    ]
  }
}

extension ListImport {
  /// The rows are read, held against what is in force, checked, and then brought in.
  private func take(
    _ input: InputFile, _ listener: FileImport.Listener, into registry: RegistryTransaction
  ) async throws -> Report {
    let order = ListOrder(
      kind: kind.stored, source: options.file.source, actor: options.file.actor,
      isDelta: options.isDelta, mayRepeat: options.accepted.contains(.repeated))
    if kind == .stolen {
      var reading = StolenListFile.Options(
        asOf: options.file.today, imeiForm: options.file.imeiForm)
      reading.isDelta = options.isDelta
      let rows = try StolenRows(input, reading, listener: listener)
      let judge = Judge(self, input) { rows.report }
      let outcome = try await registry.importGrounds(
        order, ListSteps(next: { try rows.nextReport().map(GroundRow.init) }, file: judge.file))
      return judge.report(outcome)
    }
    var reading = ListFile.Options()
    reading.imeiForm = options.file.imeiForm
    reading.isDelta = options.isDelta
    let rows = try ListRows(input, of: kind, reading, listener: listener)
    let judge = Judge(self, input) { rows.report }
    let outcome =
      if let list = kind.reference {
        try await registry.importList(
          list, order,
          ListSteps(next: { try rows.next().map(ReferenceRow.init) }, file: judge.file))
      } else {
        try await registry.importGrounds(
          order,
          ListSteps(
            next: { try rows.next().flatMap { GroundRow($0, code: code) } }, file: judge.file))
      }
    return judge.report(outcome)
  }

  private var code: GroundCode {
    switch kind {
    case .barredTAC: .barredTac
    case .golden: .protected
    case .pairing: .genuineOwner
    default: options.code
    }
  }

  /// Decides whether a file that was read may change anything, and says how it is recorded.
  private final class Judge {
    private let job: ListImport
    private let input: InputFile
    private let read: () -> FileReport
    private var findings: ListFindings?
    private var accepted: [ListCheck] = []

    init(_ job: ListImport, _ input: InputFile, read: @escaping () -> FileReport) {
      self.job = job
      self.input = input
      self.read = read
    }

    func file(_ measure: ListMeasure) throws -> ImportedFile {
      let (options, report) = (job.options, read())
      if options.file.isStrict, !report.isSpotless { throw Stop(outcome: .refused(report)) }
      let findings = ListFindings(
        measure, report, isDelta: options.isDelta, limits: options.limits)
      self.findings = findings
      let stopping = findings.failed.filter { !options.accepted.contains($0.check) }
      guard stopping.isEmpty else {
        throw Stop(outcome: .stopped(findings, by: stopping, report))
      }
      accepted = findings.failed.map(\.check)
      if options.accepted.contains(.repeated) { accepted.append(.repeated) }
      var file = ImportedFile(
        report, of: job.kind.stored, input, source: options.file.source, form: job.form)
      file.isDelta = options.isDelta
      file.accepted = accepted.map(\.rawValue)
      file.acceptedReason = accepted.isEmpty ? "" : options.acceptedReason
      file.measured = findings.all.json()
      return file
    }

    func report(_ outcome: ImportOutcome) -> Report {
      Report(
        outcome: outcome, file: read(),
        findings: findings ?? ListFindings(), accepted: accepted)
    }
  }
}

extension ListKind {
  var stored: ImportedFile.Kind {
    switch self {
    case .stolen: .stolen
    case .barred: .barred
    case .barredTAC: .barredTAC
    case .golden: .golden
    case .pairing: .pairing
    case .registration: .registration
    case .monitoring: .monitoring
    case .goldenHashed: .goldenHashed
    case .subscribers: .subscribers
    case .associations: .associations
    case .typeApproval: .typeApproval
    }
  }

  /// Nil where the lines are grounds.
  var reference: ReferenceList? {
    switch self {
    case .stolen, .barred, .barredTAC, .golden, .pairing: nil
    case .registration: .registration
    case .monitoring: .monitoring
    case .goldenHashed: .golden
    case .subscribers: .subscribers
    case .associations: .associations
    case .typeApproval: .typeApproval
    }
  }
}
