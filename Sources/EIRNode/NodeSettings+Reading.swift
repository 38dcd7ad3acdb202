import DeviceIdentity
import DeviceLists
import Foundation
import ListExchange

extension NodeSettings {
  /// What the settings are for: looking at the files needs no registry to follow.
  package enum Purpose: Sendable {
    case serve, inspect
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
    let ceir = purpose == .serve ? text.registryAddress() : nil
    let (listen, admin) = (text.listenAddress(), text.adminAddress())
    let decision = text.decision()
    let brake = text.brake()
    guard var settings, text.sentences.isEmpty else {
      throw SettingsError(sentences: text.sentences)
    }
    settings.ceir = ceir
    if let listen { settings.listen = listen }
    if let admin { settings.admin = admin }
    settings.decision = decision
    settings.brake = brake
    let checkLog = text.text(.checkLog) ?? settings.directory + "/checks.ndjson"
    settings.checkLog = checkLog == "off" ? nil : checkLog
    return settings
  }
}

extension SettingsText {
  fileprivate mutating func required<Value>(
    _ key: SettingKey, _ advice: String, _ read: (String) -> Value?
  ) -> Value? {
    guard let text = text(key), !text.isEmpty else {
      sentences.append("\(key.rawValue) is not set: \(advice) \(key.places)")
      return nil
    }
    return understood(key, text, advice, read)
  }

  fileprivate mutating func optional<Value>(
    _ key: SettingKey, _ advice: String, _ read: (String) -> Value?
  ) -> Value? {
    guard let text = text(key) else { return nil }
    return understood(key, text, advice, read)
  }

  private mutating func understood<Value>(
    _ key: SettingKey, _ text: String, _ advice: String, _ read: (String) -> Value?
  ) -> Value? {
    if let value = read(text) { return value }
    sentences.append("\(key.rawValue) is \"\(text.prefix(80))\": \(advice) \(key.places)")
    return nil
  }

  fileprivate mutating func registryAddress() -> RegistryAddress? {
    let url = required(
      .ceirURL, "give the address of the CEIR, such as http://127.0.0.1:8090"
    ) { text -> String? in
      let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
      guard let parts = URLComponents(string: trimmed), parts.host?.isEmpty == false else {
        return nil
      }
      guard parts.scheme == "http", parts.path.isEmpty, parts.query == nil else { return nil }
      return trimmed
    }
    if let url, let host = URLComponents(string: url)?.host {
      let bare = host.trimmingCharacters(in: ["[", "]"])
      if !SocketAddress.isLoopback(bare) {
        sentences.append(
          "\(SettingKey.ceirURL.rawValue) is \"\(url)\": the exchange is not yet encrypted, so "
            + "the CEIR must be reached over loopback, such as through a tunnel "
            + SettingKey.ceirURL.places)
      }
    }
    guard let token = token(), let url else { return nil }
    return RegistryAddress(url: url, token: token)
  }

  private mutating func token() -> String? {
    let isToken: (String) -> String? = { text in
      text.utf8.allSatisfy { 0x21...0x7E ~= $0 } && text.utf8.count <= 512 ? text : nil
    }
    guard let path = text(.ceirTokenFile) else {
      let advice =
        "give the token that the CEIR made for this node, or name its file in \""
        + SettingKey.ceirTokenFile.rawValue + "\""
      guard let token = text(.ceirToken), !token.isEmpty else {
        sentences.append(
          "\(SettingKey.ceirToken.rawValue) is not set: \(advice) \(SettingKey.ceirToken.places)")
        return nil
      }
      if let token = isToken(token) { return token }
      // The text itself is a secret and is not shown.
      sentences.append("\(SettingKey.ceirToken.rawValue) is no token: \(advice)")
      return nil
    }
    let bytes = try? SmallFile.content(of: path)
    let content = String(decoding: bytes ?? [], as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    guard !content.isEmpty, let token = isToken(content) else {
      sentences.append(
        "\(SettingKey.ceirTokenFile.rawValue) is \"\(path)\": it must name a readable file that "
          + "holds the token that the CEIR made for this node \(SettingKey.ceirTokenFile.places)")
      return nil
    }
    return token
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

// MARK: - Deciding

extension SettingsText {
  fileprivate mutating func decision() -> DecisionSettings {
    var decision = DecisionSettings()
    if let mode = answer(.mode) { decision.onUnlisted = mode }
    if let failure = answer(.policyFailure) { decision.onFailure = failure }
    if let unusable = answer(.policyUnusable) { decision.onUnusable = unusable }
    if let noIMEI = answer(.policyNoIMEI) { decision.onNoIMEI = noIMEI }
    if let noSubscriber = answer(.policyNoSubscriber) { decision.onNoSubscriber = noSubscriber }
    if let special = answer(.policySpecial) { decision.onSpecial = special }
    if let override = answer(.override) { decision.override = override }
    if let isShadow = optional(
      .shadow, "say true or false",
      { ["true": true, "1": true, "false": false, "0": false][$0.lowercased()] })
    {
      decision.isShadow = isShadow
    }
    if let seconds = optional(
      .listAgeMaxSeconds, "give whole seconds, from 60 to a year",
      { text in Int64(text).flatMap { 60...31_536_000 ~= $0 ? $0 : nil } })
    {
      decision.listAgeMaxSeconds = seconds
    }
    let black = list(
      .localBlack,
      "give TACs, IMEIs of 14 digits or ranges FIRST-LAST, each perhaps with /SVN, and commas"
    ) { Self.localBlack($0) }
    decision.localBlack = LocalBlackList(entries: black)
    decision.subscriberRules = list(
      .subscriberRules, "give the first digits of IMSIs with an answer, such as 00101=white"
    ) { Self.subscriberRule($0) }
    return decision
  }

  private mutating func answer(_ key: SettingKey) -> CheckAnswer? {
    optional(key, "say white, grey, black or unknown") { CheckAnswer(word: $0) }
  }

  private mutating func list<Value>(
    _ key: SettingKey, _ advice: String, _ read: (String) -> Value?
  ) -> [Value] {
    guard let text = text(key), !text.isEmpty else { return [] }
    return text.split(separator: ",", omittingEmptySubsequences: false).compactMap { part in
      understood(key, part.trimmingCharacters(in: .whitespaces), advice, read)
    }
  }

  private static func localBlack(_ text: String) -> LocalBlackList.Entry? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    var version: UInt8?
    if parts.count == 2 {
      guard parts[1].utf8.count == 2, let number = UInt8(parts[1]) else { return nil }
      version = number
    }
    guard (1...2).contains(parts.count), let range = range(parts[0]) else { return nil }
    return LocalBlackList.Entry(range: range, softwareVersion: version)
  }

  private static func range(_ text: Substring) -> IMEIRange? {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    if ends.count == 1, text.utf8.count == 8, let tac = try? TAC(text) {
      return IMEIRange(first: tac.imeis.lowerBound, last: tac.imeis.upperBound)
    }
    guard (1...2).contains(ends.count), ends.allSatisfy({ $0.utf8.count == 14 }) else {
      return nil
    }
    guard let first = try? IMEI(signalled: ends[0]) else { return nil }
    guard let last = try? IMEI(signalled: ends[ends.count - 1]) else { return nil }
    return IMEIRange(first: first, last: last)
  }

  private static func subscriberRule(_ text: String) -> SubscriberRule? {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let prefix = try? IMSIPrefix(parts[0]) else { return nil }
    guard let answer = CheckAnswer(word: parts[1]) else { return nil }
    return SubscriberRule(prefix: prefix, answer: answer)
  }
}
