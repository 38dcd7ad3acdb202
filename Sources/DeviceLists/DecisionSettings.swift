import DeviceIdentity

/// What an operator sets for its EIR. `unknown`, `unreachable`, `no identity` and `no subscriber`
/// are separate, and none is black by default.
package struct DecisionSettings: Sendable {
  /// One answer for everything; nil in normal service.
  package var override: CheckAnswer?
  /// Decide, count and log, but let everything through, whatever the other settings say.
  package var isShadow = false
  /// No complete list, or one that is too old; also where a registry that is to be asked does not
  /// answer.
  package var onFailure = CheckAnswer.unknown
  /// A list whose last checkpoint is older than this is not trusted.
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
