package import DeviceIdentity

/// What the rules of a country have in common.
package struct RuleSettings: Hashable, Sendable {
  static let delayDays = 0...365
  static let months = 1...60
  static let mostCodes = 100

  /// MCCs of the country: the first three digits of its IMSIs.
  package var mobileCountryCodes: [IMSIPrefix]
  /// The first digits of its telephone numbers, ITU-T E.164. The importer's checks read them.
  package var callingCodes: [String]
  /// How many days after it was first seen a type may be missing from the list of allocations, by
  /// the first two digits of the TAC; others get none.
  package var reportingBodyDelays: [UInt8: Int]
  /// Kinds of devices, as the list of types names them, that need no registration or approval.
  package var exemptDeviceTypes: Set<String>
  package var amnesty: Amnesty?
  package var testTypes: [IMEIPrefix]
  package var placeholders: [IMEIPrefix]
  /// The population that shares are taken of: devices seen in so many months.
  package var populationMonths: Int
  /// How long sightings are kept: no rule can look further back.
  package var retentionMonths: Int

  package init(
    mobileCountryCodes: [IMSIPrefix] = [], callingCodes: [String] = [],
    reportingBodyDelays: [UInt8: Int] = Self.usualDelays, exemptDeviceTypes: Set<String> = [],
    amnesty: Amnesty? = nil, testTypes: [IMEIPrefix] = Self.prefixes(Self.usualTestTypes),
    placeholders: [IMEIPrefix] = Self.prefixes(Self.usualPlaceholders),
    populationMonths: Int = 3, retentionMonths: Int = 6
  ) {
    self.mobileCountryCodes = mobileCountryCodes
    self.callingCodes = callingCodes
    self.reportingBodyDelays = reportingBodyDelays
    self.exemptDeviceTypes = Set(exemptDeviceTypes.map(Self.folded))
    self.amnesty = amnesty
    self.testTypes = testTypes
    self.placeholders = placeholders
    self.populationMonths = populationMonths
    self.retentionMonths = retentionMonths
  }

  /// DIRBS-Core 16, `gsma_not_found`.
  package static let usualDelays: [UInt8: Int] = [0: 32, 1: 40, 35: 20, 86: 19, 91: 20, 99: 69]

  /// GSMA TS.06: 001 001 to 001 017 (CTIA), 0044 (TÜV SÜD), 0086 (TAF).
  package static let usualTestTypes: [String] =
    (1...17).map { $0 < 10 ? "00100\($0)" : "0010\($0)" } + ["0044", "0086"]

  /// Identities that software writes into devices which have lost their own; each has been reported
  /// from networks of many countries.
  package static let usualPlaceholders = ["00440015202000", "00499901064000", "13579024681122"]

  package static func prefixes(_ texts: [String]) -> [IMEIPrefix] {
    texts.compactMap(IMEIPrefix.init)
  }

  /// Whether devices of this kind need no registration or approval. Letter case and outer spaces do
  /// not matter.
  package func isExempt(deviceType: some StringProtocol) -> Bool {
    !exemptDeviceTypes.isEmpty && exemptDeviceTypes.contains(Self.folded(deviceType))
  }

  static func folded(_ text: some StringProtocol) -> String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    let start = text.drop(while: isBlank)
    return String(start.reversed().drop(while: isBlank).reversed()).lowercased()
  }

  /// What keeps `condition` from being applied; nil: nothing.
  package func refusal(of condition: Condition) -> RuleError? {
    let kept = Window.months(retentionMonths)
    for window in condition.windows where window.mostDays > kept.mostDays {
      return RuleError(
        "condition \(condition.label)",
        "looks back \(window), but sightings are kept for \(retentionMonths) months")
    }
    return nil
  }
}

/// A time in which owners may put their devices in order without being blocked.
package struct Amnesty: Hashable, Sendable {
  /// The last day of its first part: who is found until then has the amnesty and no block date yet.
  package let evaluationEnd: Day
  /// The last day of its second part, and the day on which who has the amnesty is blocked.
  package let end: Day

  package init(evaluationEnd: Day, end: Day) throws(RuleError) {
    guard evaluationEnd < end else {
      throw RuleError("settings, amnesty", "end must come after evaluationEnd")
    }
    self.evaluationEnd = evaluationEnd
    self.end = end
  }
}
