package import DeviceLists
package import RegistryFiles
package import RegistryStore

/// What an operator's networks saw, taken into the months of sightings: all good lines, or nothing.
/// The days that the file is about are replaced; all others stay.
package struct OperatorImport: Sendable {
  package struct Options: Sendable {
    package var actor: String
    /// The days that the file is about; nil: its name says so.
    package var days: ClosedRange<CivilDate>?
    /// Checks that are set aside, and why.
    package var accepted: Set<DumpCheck> = []
    package var acceptedReason = ""
    /// Everything is read, checked and reported, and nothing changed.
    package var isDryRun = false
    /// Where what does not fit into memory waits.
    package var temporaryDirectory: String
    /// Rows of a month that are sorted at a time; the rest waits in files.
    package var rowsInMemory = MonthSorter.mostRowsInMemory

    package init(actor: String, temporaryDirectory: String) {
      self.actor = actor
      self.temporaryDirectory = temporaryDirectory
    }
  }

  package struct Report: Sendable {
    package let file: FileReport
    package let days: ClosedRange<CivilDate>
    package let findings: [CheckFinding<DumpCheck>]
    /// Checks that failed and were set aside.
    package let accepted: [DumpCheck]
    /// Rows of the file once its repetitions are put together.
    package let rows: Int
    package let unusable: Int
  }

  package enum Outcome: Sendable {
    case imported(Int64, Report)
    /// What would have been: nothing was done.
    case tried(Report)
    /// The same file was imported before: nothing was done.
    case repeated(number: Int64, at: Instant)
    /// Checks that nobody has set aside have failed: nothing was done.
    case stopped(by: [CheckFinding<DumpCheck>], Report)
  }

  private struct Stop: Error { let outcome: Outcome }

  private let store: RegistryStore
  private let code: OperatorCode
  private let options: Options

  package init(store: RegistryStore, operator code: OperatorCode, options: Options) {
    self.store = store
    self.code = code
    self.options = options
  }

  package func run(path: String, listener: FileImport.Listener) async throws -> Outcome {
    let input = try InputFile(path: path, temporaryDirectory: options.temporaryDirectory)
    let days = try await days(of: input.name)
    let (number, expected) = try await store.read { registry in
      let number = try await registry.operatorNumber(code)
      return (number, try await networks(registry, of: number))
    }
    func earlier() async throws -> Outcome? {
      try await store.read {
        try await $0.earlierSightings(input.sha256, of: number, days: days)
      }.map { .repeated(number: $0.number, at: $0.at) }
    }
    if let repeated = try await earlier() { return repeated }
    let reading = try Reading(input, days: days, expected: expected, options: options)
    try reading.run(listener)
    try input.requireUnchanged()
    let file = ImportedFile(
      reading.report, of: .operator, input, source: code.description, form: "")
    do {
      return try await take(reading, file, number, days)
    } catch let stop as Stop {
      return stop.outcome
    } catch let error as StoreError where error.code == .alreadyImported {
      guard let repeated = try await earlier() else { throw error }
      return repeated
    }
  }

  private func take(
    _ reading: Reading, _ file: ImportedFile, _ number: ScopeNumber,
    _ days: ClosedRange<CivilDate>
  ) async throws -> Outcome {
    let months = reading.staging.sorted(days: days)
    let storing = MonthStoring(store: store, number: number, days: days)
    let found = reading.counts.results(refused: reading.report.rowsRefused)
      .map { CheckFinding($0) }
    // Nothing is written where the lines alone decide.
    if options.isDryRun || !stopping(found).isEmpty {
      let report = report(reading, days, found, try await storing.count(months))
      let stopping = stopping(report.findings)
      return stopping.isEmpty ? .tried(report) : .stopped(by: stopping, report)
    }
    let (importNumber, written) = try await storing.write(months) { registry, written in
      let report = report(reading, days, found, written)
      let stopping = stopping(report.findings)
      guard stopping.isEmpty else { throw Stop(outcome: .stopped(by: stopping, report)) }
      return try await record(file, report, number, in: registry)
    }
    return .imported(importNumber, report(reading, days, found, written))
  }

  private func stopping(_ findings: [CheckFinding<DumpCheck>]) -> [CheckFinding<DumpCheck>] {
    findings.filter { !$0.hasPassed && !options.accepted.contains($0.check) }
  }

  private func report(
    _ reading: Reading, _ days: ClosedRange<CivilDate>, _ found: [CheckFinding<DumpCheck>],
    _ written: MonthStoring.Written
  ) -> Report {
    let findings = found + written.results.map { CheckFinding($0) }
    return Report(
      file: reading.report, days: days, findings: findings,
      accepted: findings.filter { !$0.hasPassed && options.accepted.contains($0.check) }
        .map(\.check),
      rows: written.rows, unusable: written.unusable)
  }

  private func record(
    _ file: ImportedFile, _ report: Report, _ number: ScopeNumber,
    in registry: RegistryTransaction
  ) async throws -> Int64 {
    var file = file
    file.accepted = report.accepted.map(\.rawValue)
    file.acceptedReason = report.accepted.isEmpty ? "" : options.acceptedReason
    file.measured = report.findings.json()
    let importNumber = try await registry.recordSightings(
      file, of: number, days: report.days, by: options.actor)
    try await registry.recordActivity(
      "import.operator", by: options.actor,
      about: [
        ("import", String(importNumber)), ("file", file.fileName),
        ("operator", code.description), ("sha256", Hexadecimal.text(file.sha256)),
        ("accepted", file.accepted.joined(separator: ",")), ("because", file.acceptedReason),
      ])
    return importNumber
  }
}

extension OperatorImport {
  /// `alfa_20261101_20261130.csv` names the operator and the days.
  private func days(of name: String) async throws -> ClosedRange<CivilDate> {
    let today = try await store.read { try await $0.today() }
    let named = DumpName(name)
    if let named, let other = try await otherOperator(named.prefix) {
      throw ImportRefusal(
        "The name \(name) says that it is a file of \(other), not of \(code): nothing was taken "
          + "in.")
    }
    guard let days = options.days ?? named?.days else {
      throw ImportRefusal(
        "The name \(name) does not say which days the file is about, as in "
          + "\(code)_20261101_20261130.csv: give --from and --to.")
    }
    if let named, days != named.days {
      throw ImportRefusal(
        "The name \(name) says other days than --from and --to: "
          + "rename the file, or leave them out.")
    }
    guard days.upperBound <= today else {
      throw ImportRefusal(
        "The file is about days up to \(days.upperBound), and today is \(today): nothing was taken "
          + "in.")
    }
    return days
  }

  private func otherOperator(_ prefix: String) async throws -> OperatorCode? {
    let directory = try await store.read { try await $0.operatorRecords() }
    guard let other = OperatorCode(prefix.lowercased()), other != code else { return nil }
    return directory.contains { $0.code == other } ? other : nil
  }

  /// Place 0 is the operator's own.
  private func networks(
    _ registry: RegistryTransaction, of number: ScopeNumber
  ) async throws -> OperatorNetworks {
    let records = try await registry.operatorRecords()
    let ordered = records.filter { $0.code == code } + records.filter { $0.code != code }
    var expected = OperatorNetworks()
    for (place, record) in ordered.enumerated() {
      for network in record.networks {
        guard let prefix = LeadingDigits(network) else { continue }
        expected.networks.append((prefix, place))
        if let country = LeadingDigits(network.prefix(3)), !expected.countries.contains(country) {
          expected.countries.append(country)
        }
      }
    }
    expected.types = Set(try await registry.allocatedTypes())
    return expected
  }
}

/// `PREFIX_YYYYMMDD_YYYYMMDD`, then anything.
struct DumpName {
  let prefix: String
  let days: ClosedRange<CivilDate>

  init?(_ name: String) {
    let base = name.split(separator: ".").first ?? ""
    let parts = base.split(separator: "_")
    guard parts.count >= 3, let first = Self.day(parts[parts.count - 2]),
      let last = Self.day(parts[parts.count - 1]), first <= last
    else { return nil }
    prefix = String(parts[0])
    days = first...last
  }

  private static func day(_ text: Substring) -> CivilDate? {
    guard text.utf8.count == 8, let digits = Int64(text) else { return nil }
    return CivilDate(year: digits / 10_000, month: digits / 100 % 100, day: digits % 100)
  }
}

/// One pass over the file.
private final class Reading {
  private var dump: OperatorDump
  let staging: MonthStaging
  private(set) var report: FileReport
  private(set) var counts = DumpCounts()

  init(
    _ input: InputFile, days: ClosedRange<CivilDate>, expected: OperatorNetworks,
    options: OperatorImport.Options
  ) throws {
    dump = try OperatorDump(
      input.source(), fileName: input.name, options: .init(days: days), expected: expected)
    staging = MonthStaging(
      directory: options.temporaryDirectory, mostRows: options.rowsInMemory)
    report = dump.report
  }

  func run(_ listener: FileImport.Listener) throws {
    while let line = try dump.next() {
      if let seen = try listener.row(of: line) { try staging.add(seen) }
    }
    report = dump.report
    counts = dump.counts
  }
}
