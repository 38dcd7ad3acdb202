import DeviceLists
import RegistryFiles
import RegistryStore

/// Puts the months of a file into the registry, in one transaction.
struct MonthStoring {
  /// Days that the next file is held against.
  static let earlierDays = 30

  struct Written: Sendable {
    var volumes: [DayVolume] = []
    /// Of the days before the file.
    var earlier: [DayVolume] = []
    /// Of the same days, as they are known already.
    var known: [DayVolume] = []
    var rows = 0
    var unusable = 0

    /// What can be told only beside other files.
    var results: [CheckResult] {
      var results: [CheckResult] = []
      if let shares = volumes.shares(of: earlier) {
        results += [
          CheckResult(.volumeIMEI, shares.devices), CheckResult(.volumeIMSI, shares.pairs),
          CheckResult(.volumeTriplet, shares.triplets),
        ]
      }
      if !known.isEmpty {
        let (before, now) = (known.map(\.triplets), volumes.map(\.triplets))
        results.append(
          CheckResult(
            .correction, Double(now.reduce(0, +)) / Double(max(before.reduce(0, +), 1))))
      }
      return results
    }
  }

  let store: RegistryStore
  let number: ScopeNumber
  let days: ClosedRange<CivilDate>

  /// What ``write(_:record:)`` would have, without a change.
  func count(_ months: [() -> MonthStaging.Sorted]) async throws -> Written {
    var written = Written()
    (written.earlier, written.known) = try await store.read { try await volumes($0) }
    for month in months {
      let month = month()
      var merge = MonthMerge(
        month: month.month, number: number, days: month.month.bits(of: days))
      try merge.count(month.rows)
      written.add(&merge, month)
    }
    return written
  }

  /// `record` may still refuse all of it, when it knows how much there is.
  func write(
    _ months: [() -> MonthStaging.Sorted],
    record: (RegistryTransaction, Written) async throws -> Int64
  ) async throws -> (number: Int64, written: Written) {
    for month in CivilDate.months(of: days) {
      try await store.write { try await $0.addMonth(month) }
    }
    return try await store.write(isLong: true) { registry in
      var written = Written()
      var changed: [UInt64]? = []
      var open: [CivilDate] = []
      for month in months {
        let month = month()
        let marked = try await write(month, in: registry, &written)
        changed = changed.flatMap { all in marked.map { all + $0 } }
        open.append(month.month)
      }
      (written.earlier, written.known) = try await volumes(registry)
      let importNumber = try await record(registry, written)
      try await registry.record(written.volumes, of: number, days: days, recordedWith: importNumber)
      try await registry.markForClassification(changed)
      // The last, because others wait for it.
      for month in open { try await registry.finishMonth(month, of: number) }
      return (importNumber, written)
    }
  }

  private func volumes(
    _ registry: RegistryTransaction
  ) async throws -> (earlier: [DayVolume], known: [DayVolume]) {
    (
      try await registry.volumes(of: number, before: days.lowerBound, count: Self.earlierDays),
      try await registry.volumes(of: number, on: days)
    )
  }

  /// The devices of which something has changed; nil: too many, or the month is new.
  private func write(
    _ month: MonthStaging.Sorted, in registry: RegistryTransaction, _ written: inout Written
  ) async throws -> [UInt64]? {
    let (table, hasRows) = try await registry.beginMonth(month.month, of: number)
    var merge = MonthMerge(month: month.month, number: number, days: month.month.bits(of: days))
    _ = try await registry.writeMonth(into: table) { writer in
      guard hasRows else { return try await merge.write(month.rows, to: &writer, old: nil) }
      try await store.read { reader in
        try await merge.write(month.rows, to: &writer) { body in
          try await reader.readMonth(month.month, of: number, body)
        }
      }
    }
    try await registry.replaceUnusable(
      month.unusable, in: month.month, of: number, days: merge.days)
    written.add(&merge, month)
    return hasRows && merge.changedCount <= RegistryTransaction.mostMarks ? merge.changed : nil
  }
}

extension MonthStoring.Written {
  fileprivate mutating func add(_ merge: inout MonthMerge, _ month: MonthStaging.Sorted) {
    volumes += merge.finishedVolumes()
    rows += merge.rows
    unusable += month.unusable.count
  }
}
