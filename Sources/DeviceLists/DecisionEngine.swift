import DeviceIdentity

/// The order of precedence by which an EIR, and the CEIR for an EIR, decides. It knows
/// nothing of its bindings, and no verdict becomes black because something failed.
package struct DecisionEngine: Sendable {
  package let settings: DecisionSettings

  package init(settings: DecisionSettings) { self.settings = settings }

  package func verdict(
    on query: CheckQuery, in list: (any DeviceList)?, asOf now: Instant
  ) -> Verdict {
    var trace = NoTrace()
    return verdict(on: query, in: list, asOf: now, trace: &trace)
  }

  /// The same, telling `trace` what was looked at on the way.
  package func verdict(
    on query: CheckQuery, in list: (any DeviceList)?, asOf now: Instant,
    trace: inout some DecisionTrace
  ) -> Verdict {
    let head = list?.head
    var verdict = decision(on: query, in: list, head: head, asOf: now, trace: &trace)
    verdict.epoch = head?.epoch
    verdict.position = head?.position
    if settings.isShadow {
      verdict.answer = .white
      verdict.isToAsk = false
    }
    return verdict
  }

  private func decision(
    on query: CheckQuery, in list: (any DeviceList)?, head: ListHead?, asOf now: Instant,
    trace: inout some DecisionTrace
  ) -> Verdict {
    if let answer = settings.override {
      return policy(answer, by: .override, trace: &trace)
    }
    guard let list, let head, now.seconds(since: head.issuedAt) <= settings.listAgeMaxSeconds
    else { return policy(settings.onFailure, by: .failure, trace: &trace) }
    switch query.identity {
    case .none: return policy(settings.onNoIMEI, by: .noIMEI, trace: &trace)
    case .unusable: return policy(settings.onUnusable, by: .unusable, trace: &trace)
    case .device(let device):
      return decision(on: device, imsi: query.imsi, in: list, trace: &trace)
    }
  }

  /// What a setting and no list decides.
  private func policy(
    _ answer: CheckAnswer, by rule: DecisionRule, codes: GroundCodeSet = [],
    trace: inout some DecisionTrace
  ) -> Verdict {
    trace.looked(at: rule, found: nil)
    return Verdict(answer, by: rule, codes: codes)
  }

  private func decision(
    on device: IMEISV, imsi: IMSI?, in list: any DeviceList, trace: inout some DecisionTrace
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
      return policy(
        settings.onNoSubscriber, by: .noSubscriber, codes: own.codes, trace: &trace)
    }
    trace.looked(at: .localBlack, found: local)
    if let local { return Verdict(local, by: .localBlack) }
    trace.looked(at: .imei, found: own)
    if let own { return Verdict(own, by: .imei) }
    if let imsi, let answer = settings.subscriberRules.answer(for: imsi) {
      return policy(answer, by: .subscriberRule, trace: &trace)
    }
    return decision(onKindOf: imei, imsi, range: range, type: type, trace: &trace)
  }

  /// What is left when nothing is known of the device itself: its kind, then the mode.
  private func decision(
    onKindOf imei: IMEI, _ imsi: IMSI?, range: EntryClass?, type: EntryClass?,
    trace: inout some DecisionTrace
  ) -> Verdict {
    trace.looked(at: .range, found: range)
    if let range { return Verdict(range, by: .range) }
    trace.looked(at: .tac, found: type)
    if let type { return Verdict(type, by: .tac) }
    if let answer = settings.onSpecial, imei.isPlaceholder || imei.tac.isTest {
      return policy(answer, by: .special, trace: &trace)
    }
    switch settings.modeRules.rule(for: imei, of: imsi)?.mode ?? settings.mode {
    case .answer(let answer): return policy(answer, by: .mode, trace: &trace)
    case .ask:
      var verdict = policy(settings.onFailure, by: .mode, trace: &trace)
      verdict.isToAsk = true
      return verdict
    }
  }
}

extension EntryClass? {
  /// A black that no exception lifts.
  fileprivate var ifFinal: EntryClass? { flatMap { $0.isFinalBlack ? $0 : nil } }
}
