package import DeviceLists
import ExchangeTrust
import ListExchange
import ListIndex
import X509

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
  }

  /// How lists come, and what the node shows the registry.
  package struct Exchange: Hashable, Codable, Sendable {
    package var style: String
    /// Of the parameters in force; 0 where none was ever proposed.
    package var parameters: Int
    package var proposed: Int?
    package var lastBroadcast: String?
    package var instance: String
    package var certificateSerial: String
    package var certificateEnds: String

    init(
      _ state: ParametersState, instance: InstanceID, certificate: Certificate,
      lastBroadcast: Instant?
    ) {
      style = state.inForce.style.rawValue
      parameters = state.inForce.version
      proposed = state.proposed?.version
      self.lastBroadcast = lastBroadcast?.description
      self.instance = instance.description
      certificateSerial = certificate.serial.description
      certificateEnds = certificate.validUntil.description
    }
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
  /// Nil when the files were read without a node.
  package var exchange: Exchange?
  /// Nil where the registry's files are not taken.
  package var files: FilesReport?
  /// Diameter peers that are connected; nil where S13 is not answered, or no node runs.
  package var s13Peers: [S13Peers.Report]?
  /// Nil when the files were read without a node.
  package var settings: SettingsReading?
  /// Nil when the files were read without a node.
  package var listeners: [Listener]?
  /// Nil where GSUP is not spoken, or no node runs; so are those that follow.
  package var gsup: GSUP?
  package var events: Waiting?
  package var sightings: Waiting?
  package var keyFiles: [KeyFiles]?
  package var local: LocalCounts
  package var deciding: Deciding
  package var shadow: Bool
  package var override: String?
  package var diskFull: Bool
  package var listFile: ListFileReport

  package init(
    _ inForce: DecisionInForce, keeper: ListKeeper, health: FeedHealth.Report?,
    asOf now: Instant
  ) {
    let settings = inForce.settings
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
      blacksAddedInOneDay: added, limit: limit, heldSubjects: list?.held.count ?? 0)
    ceir = Registry(
      reachable: health?.isReachable ?? false, lastContact: health?.lastContact?.description,
      trouble: health?.trouble)
    self.settings = health == nil ? nil : inForce.reading
    local = inForce.local
    deciding = Deciding(settings.decision)
    shadow = settings.decision.isShadow
    override = settings.decision.override?.description
    diskFull = health?.isDiskFull ?? false
    listFile = keeper.file
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
    lines += listFile.lines
    lines.append(
      "  brake      \(brake.blacksAddedInOneDay) of at most \(brake.limit) blacks in a day, "
        + "\(brake.heldSubjects) held")
    if brake.heldSubjects > 0 {
      lines.append("             what is held answers as before; `eir accept` lets it take effect")
    }
    if running {
      let contact = ceir.lastContact.map { ", last contact \($0)" } ?? ""
      let isAsked = ceir.reachable || ceir.lastContact != nil || ceir.trouble != nil
      let reach = ceir.reachable ? "reachable" : isAsked ? "not reachable" : "not asked"
      lines.append("  CEIR       \(reach)\(contact)")
    }
    if let exchange { lines += exchange.lines }
    if let s13Peers {
      let names = s13Peers.map { "\($0.name) (\($0.address))" }.joined(separator: ", ")
      lines.append("  S13 peers  \(names.isEmpty ? "none is connected" : names)")
    }
    if let files { lines.append("  files      \(files.text)") }
    if let trouble = ceir.trouble { lines.append("  trouble    \(trouble)") }
    lines.append(
      "  local      \(local.entries) entries of your own, \(local.ofSettings) in the settings")
    if local.damagedLines > 0 {
      lines.append(
        "             \(local.damagedLines) lines of local.ndjson are damaged and do not count")
    }
    if local.suspended > 0 {
      lines.append(
        "             \(local.suspended) entries before them are suspended and make nothing black")
      lines.append("             \(LocalCounts.advice)")
    }
    if let settings { lines += settings.lines }
    lines += serviceLines
    lines.append(deciding.line)
    if shadow { lines.append("  shadow     every device is let through") }
    if let override { lines.append("  override   every device is answered \(override)") }
    return lines.joined(separator: "\n")
  }

  fileprivate var condition: String {
    guard running else { return "not running" }
    return ready ? "ready" : "not ready"
  }
}

extension StatusReport.Exchange {
  fileprivate var lines: [String] {
    let waiting = proposed.map { ", version \($0) is proposed" } ?? ""
    let broadcast = lastBroadcast.map { ", last broadcast \($0)" } ?? ""
    return [
      "  exchange   style \(style), parameters version \(parameters)\(waiting)\(broadcast)",
      "  shown as   instance \(instance), certificate \(certificateSerial) "
        + "until \(certificateEnds)",
    ]
  }
}
