import DeviceIdentity
import DeviceLists
import Foundation

extension SettingsText {
  /// By what the node decides.
  mutating func decision() -> DecisionSettings {
    var decision = DecisionSettings()
    if let mode = optional(
      .mode, "say white, grey, black, unknown or ask", { DecisionMode(word: $0) })
    {
      decision.mode = mode
    }
    if let failure = answer(.policyFailure) { decision.onFailure = failure }
    if let unusable = answer(.policyUnusable) { decision.onUnusable = unusable }
    if let noIMEI = answer(.policyNoIMEI) { decision.onNoIMEI = noIMEI }
    if let noSubscriber = answer(.policyNoSubscriber) { decision.onNoSubscriber = noSubscriber }
    if let special = answer(.policySpecial) { decision.onSpecial = special }
    if let override = answer(.override) { decision.override = override }
    if let isShadow = truth(.shadow) { decision.isShadow = isShadow }
    if let seconds = optional(
      .listAgeMaxSeconds, "give whole seconds, from 60 to a year",
      { text in Int64(text).flatMap { 60...31_536_000 ~= $0 ? $0 : nil } })
    {
      decision.listAgeMaxSeconds = seconds
    }
    rules(&decision)
    return decision
  }

  private mutating func rules(_ decision: inout DecisionSettings) {
    let black = list(
      .localBlack,
      "give TACs, IMEIs of 14 digits or ranges FIRST-LAST of at most \(LocalSubject.mostDevices) "
        + "devices, each perhaps with /NN or /NN-NN for software versions, and commas",
      most: LocalBlackList.mostEntries
    ) { Self.localBlack($0) }
    decision.localBlack = LocalBlackList(entries: black)
    let subscribers = list(
      .subscriberRules,
      "give the first digits of IMSIs, or two IMSIs of one length as FIRST-LAST, with an answer, "
        + "such as 00101=white", most: SubscriberRules.mostRules
    ) { Self.subscriberRule($0) }
    decision.subscriberRules = SubscriberRules(subscribers)
    let modes = list(
      .modeRules,
      "give imsi:DIGITS, imsi:FIRST-LAST, tac:TAC or range:FIRST-LAST with a mode, such as "
        + "imsi:00101=ask", most: ModeRules.mostRules
    ) { Self.modeRule($0) }
    decision.modeRules = ModeRules(modes)
  }

  private mutating func answer(_ key: SettingKey) -> CheckAnswer? {
    optional(key, "say white, grey, black or unknown") { CheckAnswer(word: $0) }
  }

  /// A part that makes no sense is named by its number: it may hold an IMSI.
  private mutating func list<Value>(
    _ key: SettingKey, _ advice: String, most: Int, _ read: (String) -> Value?
  ) -> [Value] {
    guard let text = text(key), !text.isEmpty else { return [] }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= most else {
      sentences.append("\(key.rawValue) has \(parts.count) parts: give at most \(most)")
      return []
    }
    return parts.enumerated().compactMap { index, part in
      if let value = read(part.trimmingCharacters(in: .whitespaces)) { return value }
      sentences.append("\(key.rawValue), part \(index + 1): \(advice) \(key.places)")
      return nil
    }
  }

  private static func localBlack(_ text: String) -> LocalBlackList.Entry? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let subject = LocalSubject(parts[0]), !subject.isWide
    else { return nil }
    guard parts.count == 2 else { return LocalBlackList.Entry(range: subject.range) }
    return SoftwareVersions(parts[1]).map {
      LocalBlackList.Entry(range: subject.range, softwareVersions: $0.numbers)
    }
  }

  private static func subscriberRule(_ text: String) -> SubscriberRule? {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let subscribers = subscribers(parts[0]) else { return nil }
    return CheckAnswer(word: parts[1]).map { SubscriberRule(subscribers, answer: $0) }
  }

  private static func subscribers(_ text: Substring) -> Subscribers? {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2 else { return (try? IMSIPrefix(text)).map { .prefix($0) } }
    guard let first = try? IMSI(ends[0]), let last = try? IMSI(ends[1]) else { return nil }
    return IMSIRange(first: first, last: last).map { .range($0) }
  }

  private static func modeRule(_ text: String) -> ModeRule? {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let mode = DecisionMode(word: parts[1]) else { return nil }
    let words = parts[0].split(separator: ":", omittingEmptySubsequences: false)
    guard words.count == 2 else { return nil }
    return condition(words[0], words[1]).map { ModeRule($0, mode: mode) }
  }

  private static func condition(_ kind: Substring, _ text: Substring) -> ModeRule.Condition? {
    switch kind {
    case "imsi": subscribers(text).map { .subscribers($0) }
    case "tac": text.utf8.count == 8 ? (try? TAC(text)).map { .type($0) } : nil
    // Two IMEIs of 14 digits.
    case "range": text.utf8.count == 29 ? LocalSubject(text).map { .devices($0.range) } : nil
    default: nil
    }
  }
}
