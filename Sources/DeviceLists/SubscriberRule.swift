package import DeviceIdentity

/// Subscribers that a rule is about: those of a network, or test SIMs.
package enum Subscribers: Hashable, Sendable, CustomStringConvertible {
  case prefix(IMSIPrefix)
  case range(IMSIRange)

  /// As ``IMSI/packed``.
  var packedRanges: [ClosedRange<UInt64>] {
    switch self {
    case .prefix(let prefix): prefix.packedRanges
    case .range(let range): [range.first.packed...range.last.packed]
    }
  }

  /// No more than the digits of a network.
  package var description: String {
    switch self {
    case .prefix(let prefix): prefix.description
    case .range(let range): range.description
    }
  }
}

/// Subscribers who are answered alike: roamers of a network, test SIMs.
package struct SubscriberRule: Hashable, Sendable {
  package let subscribers: Subscribers
  package let answer: CheckAnswer

  package init(_ subscribers: Subscribers, answer: CheckAnswer) {
    self.subscribers = subscribers
    self.answer = answer
  }
}

/// The rules for subscribers, of which the narrowest decides: it covers the fewest IMSIs of the
/// length of the one that is asked about. Of equally narrow ones it is the first.
package struct SubscriberRules: Sendable {
  /// A thousand networks, each with a few exceptions.
  package static let mostRules = 10_000

  /// As they were given.
  package let rules: [SubscriberRule]
  private let ranges: NarrowestRange

  package init(_ rules: [SubscriberRule] = []) {
    self.rules = rules
    ranges = NarrowestRange(
      rules.enumerated().flatMap { index, rule in
        rule.subscribers.packedRanges.map { ($0, Int32(index)) }
      })
  }

  package func answer(for imsi: IMSI) -> CheckAnswer? {
    ranges[imsi.packed].map { rules[$0].answer }
  }
}
