/// The first digits of a packed number, which is length × 10^15 + digits.
package struct LeadingDigits: Hashable, Sendable, CustomStringConvertible {
  private static let lengthUnit: UInt64 = 1_000_000_000_000_000
  private static let powersOfTen: [UInt64] = (0...15).map { exponent in
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  package let description: String
  private let value: UInt64
  private let length: Int

  /// Nil for anything but 1 to 15 digits.
  package init?(_ text: some StringProtocol) {
    guard (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
      let value = UInt64(text)
    else { return nil }
    description = String(text)
    self.value = value
    length = text.utf8.count
  }

  @inline(__always) func begin(_ packed: UInt64) -> Bool {
    let digits = Int(packed / Self.lengthUnit)
    guard digits >= length else { return false }
    return packed % Self.lengthUnit / Self.powersOfTen[digits - length] == value
  }
}

/// What the lines of an operator's file are held against: whose numbers they should be.
package struct OperatorNetworks: Sendable {
  /// MCCs of this country. Empty: it cannot be told what is from abroad.
  package var countries: [LeadingDigits]
  /// Country codes of its telephone numbers, ITU-T E.164.
  package var countryCodes: [LeadingDigits]
  /// Networks, each with the place of its operator among all; 0 is the one that gave the file.
  package var networks: [(prefix: LeadingDigits, place: Int)]
  /// Types that are allocated, to tell whether leading zeros were lost.
  package var types: Set<UInt32>

  package init(
    countries: [LeadingDigits] = [], countryCodes: [LeadingDigits] = [],
    networks: [(prefix: LeadingDigits, place: Int)] = [],
    types: Set<UInt32> = []
  ) {
    self.countries = countries
    self.countryCodes = countryCodes
    self.networks = networks
    self.types = types
  }

  struct Home {
    /// Nil: no number, or nothing to hold it against.
    var isIMSIFromHere: Bool?
    var isMSISDNFromHere: Bool?
    /// The operator whose network the IMSI is of; −1: of none here, nil: no IMSI.
    var place: Int?
  }

  func home(imsi: UInt64, msisdn: UInt64) -> Home {
    var home = Home()
    if imsi != 0 {
      if !countries.isEmpty { home.isIMSIFromHere = countries.contains { $0.begin(imsi) } }
      home.place = networks.first { $0.prefix.begin(imsi) }?.place ?? -1
    }
    if msisdn != 0, !countryCodes.isEmpty {
      home.isMSISDNFromHere = countryCodes.contains { $0.begin(msisdn) }
    }
    return home
  }
}
