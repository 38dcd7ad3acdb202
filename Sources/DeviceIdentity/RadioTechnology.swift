/// The radio technologies on which a device was seen. The bits are stable: they are stored in
/// `sighting.technologies`, so a bit is never given another meaning; new ones are added at the end.
package struct RadioTechnology: OptionSet, Hashable, Sendable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  /// GERAN: GSM with GPRS and EDGE. 3GPP TS 43.051.
  package static let gsm = RadioTechnology(rawValue: 1 << 0)
  /// UTRAN: UMTS with WCDMA, TD-SCDMA and HSPA. 3GPP TS 25.401.
  package static let utran = RadioTechnology(rawValue: 1 << 1)
  /// E-UTRAN: LTE. 3GPP TS 36.300.
  package static let eutran = RadioTechnology(rawValue: 1 << 2)
  /// NB-IoT, which is a carrier of E-UTRAN.
  package static let nbIoT = RadioTechnology(rawValue: 1 << 3)
  /// LTE-M: E-UTRAN for devices of category M.
  package static let lteM = RadioTechnology(rawValue: 1 << 4)
  /// NR: 5G. 3GPP TS 38.300.
  package static let nr = RadioTechnology(rawValue: 1 << 5)
  /// cdma2000 1xRTT, 3GPP2 C.S0002.
  package static let cdma2000 = RadioTechnology(rawValue: 1 << 6)
  /// HRPD and eHRPD: EV-DO. 3GPP2 C.S0024.
  package static let evdo = RadioTechnology(rawValue: 1 << 7)
  /// UMB, 3GPP2 C.S0084.
  package static let umb = RadioTechnology(rawValue: 1 << 8)
  /// IEEE 802.16: WiMAX.
  package static let wiMAX = RadioTechnology(rawValue: 1 << 9)
  /// WLAN, GAN, fixed lines and what an operator calls virtual: no cellular radio.
  package static let nonCellular = RadioTechnology(rawValue: 1 << 10)
  /// By way of a satellite; stands beside the technology that it carries.
  package static let satellite = RadioTechnology(rawValue: 1 << 11)

  /// What it says about the radio that the device must have: nothing for ``nonCellular``.
  package var generations: RadioGenerations {
    var generations: RadioGenerations = []
    if !isDisjoint(with: [.gsm, .cdma2000]) { generations.insert(.second) }
    if !isDisjoint(with: [.utran, .evdo]) { generations.insert(.third) }
    if !isDisjoint(with: [.eutran, .nbIoT, .lteM, .umb, .wiMAX]) { generations.insert(.fourth) }
    if contains(.nr) { generations.insert(.fifth) }
    return generations
  }
}

/// Generations of cellular radio: 2G to 5G.
package struct RadioGenerations: OptionSet, Hashable, Sendable, CustomStringConvertible {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let second = RadioGenerations(rawValue: 1 << 0)
  package static let third = RadioGenerations(rawValue: 1 << 1)
  package static let fourth = RadioGenerations(rawValue: 1 << 2)
  package static let fifth = RadioGenerations(rawValue: 1 << 3)

  private static let named: [(word: String, generation: RadioGenerations)] = [
    ("2G", .second), ("3G", .third), ("4G", .fourth), ("5G", .fifth),
  ]

  /// `2G` to `5G`, as a person writes one.
  package init?(word: some StringProtocol) {
    let upper = word.uppercased()
    guard let known = Self.named.first(where: { $0.word == upper }) else { return nil }
    self = known.generation
  }

  /// Those that are newer than every one of `others`.
  package func newer(than others: RadioGenerations) -> RadioGenerations {
    // The bits rise with the age: above the highest of the others nothing is set in its mask.
    let width = UInt8.bitWidth - others.rawValue.leadingZeroBitCount
    return RadioGenerations(rawValue: rawValue & ~UInt8((1 << width) - 1))
  }

  /// `2G` to `5G`, the oldest first.
  package var words: [String] {
    Self.named.filter { contains($0.generation) }.map(\.word)
  }

  /// `2G, 4G`.
  package var description: String { words.joined(separator: ", ") }
}
