import DeviceIdentity
import DeviceLists

/// Binary coded decimal as libosmocore writes it: two digits an octet, the first in the low half.
/// TS 24.008, 10.5.4.7.
enum GSUPDigits {
  private static let filler: UInt8 = 0x0F
  private static let characters = Array("0123456789*#abcF".utf8)

  /// One character for each half octet, without the fillers at the end.
  static func text(_ octets: some Collection<UInt8>) -> [UInt8] {
    var halves = octets.flatMap { [$0 & 0x0F, $0 >> 4] }
    while halves.last == filler { halves.removeLast() }
    return halves.map { characters[Int($0)] }
  }
}

/// The IMSI in its element.
enum GSUPSubscriber {
  /// Sixteen digits: libosmocore does not read a longer element.
  static let mostOctets = 8
  /// What osmo-hlr takes.
  static let lengths = 6...15

  static func imsi(_ octets: [UInt8]) -> IMSI? {
    let digits = GSUPDigits.text(octets)
    guard lengths.contains(digits.count) else { return nil }
    return try? IMSI(digits: digits)
  }
}

/// The IMEI in its element, whose value counts its octets once more.
enum GSUPDevice {
  /// Nil where there are no digits, or fewer octets than are counted.
  ///
  /// osmo-hlr takes fourteen digits only; a check digit or a software version does no harm here.
  static func identity(_ value: [UInt8]) -> CheckedIdentity? {
    guard let count = value.first, count > 0, value.count > Int(count) else { return nil }
    let octets = value[1...Int(count)]
    let text = GSUPDigits.text(octets)
    guard !text.isEmpty else { return nil }
    if let device = try? IMEISV(tbcd: octets) { return .device(device) }
    return .unusable(UnusableIdentity(String(decoding: text, as: UTF8.self)))
  }
}
