import Crypto
import DeviceLists

extension SettingKey {
  /// Whether a change takes effect when the settings are read again. All else is what the node was
  /// started with, and needs a restart.
  var takesEffectAtOnce: Bool {
    switch self {
    case .mode, .modeRules, .shadow, .override, .policyFailure, .policyUnusable, .policyNoIMEI,
      .policyNoSubscriber, .policySpecial, .listAgeMaxSeconds, .localBlack, .subscriberRules,
      .askTimeoutMilliseconds, .brakeLeast, .brakePercent, .checkLog:
      true
    default: false
    }
  }
}

extension NodeSettings {
  /// Takes over what takes effect at once.
  mutating func take(_ read: NodeSettings) {
    decision = read.decision
    brake = read.brake
    if let milliseconds = read.ask?.timeoutMilliseconds { ask?.timeoutMilliseconds = milliseconds }
    // The usual place is in the directory that the node was started with.
    checkLog = read.texts[.checkLog] == nil ? usualCheckLog : read.checkLog
    for key in SettingKey.allCases where key.takesEffectAtOnce { texts[key] = read.texts[key] }
  }

  /// The keys of one kind whose text differs.
  func changedKeys(to read: NodeSettings, atOnce: Bool) -> [String] {
    SettingKey.allCases.filter { $0.takesEffectAtOnce == atOnce && texts[$0] != read.texts[$0] }
      .map(\.rawValue)
  }

  /// The same for the same settings, wherever each of them comes from.
  var fingerprint: String {
    let lines = texts.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.rawValue)=\($1)\n" }
    let hash = SHA256.hash(data: Array(lines.joined().utf8))
    return hash.prefix(8).map { $0 < 16 ? "0\(String($0, radix: 16))" : String($0, radix: 16) }
      .joined()
  }
}

/// What became of settings that were read again.
package struct ReloadReport: Hashable, Codable, Sendable {
  package var readAt: String
  package var fingerprint: String
  /// What has taken effect.
  package var changed: [String]
  /// What has changed since the start and waits for a restart.
  package var needsRestart: [String]

  init(from settings: NodeSettings, to read: NodeSettings, asOf now: Instant) {
    readAt = now.description
    fingerprint = read.fingerprint
    changed = settings.changedKeys(to: read, atOnce: true)
    needsRestart = settings.changedKeys(to: read, atOnce: false)
  }

  package var text: String {
    let first =
      changed.isEmpty
      ? "settings read again: nothing that takes effect at once has changed"
      : "settings read again: \(changed.joined(separator: ", ")) changed"
    return ([first] + SettingsReading.sentences(needsRestart)).joined(separator: "\n")
  }
}

/// When settings were last read, and how that went.
package struct SettingsReading: Hashable, Codable, Sendable {
  package var readAt: String
  package var fingerprint: String
  package var needsRestart: [String]
  /// Nil where the last reading was taken.
  package var refusedAt: String?
  package var refusal: [String]?

  init(_ settings: NodeSettings, asOf now: Instant) {
    readAt = now.description
    fingerprint = settings.fingerprint
    needsRestart = []
  }

  init(_ report: ReloadReport) {
    readAt = report.readAt
    fingerprint = report.fingerprint
    needsRestart = report.needsRestart
  }

  static func sentences(_ needsRestart: [String]) -> [String] {
    needsRestart.map { "\($0) has changed and is not used: restart the node for it" }
  }

  /// For a terminal.
  var lines: [String] {
    var lines = ["  settings   read \(readAt), \(fingerprint)"]
    lines += Self.sentences(needsRestart).map { "             \($0)" }
    if let refusedAt {
      lines.append("             refused at \(refusedAt), those before hold:")
      lines += (refusal ?? []).map { "             \($0)" }
    }
    return lines
  }
}
