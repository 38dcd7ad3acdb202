/// What a file must hold up to before it is taken in, each with the share of lines that may fall
/// short. The thresholds are those in use with DIRBS.
package enum DumpCheck: String, Sendable, CaseIterable {
  case days
  case refused
  case leadingZeros = "leading-zeros"
  case missingIMEI = "missing-imei"
  case missingIMSI = "missing-imsi"
  case missingMSISDN = "missing-msisdn"
  case missingTechnology = "missing-technology"
  case missingAny = "missing-any"
  case uncleanIMEI = "unclean-imei"
  case uncleanIMSI = "unclean-imsi"
  case uncleanEither = "unclean-either"
  case foreignIMSI = "foreign-imsi"
  case foreignMSISDN = "foreign-msisdn"
  case foreignEither = "foreign-either"
  /// IMSIs of other networks than the operator's own.
  case otherNetwork = "other-network"
  /// More of another operator's subscribers than of its own.
  case wrongOperator = "wrong-operator"
  case volumeIMEI = "volume-imei"
  case volumeIMSI = "volume-imsi"
  case volumeTriplet = "volume-triplet"
  /// What the file has, beside what is known of the same days already.
  case correction

  package var limit: Double {
    switch self {
    case .days: 0
    case .refused, .missingIMEI, .missingIMSI, .missingMSISDN, .missingTechnology, .missingAny,
      .uncleanIMEI, .uncleanIMSI, .uncleanEither:
      0.05
    case .foreignIMSI, .foreignMSISDN, .foreignEither: 0.1
    case .otherNetwork: 0.2
    case .leadingZeros, .wrongOperator: 0.5
    case .volumeIMEI, .volumeIMSI, .volumeTriplet, .correction: 0.9
    }
  }

  /// Whether the measure must reach the limit; others must not exceed it.
  package var isFloor: Bool {
    switch self {
    case .volumeIMEI, .volumeIMSI, .volumeTriplet, .correction: true
    default: false
    }
  }

  package var meaning: String {
    switch self {
    case .days: "lines of days that the file is not about"
    case .refused: "lines that were refused"
    case .leadingZeros: "IMEIs that start with 1 and have lost a zero before it"
    case .missingIMEI: "lines without an IMEI"
    case .missingIMSI: "lines without an IMSI"
    case .missingMSISDN: "lines without an MSISDN"
    case .missingTechnology: "lines without a radio technology"
    case .missingAny: "lines that lack something"
    case .uncleanIMEI: "lines whose IMEI is none"
    case .uncleanIMSI: "lines whose IMSI has not 14 or 15 digits"
    case .uncleanEither: "lines whose IMEI or IMSI is unclean"
    case .foreignIMSI: "IMSIs from other countries"
    case .foreignMSISDN: "MSISDNs from other countries"
    case .foreignEither: "lines with a number from another country"
    case .otherNetwork: "IMSIs that are not of the operator's networks"
    case .wrongOperator: "IMSIs of another operator, of all that are of an operator here"
    case .volumeIMEI: "devices in a day, beside the 30 days before"
    case .volumeIMSI: "devices with a subscriber in a day, beside the 30 days before"
    case .correction: "sightings, beside those that are known of the same days"
    case .volumeTriplet: "sightings in a day, beside the 30 days before"
    }
  }
}

/// What a check has found.
package struct CheckResult: Sendable {
  package let check: DumpCheck
  package let measured: Double
  package var limit: Double { check.limit }
  package var holds: Bool { check.isFloor ? measured >= limit : measured <= limit }

  package init(_ check: DumpCheck, _ measured: Double) {
    self.check = check
    self.measured = measured
  }
}

extension DumpCounts {
  /// What can be told from the lines alone. A check that nothing can be held against is left out.
  package func results(refused: Int) -> [CheckResult] {
    func share(_ count: Int, of all: Int? = nil) -> Double {
      let all = all ?? rows
      return all == 0 ? 0 : Double(count) / Double(all)
    }
    var results = [
      CheckResult(.days, share(otherDays)),
      CheckResult(.refused, share(refused - otherDays)),
      CheckResult(.missingIMEI, share(missingIMEIs)),
      CheckResult(.missingIMSI, share(missingIMSIs)),
      CheckResult(.missingMSISDN, share(missingMSISDNs)),
      CheckResult(.missingAny, share(missingAny)),
      CheckResult(.uncleanIMEI, share(uncleanIMEIs)),
      CheckResult(.uncleanIMSI, share(uncleanIMSIs)),
      CheckResult(.uncleanEither, share(uncleanEither)),
      CheckResult(.leadingZeros, lostZeros),
    ]
    if hasTechnology { results.append(.init(.missingTechnology, share(missingTechnologies))) }
    if isCountryKnown { results.append(.init(.foreignIMSI, share(foreignIMSIs))) }
    if isCountryCodeKnown { results.append(.init(.foreignMSISDN, share(foreignMSISDNs))) }
    if isCountryKnown || isCountryCodeKnown {
      results.append(.init(.foreignEither, share(foreignEither)))
    }
    let own = imsisByOperator.first ?? 0
    let others = imsisByOperator.dropFirst().max() ?? 0
    if !imsisByOperator.isEmpty {
      results.append(.init(.otherNetwork, share(imsis - own, of: imsis)))
      results.append(.init(.wrongOperator, share(others, of: own + others)))
    }
    return results.sorted { $0.check.rawValue < $1.check.rawValue }
  }

  /// Of the IMEIs that start with 1, those that have lost a zero; all of them where such IMEIs
  /// outnumber those that start with 0, for about half of all types start so.
  private var lostZeros: Double {
    guard startingWithOne > 0 else { return 0 }
    return startingWithOne > startingWithZero
      ? 1 : Double(lackingZero) / Double(startingWithOne)
  }
}
