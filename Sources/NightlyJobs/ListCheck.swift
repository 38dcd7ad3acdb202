package import RegistryFiles
import RegistryStore

/// What a list is held against before it changes anything.
package enum ListCheck: String, ImportCheck {
  /// How many rows would be in force, against how many are.
  case shrink
  /// A list without a row, where rows are in force.
  case empty
  /// Lines that contradict an earlier line of the file.
  case conflicts
  /// Lines whose identity cannot be used.
  case unclean
  /// Lines refused for anything else.
  case refused
  /// Of a file of changes: rows to be added that are in force.
  case adds
  /// Rows to be removed that are not.
  case removes
  /// Rows to be changed that are not.
  case updates
  /// The same file was taken in before.
  case `repeated`
}

/// How far a list may go.
package struct ListLimits: Sendable {
  /// The smallest share of the rows in force that may stay.
  package var smallestShare = 0.75
  /// The most rows by which a list may shrink; nil: any number.
  package var mostLost: Int?
  /// Shares of the lines read.
  package var mostConflicts = 0.001
  package var mostUnclean = 0.05
  package var mostRefused = 0.05
  /// Counts.
  package var mostWrongChanges = 0

  package init(_ kind: ListKind) {
    switch kind {
    case .pairing, .subscribers:
      smallestShare = 0.95
      mostLost = 1_000
    case .stolen, .barred, .barredTAC, .golden, .registration, .monitoring, .goldenHashed,
      .associations, .typeApproval:
      break
    }
  }
}

/// All checks of one file.
package struct ListFindings: Sendable, Hashable {
  package private(set) var all: [CheckFinding<ListCheck>] = []

  init() {}

  init(_ measure: ListMeasure, _ report: FileReport, isDelta: Bool, limits: ListLimits) {
    checkSize(measure, isDelta: isDelta, limits)
    checkLines(report, limits)
    guard isDelta else { return }
    let most = limits.mostWrongChanges
    count(.adds, measure.wrongAdds, most, "rows are to be added that are in force already")
    count(.removes, measure.wrongRemoves, most, "rows are to be removed that are not in force")
    count(.updates, measure.wrongUpdates, most, "rows are to be changed that are not in force")
  }

  package var failed: [CheckFinding<ListCheck>] { all.filter { !$0.hasPassed } }

  private mutating func checkSize(
    _ measure: ListMeasure, isDelta: Bool, _ limits: ListLimits
  ) {
    if !isDelta {
      let isEmpty = measure.staged == 0 && measure.inForce > 0
      all.append(
        CheckFinding(
          check: .empty, measured: Double(measure.staged), limit: measure.inForce > 0 ? 1 : 0,
          hasPassed: !isEmpty,
          sentence: "the list has no row, and \(measure.inForce) are in force"))
      // Whoever means an empty list need not say twice that it is short.
      if isEmpty { return }
    }
    let share = (Double(measure.inForce) * limits.smallestShare).rounded(.up)
    let smallest = max(share, Double(measure.inForce - (limits.mostLost ?? measure.inForce)))
    all.append(
      CheckFinding(
        check: .shrink, measured: Double(measure.after), limit: smallest,
        hasPassed: Double(measure.after) >= smallest,
        sentence: "\(measure.after) rows would be in force instead of \(measure.inForce); at least "
          + "\(Int(smallest)) must be"))
  }

  private mutating func checkLines(_ report: FileReport, _ limits: ListLimits) {
    let conflicts = report.refused[.conflictingLine, default: 0]
    let unclean = report.refused.filter { $0.key.isOfIdentity }.values.reduce(0, +)
    let others = report.rowsRefused - conflicts - unclean
    let rows = report.rowsRead
    share(.conflicts, conflicts, of: rows, limits.mostConflicts, "contradict an earlier one")
    share(.unclean, unclean, of: rows, limits.mostUnclean, "have an identity that is none")
    share(.refused, others, of: rows, limits.mostRefused, "cannot be used for other reasons")
  }

  private mutating func share(
    _ check: ListCheck, _ count: Int, of rows: Int, _ limit: Double, _ what: String
  ) {
    all.append(
      CheckFinding(
        check: check, measured: rows > 0 ? Double(count) / Double(rows) : 0, limit: limit,
        hasPassed: Double(count) <= Double(rows) * limit,
        sentence: "\(count) of \(rows) lines \(what); at most \(percent(limit)) may"))
  }

  private mutating func count(
    _ check: ListCheck, _ count: Int, _ most: Int, _ what: String
  ) {
    all.append(
      CheckFinding(
        check: check, measured: Double(count), limit: Double(most), hasPassed: count <= most,
        sentence: "\(count) \(what); at most \(most) may be"))
  }
}

extension RefusalCode {
  /// Whether the identity itself is what is wrong with the line.
  var isOfIdentity: Bool { (2200..<2300).contains(rawValue) }
}
