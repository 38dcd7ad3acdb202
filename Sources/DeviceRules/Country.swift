package import DeviceIdentity

/// The settings and networks of a country in the form in which rules look things up. Made once for
/// a run.
package final class Country: Sendable {
  package let settings: RuleSettings
  private let homeNetworks: PrefixTable
  private let homeCountry: PrefixTable
  /// Days by the first two digits of a TAC.
  private let delays: [Int]
  private let testTypes: [ClosedRange<UInt64>]
  private let placeholders: [ClosedRange<UInt64>]

  /// `networks`: the PLMNs of the operators of this country.
  package init(settings: RuleSettings, networks: [PLMN]) {
    self.settings = settings
    homeNetworks = PrefixTable(networks.map(\.prefix))
    homeCountry = PrefixTable(settings.mobileCountryCodes)
    var delays = [Int](repeating: 0, count: 100)
    for (body, days) in settings.reportingBodyDelays { delays[Int(body)] = days }
    self.delays = delays
    testTypes = settings.testTypes.map(\.range)
    placeholders = settings.placeholders.map(\.range)
  }

  /// Whose subscriber an IMSI is. TS 23.003, 2.2.
  func subscriber(_ imsi: UInt64) -> SubscriberKind {
    if homeNetworks.contains(imsi) { return .home }
    return homeCountry.contains(imsi) ? .otherLocal : .roamer
  }

  /// How many days a type may be seen before it must be in the list of allocations.
  func delay(of type: TAC) -> Int { delays[Int(type.reportingBody)] }

  func isTest(_ imei: IMEI) -> Bool { testTypes.contains { $0.contains(imei.number) } }

  func isPlaceholder(_ imei: IMEI) -> Bool { placeholders.contains { $0.contains(imei.number) } }
}

/// Whose subscriber uses a device.
package enum SubscriberKind: String, Hashable, Sendable, CaseIterable {
  /// Of an operator of this registry.
  case home
  /// Of this country, but of no operator of this registry.
  case otherLocal
  /// Of another country.
  case roamer
}

/// Which IMSIs begin with one of a set of prefixes.
struct PrefixTable: Hashable, Sendable {
  /// ``IMSI/packed``, ascending and disjoint.
  private let starts: [UInt64]
  private let ends: [UInt64]

  init(_ prefixes: [IMSIPrefix]) {
    let ranges = prefixes.flatMap(\.packedRanges).sorted { $0.lowerBound < $1.lowerBound }
    var (starts, ends): ([UInt64], [UInt64]) = ([], [])
    for range in ranges {
      // Prefixes are nested or disjoint.
      if let end = ends.last, range.lowerBound <= end { continue }
      starts.append(range.lowerBound)
      ends.append(range.upperBound)
    }
    (self.starts, self.ends) = (starts, ends)
  }

  func contains(_ imsi: UInt64) -> Bool {
    var (low, high) = (0, starts.count)
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= imsi { low = middle + 1 } else { high = middle }
    }
    return low > 0 && imsi <= ends[low - 1]
  }
}

/// The leading digits of IMEIs: a device, a type, or what types have in common.
package struct IMEIPrefix: Hashable, Comparable, Sendable, CustomStringConvertible {
  package static let lengths = 2...14

  package let description: String
  let range: ClosedRange<UInt64>

  /// Fifteen digits name a device with its check digit, which is left out. Nil for anything else.
  package init?(_ text: String) {
    let digits = text.utf8.count == 15 ? text.dropLast() : text[...]
    guard Self.lengths.contains(digits.utf8.count), text.utf8.allSatisfy({ 48...57 ~= $0 }),
      let value = UInt64(digits)
    else { return nil }
    description = String(digits)
    let width = (digits.utf8.count..<14).reduce(UInt64(1)) { width, _ in width * 10 }
    range = value * width...value * width + (width - 1)
  }

  package static func < (left: IMEIPrefix, right: IMEIPrefix) -> Bool {
    left.description < right.description
  }
}
