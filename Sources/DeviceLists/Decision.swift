package import DeviceIdentity

/// Who is asked about, as a binding understood it.
package enum CheckedIdentity: Hashable, Sendable {
  case device(IMEISV)
  /// Something that should have been an IMEI and is none.
  case unusable
  /// A device that has no IMEI (a MAC address, an EUI-64) or that was not named.
  case none
}

/// One question: may this device be used, perhaps by this subscriber?
package struct CheckQuery: Hashable, Sendable {
  package var identity: CheckedIdentity
  package var imsi: IMSI?

  package init(identity: CheckedIdentity, imsi: IMSI? = nil) {
    self.identity = identity
    self.imsi = imsi
  }
}

/// What a network element is told.
package enum CheckAnswer: Hashable, Sendable, CustomStringConvertible {
  case white, grey, black
  /// On no list: 404 on N17, 5422 on S13, unknownEquipment in MAP.
  case unknown

  package init(_ status: ListStatus) {
    switch status {
    case .white: self = .white
    case .grey: self = .grey
    case .black: self = .black
    }
  }

  package init?(word: some StringProtocol) {
    if word == "unknown" {
      self = .unknown
    } else if let status = ListStatus(word: word) {
      self.init(status)
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .white: "white"
    case .grey: "grey"
    case .black: "black"
    case .unknown: "unknown"
    }
  }
}

/// The rule that decided, in the order in which they are asked. `Schema/decision.md`.
package enum DecisionRule: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case override, failure, unusable, noIMEI, exempt, final, pairing, noSubscriber, localBlack,
    imei, subscriberRule, range, tac, special, mode

  package var description: String {
    switch self {
    case .override: "override"
    case .failure: "failure"
    case .unusable: "unusable"
    case .noIMEI: "noIMEI"
    case .exempt: "exempt"
    case .final: "final"
    case .pairing: "pairing"
    case .noSubscriber: "noSubscriber"
    case .localBlack: "localBlack"
    case .imei: "imei"
    case .subscriberRule: "subscriberRule"
    case .range: "range"
    case .tac: "tac"
    case .special: "special"
    case .mode: "mode"
    }
  }
}

/// The answer and all that is needed to explain it later.
package struct Verdict: Hashable, Sendable {
  /// What the network element is told.
  package var answer: CheckAnswer
  /// What the lists say: differs from ``answer`` in shadow mode only.
  package var decided: CheckAnswer
  package var rule: DecisionRule
  package var codes: GroundCodeSet
  /// The list that was looked at; nil where there is none.
  package var epoch: Epoch?
  package var position: Position?

  init(_ answer: CheckAnswer, by rule: DecisionRule, codes: GroundCodeSet = []) {
    self.answer = answer
    decided = answer
    self.rule = rule
    self.codes = codes
  }

  init(_ found: EntryClass, by rule: DecisionRule) {
    self.init(CheckAnswer(found.status), by: rule, codes: found.codes)
  }
}

/// What the engine needs to know of a list. One value of it never changes, so that all the look-ups
/// of a decision see the same position.
package protocol DeviceList: Sendable {
  var head: ListHead { get }
  func entry(of imei: IMEI) -> EntryClass?
  func entry(of pairing: Pairing) -> EntryClass?
  /// Whether any pairing of this IMEI is white.
  func hasException(_ imei: IMEI) -> Bool
  /// The fold of every range that contains the IMEI.
  func rangeEntry(containing imei: IMEI) -> EntryClass?
  func entry(of tac: TAC) -> EntryClass?
}

/// The order of precedence by which an EIR, and the CEIR for an EIR, decides. It knows
/// nothing of its bindings, and no verdict becomes black because something failed.
package struct DecisionEngine: Sendable {
  package let settings: DecisionSettings

  package init(settings: DecisionSettings) { self.settings = settings }

  package func verdict(
    on query: CheckQuery, in list: (some DeviceList)?, asOf now: Instant
  ) -> Verdict {
    var trace = NoTrace()
    return verdict(on: query, in: list, asOf: now, trace: &trace)
  }

  /// The same, telling `trace` each level that was looked at.
  package func verdict(
    on query: CheckQuery, in list: (some DeviceList)?, asOf now: Instant,
    trace: inout some DecisionTrace
  ) -> Verdict {
    if let answer = settings.override { return Verdict(answer, by: .override) }
    guard let list else {
      trace.looked(at: .failure, found: nil)
      return shadowed(Verdict(settings.onFailure, by: .failure))
    }
    let head = list.head
    var verdict: Verdict
    if now.seconds(since: head.issuedAt) > settings.listAgeMaxSeconds {
      trace.looked(at: .failure, found: nil)
      verdict = Verdict(settings.onFailure, by: .failure)
    } else {
      switch query.identity {
      case .none: verdict = Verdict(settings.onNoIMEI, by: .noIMEI)
      case .unusable: verdict = Verdict(settings.onUnusable, by: .unusable)
      case .device(let device):
        verdict = self.verdict(on: device, imsi: query.imsi, in: list, trace: &trace)
      }
    }
    verdict.epoch = head.epoch
    verdict.position = head.position
    return shadowed(verdict)
  }

  /// Shadow mode: decided and counted, but everything is let through.
  private func shadowed(_ verdict: Verdict) -> Verdict {
    guard settings.isShadow else { return verdict }
    var verdict = verdict
    verdict.answer = .white
    return verdict
  }

  private func verdict(
    on device: IMEISV, imsi: IMSI?, in list: some DeviceList, trace: inout some DecisionTrace
  ) -> Verdict {
    let imei = device.imei
    let own = list.entry(of: imei)
    trace.looked(at: .exempt, found: own)
    if let own, own.isExempt { return Verdict(own, by: .exempt) }

    let range = list.rangeEntry(containing: imei)
    let type = list.entry(of: imei.tac)
    let local = settings.localBlack.match(device)
    let final = own.ifFinal ?? range.ifFinal ?? type.ifFinal ?? local.ifFinal
    trace.looked(at: .final, found: final)
    if let final { return Verdict(final, by: .final) }
    if let imsi {
      let pair = list.entry(of: Pairing(imei: imei, imsi: imsi))
      trace.looked(at: .pairing, found: pair)
      if let pair { return Verdict(pair, by: .pairing) }
    } else if let own, own.status == .black, list.hasException(imei) {
      trace.looked(at: .noSubscriber, found: own)
      return Verdict(settings.onNoSubscriber, by: .noSubscriber, codes: own.codes)
    }
    trace.looked(at: .localBlack, found: local)
    if let local { return Verdict(local, by: .localBlack) }
    trace.looked(at: .imei, found: own)
    if let own { return Verdict(own, by: .imei) }
    if let imsi, let answer = settings.answer(forSubscriber: imsi) {
      trace.looked(at: .subscriberRule, found: nil)
      return Verdict(answer, by: .subscriberRule)
    }
    return verdict(onKindOf: imei, range: range, type: type, trace: &trace)
  }

  /// What is left when nothing is known of the device itself: its kind, then the mode.
  private func verdict(
    onKindOf imei: IMEI, range: EntryClass?, type: EntryClass?, trace: inout some DecisionTrace
  ) -> Verdict {
    trace.looked(at: .range, found: range)
    if let range { return Verdict(range, by: .range) }
    trace.looked(at: .tac, found: type)
    if let type { return Verdict(type, by: .tac) }
    if let answer = settings.onSpecial, imei.isPlaceholder || imei.tac.isTest {
      trace.looked(at: .special, found: nil)
      return Verdict(answer, by: .special)
    }
    trace.looked(at: .mode, found: nil)
    return Verdict(settings.onUnlisted, by: .mode)
  }
}

extension EntryClass? {
  /// A black that no exception lifts.
  fileprivate var ifFinal: EntryClass? { flatMap { $0.isFinalBlack ? $0 : nil } }
}

/// Hears of each level of a decision as it is looked at.
package protocol DecisionTrace {
  mutating func looked(at rule: DecisionRule, found: EntryClass?)
}

struct NoTrace: DecisionTrace {
  mutating func looked(at rule: DecisionRule, found: EntryClass?) {}
}

/// Keeps every level, for a person who asks why.
package struct DecisionRecord: DecisionTrace {
  package struct Step: Hashable, Sendable {
    package let rule: DecisionRule
    package let found: EntryClass?
  }

  package private(set) var steps: [Step] = []

  package init() {}

  package mutating func looked(at rule: DecisionRule, found: EntryClass?) {
    steps.append(Step(rule: rule, found: found))
  }
}
