package import DeviceIdentity

/// What an operator sets for its EIR. `unknown`, `unreachable`, `no identity` and `no subscriber`
/// are separate, and none is black by default.
package struct DecisionSettings: Sendable {
  /// One answer for everything; nil in normal service.
  package var override: CheckAnswer?
  /// Decide, count and log, but let everything through.
  package var isShadow = false
  /// No complete list, or one that is too old.
  package var onFailure = CheckAnswer.unknown
  /// A list whose last checkpoint is older is not trusted.
  package var listAgeMaxSeconds: Int64 = 7 * 86_400
  package var onUnusable = CheckAnswer.unknown
  package var onNoIMEI = CheckAnswer.unknown
  /// A black device that has exceptions, asked about without its subscriber.
  package var onNoSubscriber = CheckAnswer.grey
  /// Placeholder and test identities that are on no list; nil treats them like any other.
  package var onSpecial: CheckAnswer?
  /// The mode: what a device on no list is answered as. ITU-T Q Suppl. 73.
  package var onUnlisted = CheckAnswer.unknown
  package var localBlack = LocalBlackList(entries: [])
  package var subscriberRules: [SubscriberRule] = []

  package init() {}

  /// The answer of the longest prefix that the IMSI begins with.
  func answer(forSubscriber imsi: IMSI) -> CheckAnswer? {
    var longest: SubscriberRule?
    for rule in subscriberRules where rule.prefix.contains(imsi) {
      if rule.prefix.length > longest?.prefix.length ?? 0 { longest = rule }
    }
    return longest?.answer
  }
}

/// Subscribers who are answered alike: roamers of a network, test SIMs.
package struct SubscriberRule: Hashable, Sendable {
  package let prefix: IMSIPrefix
  package let answer: CheckAnswer

  package init(prefix: IMSIPrefix, answer: CheckAnswer) {
    self.prefix = prefix
    self.answer = answer
  }
}

/// What an operator blocks by itself. It may add to the registry's list and never lifts from it.
package struct LocalBlackList: Sendable {
  package struct Entry: Hashable, Sendable {
    package let range: IMEIRange
    /// Only devices that report this software version; nil means any.
    package let softwareVersion: UInt8?
    package let isOverridable: Bool

    package init(range: IMEIRange, softwareVersion: UInt8? = nil, isOverridable: Bool = true) {
      self.range = range
      self.softwareVersion = softwareVersion
      self.isOverridable = isOverridable
    }
  }

  package let entries: [Entry]

  package init(entries: [Entry]) { self.entries = entries }

  /// The fold of the entries that match; a scan, for the list is short.
  package func match(_ device: IMEISV) -> EntryClass? {
    var found: EntryClass?
    for entry in entries where entry.range.contains(device.imei) {
      if let version = entry.softwareVersion, version != device.softwareVersion { continue }
      let match = EntryClass(
        status: .black, codes: GroundCodeSet(.operatorRequest),
        isOverridable: entry.isOverridable)
      found = EntryClass.fold(found, match)
    }
    return found
  }
}
