import DeviceIdentity
package import DeviceLists

/// The order of precedence once more, written from its description (`Schema/decision.md`) and
/// sharing nothing with the engine but the values: no fold, no packed digits, no early look-up.
package enum NaiveDecision {
  package static func verdict(
    on query: CheckQuery, in list: NaiveList?, settings: DecisionSettings, asOf now: Instant
  ) -> Verdict {
    var verdict = decided(on: query, in: list, settings: settings, asOf: now)
    if settings.isShadow {
      verdict.answer = .white
      verdict.isToAsk = false
    }
    verdict.epoch = list?.head.epoch
    verdict.position = list?.head.position
    return verdict
  }

  private static func decided(
    on query: CheckQuery, in list: NaiveList?, settings: DecisionSettings, asOf now: Instant
  ) -> Verdict {
    // 1 and 2: override, then no list that can be trusted
    if let answer = settings.override { return Verdict(answer, by: .override) }
    guard let list else { return Verdict(settings.onFailure, by: .failure) }
    let age = now.secondsSinceEpoch - list.head.issuedAt.secondsSinceEpoch
    if age > settings.listAgeMaxSeconds { return Verdict(settings.onFailure, by: .failure) }
    // 3: no identity
    if query.identity == .none { return Verdict(settings.onNoIMEI, by: .noIMEI) }
    guard case .device(let device) = query.identity else {
      return Verdict(settings.onUnusable, by: .unusable)
    }
    // 4: exempt, then black beyond appeal
    let imei = device.imei
    let own = Found(list.classes { $0 == .imei(imei) })
    let range = Found(list.classes { covers($0, imei) })
    let type = Found(list.classes { $0 == .tac(imei.tac) })
    let local = Found(localClasses(of: device, settings))
    if let own, own.status != .black, own.has(.protected) || own.has(.released) {
      return own.verdict(by: .exempt)
    }
    for found in [own, range, type, local] {
      if let found, found.isFinal { return found.verdict(by: .final) }
    }
    // 5: the pairing
    if let imsi = query.imsi {
      let pair = Pairing(imei: imei, imsi: imsi)
      if let pair = Found(list.classes { $0 == .pairing(pair) }) {
        return pair.verdict(by: .pairing)
      }
    } else if let own, own.status == .black, hasException(imei, in: list) {
      return Verdict(settings.onNoSubscriber, by: .noSubscriber, codes: own.codes)
    }
    // 6: the operator's black, then the device itself
    if let local { return local.verdict(by: .localBlack) }
    if let own { return own.verdict(by: .imei) }
    // 7: rules for subscribers
    if let imsi = query.imsi {
      let rules = settings.subscriberRules.rules.map { ($0, width($0.subscribers, around: imsi)) }
      if let rule = narrowest(rules) { return Verdict(rule.answer, by: .subscriberRule) }
    }
    // 8 and 9: its kind, special numbers, the mode
    if let range { return range.verdict(by: .range) }
    if let type { return type.verdict(by: .tac) }
    if isSpecial(imei), let answer = settings.onSpecial { return Verdict(answer, by: .special) }
    switch modeRule(for: imei, query.imsi, settings)?.mode ?? settings.mode {
    case .answer(let answer): return Verdict(answer, by: .mode)
    case .ask:
      var verdict = Verdict(settings.onFailure, by: .mode)
      verdict.isToAsk = true
      return verdict
    }
  }

  /// A rule for the subscriber, or else one for the device.
  private static func modeRule(
    for imei: IMEI, _ imsi: IMSI?, _ settings: DecisionSettings
  ) -> ModeRule? {
    let rules = settings.modeRules.rules
    let ofSubscribers = rules.map { rule -> (ModeRule, UInt64?) in
      guard case .subscribers(let subscribers) = rule.condition, let imsi else {
        return (rule, nil)
      }
      return (rule, width(subscribers, around: imsi))
    }
    let ofDevices = rules.map { rule -> (ModeRule, UInt64?) in
      switch rule.condition {
      case .subscribers: (rule, nil)
      case .type(let type): (rule, type == imei.tac ? 1_000_000 : nil)
      case .devices(let range):
        (rule, covers(.range(range), imei) ? range.last.number - range.first.number + 1 : nil)
      }
    }
    return narrowest(ofSubscribers) ?? narrowest(ofDevices)
  }

  /// How many IMSIs of the same length are meant together with this one; nil where it is not.
  private static func width(_ subscribers: Subscribers, around imsi: IMSI) -> UInt64? {
    let digits = imsi.digits
    switch subscribers {
    case .prefix(let prefix):
      guard digits.hasPrefix(prefix.digits) else { return nil }
      return (0..<digits.count - prefix.length).reduce(1) { count, _ in count * 10 }
    case .range(let range):
      let (first, last) = (range.first.digits, range.last.digits)
      guard first.count == digits.count, first <= digits, digits <= last else { return nil }
      guard let from = UInt64(first), let to = UInt64(last) else { return nil }
      return to - from + 1
    }
  }

  /// The first of the narrowest.
  private static func narrowest<Rule>(_ rules: [(rule: Rule, width: UInt64?)]) -> Rule? {
    var found: (rule: Rule, width: UInt64)?
    for (rule, width) in rules {
      if let width, width < found?.width ?? .max { found = (rule, width) }
    }
    return found?.rule
  }

  private static func covers(_ subject: Subject, _ imei: IMEI) -> Bool {
    guard case .range(let range) = subject else { return false }
    return range.first.number <= imei.number && imei.number <= range.last.number
  }

  private static func hasException(_ imei: IMEI, in list: NaiveList) -> Bool {
    list.pairings(of: imei).contains { pairing in
      Found(list.classes { $0 == .pairing(pairing) })?.status == .white
    }
  }

  private static func localClasses(of device: IMEISV, _ settings: DecisionSettings) -> [EntryClass]
  {
    settings.localBlack.entries.filter {
      $0.range.first.number <= device.imei.number && device.imei.number <= $0.range.last.number
        && isMeant(device.softwareVersion, by: $0.softwareVersions)
    }.map {
      EntryClass(
        status: .black, codes: GroundCodeSet(.operatorRequest), isOverridable: $0.isOverridable)
    }
  }

  private static func isMeant(_ version: UInt8?, by versions: ClosedRange<UInt8>?) -> Bool {
    guard let versions else { return true }
    guard let version else { return false }
    return versions.lowerBound <= version && version <= versions.upperBound
  }

  private static func isSpecial(_ imei: IMEI) -> Bool {
    let digits = imei.description
    return Set(digits).count == 1 || digits.hasPrefix("0044") || digits.hasPrefix("0086")
      || ("001001"..."001017").contains(String(digits.prefix(6)))
  }
}

/// What several entries on the same level say together: protected, then black, grey, white.
private struct Found {
  let counted: [EntryClass]
  let status: ListStatus

  init?(_ classes: [EntryClass]) {
    let golden = classes.filter { $0.status == .white && $0.codes.contains(.protected) }
    let byWeight =
      [golden]
      + [.black, .grey, .white].map { status in
        classes.filter { $0.status == status }
      }
    guard let first = byWeight.first(where: { !$0.isEmpty }) else { return nil }
    status = first[0].status
    // A release from the type's ground holds beside another scope's grey.
    counted = status == .grey ? first + classes.filter { $0.codes.contains(.released) } : first
  }

  var codes: GroundCodeSet {
    counted.reduce([]) { codes, one in
      codes.union(one.status == status ? one.codes : GroundCodeSet(.released))
    }
  }

  var isFinal: Bool { status == .black && counted.contains { !$0.isOverridable } }

  func has(_ code: GroundCode) -> Bool { counted.contains { $0.codes.contains(code) } }

  func verdict(by rule: DecisionRule) -> Verdict {
    Verdict(CheckAnswer(status), by: rule, codes: codes)
  }
}
