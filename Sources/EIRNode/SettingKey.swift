/// Everything that can be set, by its name in the configuration file.
package enum SettingKey: String, CaseIterable, Sendable {
  case directory
  case registry
  case `operator`
  case ceirURL = "ceir.url"
  case ceirStatusURL = "ceir.statusUrl"
  case tlsDirectory = "tls.directory"
  case exchangeListen = "exchange.listen"
  case filesDirectory = "files.directory"
  case filesOutbox = "files.outbox"
  case filesPollSeconds = "files.pollSeconds"
  case filesDone = "files.done"
  case n17TokenKeys = "n17.token.keys"
  case n17NFInstanceID = "n17.nfInstanceId"
  case n17TLSCertificate = "n17.tls.certificate"
  case n17TLSKey = "n17.tls.key"
  case n17TLSClientCA = "n17.tls.clientCa"
  case askTimeoutMilliseconds = "ask.timeoutMilliseconds"
  case listen
  case s13Listen = "s13.listen"
  case s13TLSListen = "s13.tls.listen"
  case s13TLSCertificate = "s13.tls.certificate"
  case s13TLSKey = "s13.tls.key"
  case s13TLSClientCA = "s13.tls.clientCa"
  case s13SCTPListen = "s13.sctp.listen"
  case s13Host = "s13.host"
  case s13Realm = "s13.realm"
  case s13Realms = "s13.realms"
  case s13Peers = "s13.peers"
  case s13WatchdogSeconds = "s13.watchdogSeconds"
  case admin
  case gsupListen = "gsup.listen"
  case gsupHLR = "gsup.hlr"
  case gsupUnknown = "gsup.unknown"
  case eventsURL = "events.url"
  case eventsTokenFile = "events.tokenFile"
  case eventsCAFile = "events.caFile"
  case eventsFirst = "events.first"
  case eventsForgetDays = "events.forgetDays"
  case eventsSubscribersMax = "events.subscribersMax"
  case mode
  case modeRules
  case shadow
  case override
  case policyFailure = "policy.failure"
  case policyUnusable = "policy.unusable"
  case policyNoIMEI = "policy.noImei"
  case policyNoSubscriber = "policy.noSubscriber"
  case policySpecial = "policy.special"
  case listAgeMaxSeconds
  case brakeLeast = "brake.least"
  case brakePercent = "brake.percent"
  case checkLog
  case localBlack
  case subscriberRules

  /// `ceir.statusUrl` is `--ceir-status-url`.
  package var flag: String { "--" + words.joined(separator: "-") }

  /// `ceir.statusUrl` is `EIR_CEIR_STATUS_URL`.
  package var variable: String {
    SettingsSources.variablePrefix + words.joined(separator: "_").uppercased()
  }

  private var words: [String] {
    var words = [""]
    for character in rawValue {
      if character == "." {
        words.append("")
      } else if character.isUppercase {
        words.append(character.lowercased())
      } else {
        words[words.count - 1].append(character)
      }
    }
    return words
  }

  /// Where it can be set, as the end of a sentence.
  var places: String { "(\(flag), \(variable), or \"\(rawValue)\" in the file)" }
}

/// Where settings come from: flags go before the environment, and the environment before the file.
package struct SettingsSources: Sendable {
  package static let variablePrefix = "EIR_"
  /// Not a setting itself, so it does not stand in the file.
  package static let fileVariable = "EIR_CONFIG"

  package var flags: [SettingKey: String]
  package var environment: [String: String]
  /// The path of a JSON file.
  package var file: String?

  package init(
    flags: [SettingKey: String] = [:], environment: [String: String] = [:], file: String? = nil
  ) {
    self.flags = flags
    self.environment = environment.filter { $0.key.hasPrefix(Self.variablePrefix) }
    self.file = file ?? environment[Self.fileVariable]
  }
}

/// Settings that make no sense: a sentence for each, saying what to change.
package struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
  package let sentences: [String]

  package var description: String { sentences.joined(separator: "\n") }
}
