import DeviceIdentity

/// What the lines of an operator's file have in common, counted while they are read.
package struct DumpCounts: Sendable {
  package internal(set) var rows = 0
  package internal(set) var hasTechnology = false
  package internal(set) var missingIMEIs = 0
  package internal(set) var missingIMSIs = 0
  package internal(set) var missingMSISDNs = 0
  package internal(set) var missingTechnologies = 0
  package internal(set) var missingAny = 0
  /// What came is no IMEI.
  package internal(set) var uncleanIMEIs = 0
  /// Not 14 or 15 digits, refused ones included.
  package internal(set) var uncleanIMSIs = 0
  package internal(set) var uncleanEither = 0
  package internal(set) var foreignIMSIs = 0
  package internal(set) var foreignMSISDNs = 0
  package internal(set) var foreignEither = 0
  package internal(set) var isCountryKnown = false
  package internal(set) var isCountryCodeKnown = false
  /// IMSIs, and how many of them are of each operator's networks.
  package internal(set) var imsis = 0
  package internal(set) var imsisByOperator: [Int] = []
  package internal(set) var otherDays = 0
  package internal(set) var startingWithZero = 0
  package internal(set) var startingWithOne = 0
  /// Of those that start with 1: a zero before them makes the type one that is allocated, and
  /// without it the type is none.
  package internal(set) var lackingZero = 0

  package init() {}

  /// Those of 14 or 15 digits.
  private static let commonIMSIs: Range<UInt64> =
    14_000_000_000_000_000..<16_000_000_000_000_000

  mutating func note(
    identity: SeenLine.Identity, imsi: UInt64, msisdn: UInt64, isTechnologyMissing: Bool
  ) {
    var isIMEIMissing = false
    var isIMEIUnclean = false
    if case .unusable(let text) = identity {
      isIMEIMissing = text == "-"
      isIMEIUnclean = !isIMEIMissing
    }
    let isIMSIUnclean = imsi != 0 && !Self.commonIMSIs.contains(imsi)
    missingIMEIs += isIMEIMissing ? 1 : 0
    uncleanIMEIs += isIMEIUnclean ? 1 : 0
    missingIMSIs += imsi == 0 ? 1 : 0
    uncleanIMSIs += isIMSIUnclean ? 1 : 0
    uncleanEither += isIMEIUnclean || isIMSIUnclean ? 1 : 0
    missingMSISDNs += msisdn == 0 ? 1 : 0
    missingTechnologies += isTechnologyMissing ? 1 : 0
    missingAny += isIMEIMissing || imsi == 0 || msisdn == 0 || isTechnologyMissing ? 1 : 0
  }

  /// A zero that was lost makes 14 digits of the 15 of an IMEI.
  mutating func note(_ imei: IMEI, digits: Int, types: Set<UInt32>) {
    guard !imei.isPlaceholder else { return }
    let leading = imei.number / 10_000_000_000_000
    if leading == 0 { startingWithZero += 1 }
    guard leading == 1 else { return }
    startingWithOne += 1
    let withZero = UInt32(imei.number / 10_000_000)
    if types.contains(withZero), !types.contains(imei.tac.number) { lackingZero += 1 }
  }

  mutating func note(_ home: OperatorNetworks.Home) {
    isCountryKnown = isCountryKnown || home.isIMSIFromHere != nil
    isCountryCodeKnown = isCountryCodeKnown || home.isMSISDNFromHere != nil
    let isIMSIForeign = home.isIMSIFromHere == false
    let isMSISDNForeign = home.isMSISDNFromHere == false
    foreignIMSIs += isIMSIForeign ? 1 : 0
    foreignMSISDNs += isMSISDNForeign ? 1 : 0
    foreignEither += isIMSIForeign || isMSISDNForeign ? 1 : 0
    guard let place = home.place else { return }
    imsis += 1
    guard place >= 0 else { return }
    while imsisByOperator.count <= place { imsisByOperator.append(0) }
    imsisByOperator[place] += 1
  }
}
