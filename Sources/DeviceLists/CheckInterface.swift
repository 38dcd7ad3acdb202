/// How a network element asks.
package enum CheckInterface: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  /// N5g-eir_EquipmentIdentityCheck over HTTP. TS 29.511.
  case n17
  /// S13 and S13' over Diameter. TS 29.272.
  case s13
  /// Osmocom's GSUP.
  case gsup

  package var description: String {
    switch self {
    case .n17: "n17"
    case .s13: "s13"
    case .gsup: "gsup"
    }
  }
}
