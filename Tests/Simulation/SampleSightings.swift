import DeviceIdentity
package import DeviceLists

/// What the two networks of a sample country see in a month and on the day after it: every device
/// that is not reported, and of each ``SampleKind`` a known number.
///
/// The radio technologies are not those of the types: a list with bands says which a type has, and
/// this country asks for none.
package struct SampleSightings: Sendable {
  package let country: SampleCountry
  /// Of the month.
  package let firstDay: CivilDate
  package let dayCount: Int
  private let counts: [SampleKind: Int]
  private let allocated: Set<TAC>
  private let freeNumbers: Permutation

  static let mostOfAKind = 50_000
  static let devicesPerFakeType = 4
  /// Room for the subscribers of one planted device: four for each of 32 days.
  static let subscribersOfADevice = 128
  static let attemptsPerFakeType = 16
  static let kindsOfFakeTypes = 3
  static let typesPerBody = 1_000_000

  /// `counts` replaces the usual ones. `month` may be any day of it.
  package init(
    of country: SampleCountry, month: CivilDate, counts: [SampleKind: Int] = [:]
  ) throws(SimulationError) {
    guard let firstDay = CivilDate(year: month.year, month: month.month, day: 1) else {
      throw SimulationError(.badConstant("\(month)"))
    }
    self.country = country
    self.firstDay = firstDay
    var dayCount = 28
    while CivilDate(year: month.year, month: month.month, day: Int64(dayCount) + 1) != nil {
      dayCount += 1
    }
    self.dayCount = dayCount
    var all: [SampleKind: Int] = [:]
    for kind in SampleKind.allCases {
      let usual = kind.usualCount(
        devices: country.deviceCount, stolen: country.stolenDeviceCount)
      let limit = Self.limit(of: kind, in: country)
      let count = counts[kind] ?? min(usual, limit)
      guard (0...limit).contains(count) else {
        throw SimulationError(.plantedOutOfRange(kind: kind.rawValue, limit: limit))
      }
      all[kind] = count
    }
    self.counts = all
    allocated = Set(country.types)
    freeNumbers = Permutation(
      count: Self.typesPerBody, seed: country.chance.draw(.freeTypes))
    let most = Self.place(SampleKind.allCases.count, 2 * (all.values.max() ?? 0))
    guard country.hasRoom(forMoreDevices: most) else {
      throw SimulationError(.tooFewTypes(devices: country.deviceCount))
    }
  }

  private static func limit(of kind: SampleKind, in country: SampleCountry) -> Int {
    switch kind {
    case .clones: min(mostOfAKind, country.deviceCount - country.stolenDeviceCount)
    case .stolenInUse: country.stolenDeviceCount
    case .placeholders: placeholders.count
    default: mostOfAKind
    }
  }

  package func count(_ kind: SampleKind) -> Int { counts[kind] ?? 0 }

  /// Of the first clones the operator alfa says later that the copies were a billing error.
  package var billingErrorCount: Int {
    let clones = count(.clones)
    return clones == 0 ? 0 : max(1, clones / 3)
  }

  /// A number of its own for everything that is planted.
  private static func place(_ kind: Int, _ index: Int) -> Int {
    SampleKind.allCases.count * index + kind
  }

  private func place(_ kind: SampleKind, _ index: Int) -> Int {
    guard let number = SampleKind.allCases.firstIndex(of: kind) else { return index }
    return Self.place(number, index)
  }

  /// An IMEI of a listed type that no device of the country has.
  func moreIMEI(_ kind: SampleKind, _ index: Int, slot: Int = 0) -> IMEI {
    country.moreIMEI(place(kind, 2 * index + slot))
  }

  /// The number of a SIM card that no device of the country has; chance is drawn by it.
  func cardNumber(_ kind: SampleKind, _ index: Int, _ card: Int = 0) -> Int {
    2 * country.deviceCount + place(kind, index * Self.subscribersOfADevice + card)
  }

  /// A type that is in no list; those of different `series` differ.
  func freeType(_ number: Int, series: Int, body: Int) -> TAC? {
    let first = (number * Self.kindsOfFakeTypes + series) * Self.attemptsPerFakeType
    for attempt in 0..<Self.attemptsPerFakeType {
      let rest = freeNumbers[(first + attempt) % Self.typesPerBody]
      guard let tac = TAC(number: UInt32(body * Self.typesPerBody + rest)) else { continue }
      if !allocated.contains(tac), !tac.isTest { return tac }
    }
    return nil
  }
}

/// On which days a card is seen.
extension SampleSightings {
  /// Three days of four, and one at least.
  func usualDays(_ card: Int) -> UInt32 {
    let drawn = country.chance.draw(.seenDays, card)
    let days = UInt32(truncatingIfNeeded: drawn | drawn >> 32) & allDays
    return days == 0 ? 1 : days
  }

  /// The month and the day after it.
  var allDays: UInt32 { UInt32.max >> UInt32(31 - dayCount) }

  /// From day `first` of the month on, counted from 0.
  func days(from first: Int) -> UInt32 { allDays & UInt32.max << UInt32(first) }

  func day(_ number: Int) -> UInt32 { 1 << UInt32(number) }
}
