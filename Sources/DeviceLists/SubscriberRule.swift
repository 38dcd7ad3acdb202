package import DeviceIdentity

/// Subscribers who are answered alike: roamers of a network, test SIMs.
package struct SubscriberRule: Hashable, Sendable {
  package let prefix: IMSIPrefix
  package let answer: CheckAnswer

  package init(prefix: IMSIPrefix, answer: CheckAnswer) {
    self.prefix = prefix
    self.answer = answer
  }
}
