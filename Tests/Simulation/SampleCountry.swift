package import DeviceIdentity
package import DeviceLists

/// A made-up country on real types of device: two operators of the test network code 001, their
/// subscribers, and the devices that these use. Everything is computed from the seed when it is
/// asked for: ten million devices take no more memory than ten.
package struct SampleCountry: Sendable {
  package let operators: [SampleOperator]
  package let deviceCount: Int
  package let stolenDeviceCount: Int
  package let seed: UInt64
  /// No report is younger.
  package let asOf: CivilDate

  /// The more popular the earlier; with the rank of the first device of each.
  let types: [TAC]
  let firstPlaces: [Int]
  let chance: Chance
  private let deviceOrder: Permutation
  private let reportOrder: Permutation
  private let subscriberStep: UInt64
  private let subscriberOffset: UInt64

  static let serialsPerType: UInt64 = 1_000_000
  static let percentOfTypesWithTwoSlots: UInt64 = 40
  static let percentOfSecondSlotsInUse: UInt64 = 50
  static let percentOfAlfa: UInt64 = 60
  static let subscribersPerCountry: UInt64 = 10_000_000_000

  package init(
    types: [TAC], deviceCount: Int, stolenDeviceCount: Int, seed: UInt64, asOf: CivilDate
  ) throws(SimulationError) {
    guard deviceCount >= 2 else { throw SimulationError(.tooFewDevices) }
    guard (1..<deviceCount).contains(stolenDeviceCount) else {
      throw SimulationError(.reportsOutOfRange(limit: deviceCount - 1))
    }
    (self.deviceCount, self.stolenDeviceCount) = (deviceCount, stolenDeviceCount)
    (self.seed, self.asOf) = (seed, asOf)
    operators = try SampleOperator.both()
    let chance = Chance(seed: seed)
    self.chance = chance
    var generator = SeededGenerator(seed: chance.draw(.types))
    self.types = types.filter { !$0.isTest }.shuffled(using: &generator)
    firstPlaces = try Self.firstPlaces(typeCount: self.types.count, deviceCount: deviceCount)
    deviceOrder = Permutation(count: deviceCount, seed: chance.draw(.deviceOrder))
    reportOrder = Permutation(count: deviceCount, seed: chance.draw(.reportOrder))
    subscriberStep = Self.coprime(chance.draw(.subscribers), to: Self.subscribersPerCountry)
    subscriberOffset = chance.draw(.subscribers, 1) % Self.subscribersPerCountry
  }

  /// Of all devices the share of the type at `rank` falls as 1 ÷ (rank + 20).
  private static func firstPlaces(
    typeCount: Int, deviceCount: Int
  ) throws(SimulationError) -> [Int] {
    let weights = (0..<typeCount).map { 1 / Double($0 + 20) }
    let total = weights.reduce(0, +)
    var counts = weights.map { Int(Double(deviceCount) * $0 / total) }
    let missing = deviceCount - counts.reduce(0, +)
    guard typeCount > 0, missing <= typeCount else {
      throw SimulationError(.tooFewTypes(devices: deviceCount))
    }
    for rank in 0..<missing { counts[rank] += 1 }
    guard counts.allSatisfy({ $0 <= Int(serialsPerType) / 2 }) else {
      throw SimulationError(.tooFewTypes(devices: deviceCount))
    }
    var next = 0
    return counts.map { count in
      defer { next += count }
      return next
    }
  }

  /// Near `value`, below `modulus`, and without a common divisor with a power of ten.
  static func coprime(_ value: UInt64, to modulus: UInt64) -> UInt64 {
    var step = value % modulus | 1
    if step.isMultiple(of: 5) { step += 2 }
    return step
  }

  /// The device of a number from 0 to ``deviceCount`` − 1.
  package func device(_ number: Int) -> SampleDevice {
    let place = deviceOrder[number]
    let rank = type(ofPlace: place)
    let slots = chance.holds(.slots, rank, percent: Self.percentOfTypesWithTwoSlots) ? 2 : 1
    let imeis = (0..<slots).map { slot in
      imei(rank, UInt64((place - firstPlaces[rank]) * slots + slot))
    }
    let usesBoth =
      slots == 2
      && chance.holds(.secondSIM, number, percent: Self.percentOfSecondSlotsInUse)
    let subscribers = (0..<(usesBoth ? 2 : 1)).map { subscriber(2 * number + $0) }
    return SampleDevice(number: number, imeis: imeis, subscribers: subscribers)
  }

  /// The number of the device that report `index` is about; from ``stolenDeviceCount`` on, of one
  /// that nobody ever reports.
  package func reportedDevice(_ index: Int) -> Int { reportOrder[index] }

  private func type(ofPlace place: Int) -> Int {
    var (low, high) = (0, firstPlaces.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if firstPlaces[middle] <= place { low = middle } else { high = middle }
    }
    return low
  }

  private func imei(_ rank: Int, _ index: UInt64) -> IMEI {
    let step = Self.coprime(chance.draw(.serials, rank), to: Self.serialsPerType)
    let serial = (index * step + chance.draw(.serials, ~rank) % Self.serialsPerType)
    let number = UInt64(types[rank].number) * Self.serialsPerType + serial % Self.serialsPerType
    guard let imei = IMEI(number: number) else {
      preconditionFailure("eight digits and six digits are an IMEI")
    }
    return imei
  }

  /// An IMEI that no device of the country has, of one of the rarest types first.
  func moreIMEI(_ number: Int) -> IMEI {
    imei(
      types.count - 1 - number % types.count,
      Self.serialsPerType - 1 - UInt64(number / types.count))
  }

  /// Whether the most popular type has so many serials left as ``moreIMEI(_:)`` takes of each type.
  func hasRoom(forMoreDevices count: Int) -> Bool {
    let ofFirst = firstPlaces.count > 1 ? firstPlaces[1] : deviceCount
    return 2 * ofFirst + count / types.count < Int(Self.serialsPerType)
  }

  /// By chance of either operator, unless one is given. Those below twice ``deviceCount`` are in
  /// the devices of the country.
  func subscriber(_ number: Int, operatorIndex: Int? = nil) -> SampleSubscriber {
    let isOfAlfa = chance.holds(.operators, number, percent: Self.percentOfAlfa)
    let (high, low) = UInt64(number).multipliedFullWidth(by: subscriberStep)
    let place = Self.subscribersPerCountry.dividingFullWidth((high, low)).remainder
    return SampleSubscriber(
      operatorIndex: operatorIndex ?? (isOfAlfa ? 0 : 1),
      number: (place + subscriberOffset) % Self.subscribersPerCountry)
  }
}
