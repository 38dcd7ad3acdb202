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
    package var accepted: Set<String> = []
    package var reason = ""
    /// Everything but the change itself.
    package var isTrial = false
    /// Where what does not fit into memory waits.
    package var temporaryDirectory: String

    /// Rows of a month that are sorted at a time; the rest waits in files.
    package var rowsInMemory = MonthSorter.mostRowsInMemory

    package init(actor: String, temporaryDirectory: String) {
      self.actor = actor
      self.temporaryDirectory = temporaryDirectory
    }
  }

  package struct Summary: Sendable {
    package let report: FileReport
    package let days: ClosedRange<CivilDate>
    package let results: [CheckResult]
    package let volumes: [DayVolume]
    /// Rows of the file once its repetitions are put together.
    package let rows: Int
    package let unusable: Int
  }

  package enum Outcome: Sendable {
    case imported(Int64, Summary)
    case trial(Summary)
    case repeated(number: Int64, at: Instant)
    /// These checks do not hold: nothing was changed.
    case refused([CheckResult], Summary)
  }

  private struct Failing: Error { let results: [CheckResult] }

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
    let (number, expected, earlier) = try await store.read { registry in
      let number = try await registry.operatorNumber(code)
      return (
        number, try await networks(registry, of: number),
        try await registry.earlierImport(
          of: .operator, sha256: input.sha256, source: code.description, form: Self.form(days))
      )
    }
    if let earlier { return .repeated(number: earlier.number, at: earlier.at) }
    let reading = try Reading(input, days: days, expected: expected, options: options)
    try reading.run(listener)
    try input.requireUnchanged()
    let file = ImportedFile(
      reading.report, of: .operator, input, source: code.description, form: Self.form(days))
    return try await finish(reading, days: days, number: number, file: file)
  }

  private static func form(_ days: ClosedRange<CivilDate>) -> String {
    "\(days.lowerBound)..\(days.upperBound)"
  }

  private func finish(
    _ reading: Reading, days: ClosedRange<CivilDate>, number: ScopeNumber, file: ImportedFile
  ) async throws -> Outcome {
    let results = reading.counts.results(refused: reading.report.rowsRefused)
    let months = reading.staging.sorted(days: days)
    let storing = MonthStoring(store: store, number: number, days: days)
    if options.isTrial || !failing(results).isEmpty {
      let written = try await storing.count(months)
      let all = results + volumeResults(written)
      let summary = summary(reading, days, all, written)
      let failing = failing(all)
      return failing.isEmpty ? .trial(summary) : .refused(failing, summary)
    }
    do {
      var last: Summary?
      let imported = try await storing.write(months) { registry, written in
        let all = results + volumeResults(written)
        last = summary(reading, days, all, written)
        let failing = failing(all)
        guard failing.isEmpty else { throw Failing(results: failing) }
        return try await record(file, all, days, number, in: registry)
      }
      guard let last else { return .trial(summary(reading, days, results, imported.written)) }
      return .imported(imported.number, last)
    } catch let error as Failing {
      let written = MonthStoring.Written()
      return .refused(error.results, summary(reading, days, results + error.results, written))
    } catch let error as StoreError where error.code == .alreadyImported {
      let earlier = try await store.read {
        try await $0.earlierImport(
          of: .operator, sha256: file.sha256, source: file.source, form: file.form)
      }
      guard let earlier else { throw error }
      return .repeated(number: earlier.number, at: earlier.at)
    }
  }

  private func failing(_ results: [CheckResult]) -> [CheckResult] {
    results.filter { !$0.holds && !options.accepted.contains($0.check.rawValue) }
  }

  private func volumeResults(_ written: MonthStoring.Written) -> [CheckResult] {
    var results: [CheckResult] = []
    if let shares = written.volumes.shares(of: written.earlier) {
      results += [
        CheckResult(.volumeIMEI, shares.devices), CheckResult(.volumeIMSI, shares.pairs),
        CheckResult(.volumeTriplet, shares.triplets),
      ]
    }
    if !written.known.isEmpty {
      let before = written.known.map(\.triplets).reduce(0, +)
      let now = written.volumes.map(\.triplets).reduce(0, +)
      results.append(CheckResult(.correction, Double(now) / Double(max(before, 1))))
    }
    return results
  }

  private func summary(
    _ reading: Reading, _ days: ClosedRange<CivilDate>, _ results: [CheckResult],
    _ written: MonthStoring.Written
  ) -> Summary {
    Summary(
      report: reading.report, days: days, results: results, volumes: written.volumes,
      rows: written.rows, unusable: written.unusable)
  }

  private func record(
    _ file: ImportedFile, _ results: [CheckResult], _ days: ClosedRange<CivilDate>,
    _ number: ScopeNumber, in registry: RegistryTransaction
  ) async throws -> Int64 {
    let measured = JSONText.object(
      results.map { ($0.check.rawValue, String($0.measured)) })
    let setAside = results.filter { !$0.holds }.map(\.check.rawValue).sorted()
    let importNumber = try await registry.recordImport(
      file, of: number, days: days, accepted: setAside,
      because: setAside.isEmpty ? "" : options.reason, measured: measured, by: options.actor)
    try await registry.recordActivity(
      "import.operator", by: options.actor,
      about: [
        ("import", String(importNumber)), ("file", file.fileName),
        ("operator", code.description), ("sha256", Hexadecimal.text(file.sha256)),
        ("accepted", setAside.joined(separator: " ")),
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
        "The name \(name) says \(Self.form(named.days)), --from and --to say \(Self.form(days)): "
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
    var expected = OperatorNetworks(operatorCount: ordered.count)
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
    var lines = 0
    while let line = try dump.next() {
      lines += 1
      if lines % FileImport.readInterval == 0 { listener.read(lines) }
      switch line {
      case .refused(let refusal): try listener.refused(refusal)
      case .seen(let seen): try staging.add(seen)
      }
    }
    report = dump.report
    counts = dump.counts
  }
}
