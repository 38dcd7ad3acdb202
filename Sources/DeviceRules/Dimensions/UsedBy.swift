import DeviceIdentity

/// A device that a subscriber of some kind used. DIRBS: `used_by_dirbs_subscriber` (`home`),
/// `used_by_local_non_dirbs_roamer` (`otherLocal`), `used_by_international_roamer` (`roamer`).
package struct UsedBy: Rule {
  package static let name = "usedBy"
  static let mostNetworks = 100

  /// Any of these; nil where `networks` are given.
  package let subscribers: SubscriberKind?
  /// MCCs or PLMNs, to name other countries or networks; any of them.
  package let networks: [String]
  private let table: PrefixTable
  private let within: Window

  package var window: Window? { within }

  package init(_ subscribers: SubscriberKind, window: Window = .days(60)) {
    self.subscribers = subscribers
    networks = []
    table = PrefixTable([])
    within = window
  }

  package init(from fields: inout Fields) throws(RuleError) {
    let networks = Set(try fields.texts("networks", default: [])).sorted()
    let hasSubscribers = fields.has("subscribers")
    guard hasSubscribers != !networks.isEmpty else {
      throw RuleError(fields.place, "give either subscribers or networks")
    }
    guard networks.count <= Self.mostNetworks else {
      throw RuleError(fields.place, "networks has more than \(Self.mostNetworks) entries")
    }
    var prefixes: [IMSIPrefix] = []
    for network in networks {
      guard (3...6).contains(network.utf8.count), network.utf8.count != 4,
        let prefix = try? IMSIPrefix(network)
      else {
        throw RuleError(fields.place, "networks has \(network), which is no MCC and no PLMN")
      }
      prefixes.append(prefix)
    }
    self.networks = networks
    table = PrefixTable(prefixes)
    subscribers =
      hasSubscribers ? try fields.word("subscribers", default: SubscriberKind.home) : nil
    within = try fields.window(default: .days(60))
  }

  package func write(to fields: inout FieldWriter) throws {
    if let subscribers { try fields.write("subscribers", subscribers.rawValue) }
    if !networks.isEmpty { try fields.write("networks", networks) }
    try fields.write(within)
  }

  package func matches(
    _ device: Evidence, in scope: Scope, using scratch: inout Scratch
  ) -> Bool {
    for row in device.rows where row.hasSubscriber && row.days & scope.days.mask(row.month) != 0 {
      if isMeant(row.imsi, scope.country) { return true }
    }
    return false
  }

  private func isMeant(_ imsi: UInt64, _ country: Country) -> Bool {
    guard let subscribers else { return table.contains(imsi) }
    return country.subscriber(imsi) == subscribers
  }
}
