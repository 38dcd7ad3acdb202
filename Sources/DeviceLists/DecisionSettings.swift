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
  /// What becomes of a device on no list, where no rule names another mode.
  package var mode = DecisionMode.answer(.unknown)
  package var modeRules = ModeRules()
  package var localBlack = LocalBlackList(entries: [])
  package var subscriberRules = SubscriberRules()

  package init() {}

  /// Whether the registry is asked about some device.
  package var asks: Bool { mode == .ask || modeRules.rules.contains { $0.mode == .ask } }
}
