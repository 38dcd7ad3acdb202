package import DeviceLists
import DeviceRules
package import RegistryStore

/// Holds every device that networks have seen against the conditions; what they find becomes
/// grounds, and so entries of the lists.
///
/// One ordered pass over sightings and reference data; memory grows with the changes alone (64
/// bytes each) and with the reference data that is looked up. Nothing is changed before all
/// conditions are known to stay below their limits, and then all of it in one transaction.
package struct ClassifyJob: Sendable {
  package static let name = "classify"

  package struct Options: Sendable {
    package var actor: String
    /// The last day that counts; nil: today, by the registry's calendar.
    package var asOf: CivilDate?
    /// Looks at every device, also where only some can have changed.
    package var isFull = false
    package var isTrial = false
    /// Goes on although an operator's newest month is missing.
    package var acceptsMissingMonth = false
    /// Ends a run that is under way.
    package var takesOver = false

    package init(actor: String) { self.actor = actor }
  }

  private let store: RegistryStore
  private let options: Options
  private let progress: @Sendable (Int) -> Void

  /// - Parameter progress: hears now and then how many devices have been looked at.
  package init(
    store: RegistryStore, options: Options, progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    self.store = store
    self.options = options
    self.progress = progress
  }

  package func run() async throws -> ClassifyReport {
    let day = try await asOf()
    try await checkMonths()
    let run = try await store.write { registry in
      try await registry.beginJob(
        Self.name, asOf: day, takeOver: options.takesOver, by: options.actor)
    }
    do {
      let report = try await classify(run, asOf: day)
      try await store.write { registry in
        try await registry.setSubjects([], of: run)
        try await registry.endJob(
          run, report.excesses.isEmpty ? .finished : .stopped, report: report.json)
      }
      return report
    } catch {
      // What was under way is undone already; the next run begins anew.
      try? await store.write { registry in
        try await registry.endJob(
          run, .failed, report: JSONText.object([("reason", String(describing: error))]))
      }
      throw error
    }
  }

  private func asOf() async throws -> CivilDate {
    let today = try await store.read { try await $0.today() }
    guard let asOf = options.asOf else { return today }
    guard asOf <= today else {
      throw ImportRefusal("--as-of \(asOf) lies in the future: today is \(today).")
    }
    return asOf
  }

  /// A month that lacks an operator would clear whom only that operator saw.
  private func checkMonths() async throws {
    guard !options.acceptsMissingMonth else { return }
    let missing = try await store.read { try await $0.operatorsWithoutMonth() }
    guard let first = missing.first else { return }
    let names = missing.map(\.code).joined(separator: ", ")
    throw ImportRefusal(
      "Of \(first.month.description.prefix(7)) \(names) handed over nothing. Import it, "
        + "or give --accept missing-month if there is none: devices that only they saw may then "
        + "be cleared. Nothing was changed.")
  }

  private func classify(_ run: Int64, asOf day: CivilDate) async throws -> ClassifyReport {
    try await mergeLive()
    let rules = try await RuleLoading(store: store).rules(asOf: day)
    let pending = try await store.read { try await $0.pending() }
    let before = try await lastReport()
    let isFull =
      options.isFull || pending.imeis == nil || before?.state != rules.state(asOf: day)
    let sweep = try await sweep(rules, run, asOf: day, over: isFull ? nil : pending.imeis ?? [])
    var report = sweep.report
    report.isFull = isFull
    if !isFull { report.population = before?.population ?? 0 }
    // A trial changes nothing, so the next run has everything before it that this one had.
    report.state = options.isTrial ? "" : rules.state(asOf: day)
    report.excesses = sweep.excesses(
      population: report.population, found: isFull ? nil : try await found())
    guard report.excesses.isEmpty, !options.isTrial else { return report }
    let json = report.json
    let grounds = try await store.write(isLong: true) { registry in
      try await registry.keepJob(run)
      let counts = try await sweep.store(in: registry, run: run, by: options.actor)
      try await registry.clearPending(upTo: pending.upTo)
      try await registry.recordActivity(
        "job.classify", by: options.actor,
        about: [("run", String(run)), ("asOf", day.description), ("report", json)])
      return counts
    }
    (report.groundsBegun, report.groundsEnded) = (grounds.begun, grounds.ended)
    return report
  }

  /// Months stay as they are meanwhile. The lock is held by a transaction of its own: one that
  /// reads sees the database as it was when it began, and must begin after the lock was had.
  private func sweep(
    _ rules: Rules, _ run: Int64, asOf day: CivilDate, over devices: [UInt64]?
  ) async throws -> Sweep {
    var sweep = Sweep(rules: rules, run: run, asOf: day, store: store)
    sweep.progress = progress
    try await store.read { lock in
      try await lock.keepMonths()
      try await sweep.run(over: devices)
    }
    return sweep
  }

  /// IMEIs for which each condition holds now.
  private func found() async throws -> [String: Int] {
    try await store.read { try await $0.foundCounts() }
  }

  private func mergeLive() async throws {
    let horizon = try await store.write { try await $0.liveHorizon() }
    _ = try await store.write(isLong: true) { try await $0.mergeLive(upTo: horizon) }
  }

  /// Of the last run that finished.
  private func lastReport() async throws -> ClassifyReport? {
    let runs = try await store.read { try await $0.jobRuns(limit: 100) }
    guard let last = runs.first(where: { $0.job == Self.name && $0.state == .finished }) else {
      return nil
    }
    return ClassifyReport(json: last.report)
  }
}
