import DeviceIdentity
import DeviceLists
import EquipmentCheck
import Foundation
import ListExchange

extension NodeSettings {
  /// What the settings are for: looking at the list needs no registry.
  package enum Purpose: Sendable {
    case serve, inspect
    /// Asks the registry without serving anybody.
    case ask
  }

  /// Every sentence that is to be said is in the error, not only the first.
  package static func read(
    _ sources: SettingsSources, for purpose: Purpose
  ) async throws(SettingsError) -> NodeSettings {
    var text = try await SettingsText(sources)
    let directory = text.required(.directory, "name the directory that holds the list") { $0 }
    let registry = text.required(
      .registry, "give the registry's name: up to 32 printable characters without spaces"
    ) { RegistryName($0) }
    let code = text.required(
      .operator, "give your operator's code: up to 16 of a-z, 0-9 and -, but not \"all\""
    ) { OperatorCode($0) }
    var settings: NodeSettings?
    if let directory, let registry, let code {
      settings = NodeSettings(
        directory: directory, registry: registry, feed: Feed(of: code))
    }
    let files = text.files()
    let exchange = text.exchange(for: purpose, needsURL: files == nil)
    let s13 = text.s13()
    let (listen, admin) = (text.listenAddress(), text.adminAddress())
    let gsup = text.gsup()
    let events = text.events()
    let decision = text.decision()
    let ask = text.asking(exchange)
    if purpose == .serve, decision.asks, ask == nil, text.sentences.isEmpty {
      text.sentences.append(
        "the CEIR is to be asked, and neither ceir.statusUrl nor ceir.url is set: give its "
          + "address \(SettingKey.ceirStatusURL.places)")
    }
    let brake = text.brake()
    let n17 = text.n17()
    guard var settings, text.sentences.isEmpty else {
      throw SettingsError(sentences: text.sentences)
    }
    settings.ceirURL = exchange.url
    settings.tlsDirectory = exchange.tlsDirectory
    settings.exchangeListen = exchange.listen
    settings.files = files
    settings.s13 = s13
    settings.ask = ask
    if let listen { settings.listen = listen }
    if let admin { settings.admin = admin }
    settings.gsup = gsup
    settings.n17 = n17
    settings.events = events
    settings.decision = decision
    settings.brake = brake
    settings.texts = text.texts
    settings.warnings = settings.texts.idle
    let checkLog = text.text(.checkLog) ?? settings.usualCheckLog
    settings.checkLog = checkLog == "off" ? nil : checkLog
    return settings
  }
}

extension SettingsText {
  mutating func required<Value>(
    _ key: SettingKey, _ advice: String, _ read: (String) -> Value?
  ) -> Value? {
    guard let text = text(key), !text.isEmpty else {
      sentences.append("\(key.rawValue) is not set: \(advice) \(key.places)")
      return nil
    }
    return understood(key, text, advice, read)
  }

  mutating func optional<Value>(
    _ key: SettingKey, _ advice: String, _ read: (String) -> Value?
  ) -> Value? {
    guard let text = text(key) else { return nil }
    return understood(key, text, advice, read)
  }

  mutating func truth(_ key: SettingKey) -> Bool? {
    optional(key, "say true or false") { text in
      ["true": true, "1": true, "false": false, "0": false][text.lowercased()]
    }
  }

  mutating func understood<Value>(
    _ key: SettingKey, _ text: String, _ advice: String, _ read: (String) -> Value?
  ) -> Value? {
    if let value = read(text) { return value }
    complain(key, text, advice)
    return nil
  }

  fileprivate struct Exchange {
    var url: String?
    var tlsDirectory: String?
    var listen: SocketAddress?
  }

  /// How the registry is reached and reaches this node.
  fileprivate mutating func exchange(
    for purpose: NodeSettings.Purpose, needsURL: Bool
  ) -> Exchange {
    var exchange = Exchange()
    let (url, directory) = (
      "give the address of the CEIR, such as https://127.0.0.1:8443",
      "name the directory of node.pem, node.key and root.pem, as the CEIR has issued them"
    )
    if purpose == .inspect {
      exchange.url = optional(.ceirURL, url) { Self.address($0) }
      exchange.tlsDirectory = text(.tlsDirectory)
    } else {
      exchange.url =
        needsURL || purpose == .ask
        ? required(.ceirURL, url) { Self.address($0) }
        : optional(.ceirURL, url) { Self.address($0) }
      exchange.tlsDirectory = required(.tlsDirectory, directory) { $0 }
    }
    exchange.listen = optional(
      .exchangeListen, "give an address and a port, such as 127.0.0.1:9443"
    ) { SocketAddress($0) }
    return exchange
  }

  fileprivate mutating func files() -> FilesSettings? {
    let outbox = text(.filesOutbox)
    let seconds = optional(
      .filesPollSeconds, "give whole seconds, from 1 to 3600",
      { text in Int(text).flatMap { FilesSettings.pollSecondsAllowed.contains($0) ? $0 : nil } })
    let done = optional(.filesDone, "say remove or keep") { FilesSettings.Done(rawValue: $0) }
    guard let directory = text(.filesDirectory) else { return nil }
    var files = FilesSettings(directory: directory)
    files.outbox = outbox
    if let seconds { files.pollSeconds = seconds }
    if let done { files.done = done }
    return files
  }

  /// `https://HOST:PORT` without anything behind it.
  private static func address(_ text: String) -> String? {
    let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
    guard let parts = URLComponents(string: trimmed), parts.host?.isEmpty == false else {
      return nil
    }
    guard parts.scheme == "https", parts.path.isEmpty, parts.query == nil, parts.user == nil,
      parts.fragment == nil
    else { return nil }
    return trimmed
  }

  fileprivate mutating func asking(_ exchange: Exchange) -> NodeSettings.Asking? {
    let url = optional(
      .ceirStatusURL, "give the address that answers questions, such as https://127.0.0.1:8444"
    ) { Self.address($0) }
    let milliseconds = optional(
      .askTimeoutMilliseconds, "give whole milliseconds, from 10 to 10000"
    ) { text in Int(text).flatMap { 10...10_000 ~= $0 ? $0 : nil } }
    return (url ?? exchange.url).map {
      NodeSettings.Asking(url: $0, timeoutMilliseconds: milliseconds ?? 500)
    }
  }

  fileprivate mutating func listenAddress() -> SocketAddress? {
    optional(.listen, "give an address and a port, such as 127.0.0.1:8080") {
      SocketAddress($0)
    }
  }

  fileprivate mutating func adminAddress() -> SocketAddress? {
    optional(.admin, "give a loopback address and a port, such as 127.0.0.1:8081") { text in
      SocketAddress(text).flatMap { $0.isLoopback ? $0 : nil }
    }
  }

  /// Nil where nobody listens for GSUP.
  fileprivate mutating func gsup() -> GSUPSettings? {
    let listen = optional(.gsupListen, "give an address and a port, such as 127.0.0.1:4222") {
      SocketAddress($0)
    }
    let unknown = optional(.gsupUnknown, "say allow or refuse") { GSUPUnknown(rawValue: $0) }
    let advice = "give the address and port of osmo-hlr, such as 127.0.0.2:4222, not gsup.listen"
    func read(_ text: String) -> SocketAddress? {
      SocketAddress(text).flatMap { $0.port > 0 && $0 != listen ? $0 : nil }
    }
    // The HLR may stay named while nobody listens; without it nobody could be served.
    let hlr =
      text(.gsupListen) == nil
      ? optional(.gsupHLR, advice, read) : required(.gsupHLR, advice, read)
    guard let listen, let hlr else { return nil }
    var settings = GSUPSettings(listen: listen, hlr: hlr)
    if let unknown { settings.unknown = unknown }
    return settings
  }

  fileprivate mutating func brake() -> Brake.Limit {
    var limit = Brake.Limit()
    if let least = optional(
      .brakeLeast, "give a whole number of devices, 0 or more",
      { text in Int(text).flatMap { 0...Int(Int32.max) ~= $0 ? $0 : nil } })
    {
      limit.least = least
    }
    if let share = optional(
      .brakePercent, "give percent of the list from 0 to 100, such as 0.5",
      { text in Double(text).flatMap { 0...100 ~= $0 ? Int(($0 * 1_000).rounded()) : nil } })
    {
      limit.listShare = share
    }
    return limit
  }
}
