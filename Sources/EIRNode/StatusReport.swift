package import DeviceLists
import ListExchange
import ListIndex

/// Where a node stands, for people and programs.
package struct StatusReport: Hashable, Codable, Sendable {
  package struct Entries: Hashable, Codable, Sendable {
    package var imeis: UInt64
    package var ranges: UInt64
    package var tacs: UInt64
    package var pairings: UInt64
    package var total: UInt64
  }

  package struct Registry: Hashable, Codable, Sendable {
    package var reachable: Bool
    package var lastContact: String?
    package var trouble: String?
  }

  package struct BrakeState: Hashable, Codable, Sendable {
    package var blacksAddedInOneDay: Int
    package var limit: Int
    package var heldSubjects: Int
    /// The position of a snapshot that is held whole.
    package var heldSnapshot: UInt64?
  }

  package var registry: String
  package var feed: String
  /// Whether a node answers; false when the files were read without one.
  package var running: Bool
  /// Whether there is a list that is young enough.
  package var ready: Bool
  package var epoch: String?
  package var position: UInt64?
  package var digest: String?
  package var issuedAt: String?
  package var ageSeconds: Int64?
  package var entries: Entries?
  package var brake: BrakeState
  package var ceir: Registry
  package var shadow: Bool
  package var override: String?
  package var diskFull: Bool

  package init(
    settings: NodeSettings, keeper: ListKeeper, health: FeedHealth.Report?, asOf now: Instant
  ) {
    let list = keeper.current
    registry = settings.registry.description
    feed = settings.feed.description
    running = health != nil
    ready =
      list.map {
        now.seconds(since: $0.head.issuedAt) <= settings.decision.listAgeMaxSeconds
      } ?? false
    epoch = list?.head.epoch.description
    position = list?.head.position.number
    digest = list?.head.digest.description
    issuedAt = list?.head.issuedAt.description
    ageSeconds = list.map { now.seconds(since: $0.head.issuedAt) }
    entries = list.map { Entries($0.counts) }
    let (added, limit) = keeper.brakeState(asOf: now)
    brake = BrakeState(
      blacksAddedInOneDay: added, limit: limit, heldSubjects: list?.held.count ?? 0,
      heldSnapshot: keeper.heldSnapshot?.position.number)
    ceir = Registry(
      reachable: health?.isReachable ?? false, lastContact: health?.lastContact?.description,
      trouble: health?.trouble)
    shadow = settings.decision.isShadow
    override = settings.decision.override?.description
    diskFull = health?.isDiskFull ?? false
  }
}

extension StatusReport.Entries {
  init(_ counts: SubjectCounts) {
    self.init(
      imeis: counts.imeis, ranges: counts.ranges, tacs: counts.tacs, pairings: counts.pairings,
      total: counts.total)
  }
}

extension StatusReport {
  /// For a terminal.
  package var text: String {
    var lines = ["node of \(feed), registry \(registry): \(condition)"]
    if let epoch, let position, let digest, let issuedAt, let ageSeconds {
      lines.append("  epoch      \(epoch)")
      lines.append("  position   \(position)")
      lines.append("  issued at  \(issuedAt), \(ageSeconds) s ago")
      lines.append("  digest     \(digest)")
    } else {
      lines.append("  list       there is none yet")
    }
    if let entries {
      lines.append(
        "  entries    \(entries.total): \(entries.imeis) IMEIs, \(entries.ranges) ranges, "
          + "\(entries.tacs) TACs, \(entries.pairings) pairings")
    }
    lines.append(
      "  brake      \(brake.blacksAddedInOneDay) of at most \(brake.limit) blacks in a day, "
        + "\(brake.heldSubjects) held")
    if let position = brake.heldSnapshot {
      lines.append("             the snapshot of position \(position) is held whole")
    }
    if brake.heldSubjects > 0 || brake.heldSnapshot != nil {
      lines.append("             what is held answers as before; `eir accept` lets it take effect")
    }
    if running {
      let contact = ceir.lastContact.map { ", last contact \($0)" } ?? ""
      lines.append("  CEIR       \(ceir.reachable ? "reachable" : "not reachable")\(contact)")
    }
    if let trouble = ceir.trouble { lines.append("  trouble    \(trouble)") }
    if shadow { lines.append("  shadow     every device is let through") }
    if let override { lines.append("  override   every device is answered \(override)") }
    return lines.joined(separator: "\n")
  }

  private var condition: String {
    guard running else { return "not running" }
    return ready ? "ready" : "not ready"
  }
}
