import DeviceIdentity
import DeviceLists

/// The query of a request, read once from left to right. Names that the API does not know are
/// passed over, so that a later release of it can add some.
struct N17Parameters: ~Copyable {
  private var identity: CheckedIdentity?
  private var imsi: IMSI?
  private var msisdn: MSISDN?
  /// One bit for each parameter that has come: a set would allocate.
  private var seen: UInt8 = 0
  private var fault: N17Refusal?

  init(_ query: Span<UInt8>) {
    var start = 0
    while start < query.count {
      let end = query.firstIndex(of: UInt8(ascii: "&"), from: start) ?? query.count
      read(query.extracting(start..<end))
      start = end + 1
    }
  }

  /// A fault of `pei` is told before any other.
  consuming func query() throws(N17Refusal) -> CheckQuery {
    if let fault, fault.parameter == .pei { throw fault }
    guard let identity else { throw .parameter(.pei, .missing) }
    if let fault { throw fault }
    return CheckQuery(identity: identity, imsi: imsi, msisdn: msisdn)
  }

  private mutating func read(_ pair: Span<UInt8>) {
    let equals = pair.firstIndex(of: UInt8(ascii: "="), from: 0) ?? pair.count
    let name = pair.extracting(0..<equals)
    let value = pair.extracting(min(equals + 1, pair.count)..<pair.count)
    guard let parameter = Self.parameter(named: name) else { return }
    do {
      try take(value, as: parameter)
    } catch {
      if fault == nil || (error.parameter == .pei && fault?.parameter != .pei) { fault = error }
    }
  }

  /// Escapes are resolved once: what they make is not looked through again. RFC 3986, 2.4.
  private static func parameter(named name: Span<UInt8>) -> N17Parameter? {
    guard name.firstIndex(of: UInt8(ascii: "%"), from: 0) != nil else {
      return parameter(spelled: name)
    }
    guard let decoded = PercentEncoding.decoded(name) else { return nil }
    return parameter(spelled: decoded.span)
  }

  private static func parameter(spelled name: Span<UInt8>) -> N17Parameter? {
    if name.equals("pei") { return .pei }
    if name.equals("supi") { return .supi }
    if name.equals("gpsi") { return .gpsi }
    return name.equals("supported-features") ? .supportedFeatures : nil
  }

  private static func bit(of parameter: N17Parameter) -> UInt8 {
    switch parameter {
    case .pei: 1
    case .supi: 2
    case .gpsi: 4
    case .supportedFeatures: 8
    }
  }

  private mutating func take(
    _ value: Span<UInt8>, as parameter: N17Parameter
  ) throws(N17Refusal) {
    guard value.firstIndex(of: UInt8(ascii: "%"), from: 0) != nil else {
      try takeDecoded(value, as: parameter)
      return
    }
    guard let decoded = PercentEncoding.decoded(value) else {
      throw .parameter(parameter, .badEscape)
    }
    try takeDecoded(decoded.span, as: parameter)
  }

  private mutating func takeDecoded(
    _ value: Span<UInt8>, as parameter: N17Parameter
  ) throws(N17Refusal) {
    let bit = Self.bit(of: parameter)
    guard seen & bit == 0 else { throw .parameter(parameter, .repeated) }
    seen |= bit
    if value.isEmpty, parameter != .supportedFeatures { throw .parameter(parameter, .empty) }
    switch parameter {
    case .pei: identity = try Self.identity(in: value)
    case .supi: imsi = Self.imsi(in: value)
    case .gpsi: msisdn = Self.msisdn(in: value)
    case .supportedFeatures:
      for index in 0..<value.count where !Self.isHexadecimal(value[index]) {
        throw .parameter(parameter, .notHexadecimal)
      }
    }
  }

  /// The pattern of `Pei` ends in "or anything": only the two forms that name an IMEI can be wrong.
  /// TS 29.571, 5.3.2.
  private static func identity(in pei: Span<UInt8>) throws(N17Refusal) -> CheckedIdentity {
    if pei.starts(with: "imei-") {
      guard let number = digits(pei.extracting(5..<pei.count), count: 15) else {
        throw .parameter(.pei, .notFifteenDigits)
      }
      // Digit 15 is a check digit, a spare digit or 0, as the phone likes: it is never looked at.
      return device(number / 10, softwareVersion: nil)
    }
    if pei.starts(with: "imeisv-") {
      guard let number = digits(pei.extracting(7..<pei.count), count: 16) else {
        throw .parameter(.pei, .notSixteenDigits)
      }
      return device(number / 100, softwareVersion: UInt8(number % 100))
    }
    return .none
  }

  private static func device(_ number: UInt64, softwareVersion: UInt8?) -> CheckedIdentity {
    .device(IMEISV(imei: IMEI(unchecked: number), softwareVersion: softwareVersion))
  }

  /// Any text is a legal SUPI: one that has no well-formed IMSI names no subscriber to us.
  private static func imsi(in supi: Span<UInt8>) -> IMSI? {
    guard supi.starts(with: "imsi-") else { return nil }
    return supi.extracting(5..<supi.count).bytes.withUnsafeBytes { IMSI(signalled: $0) }
  }

  /// Likewise of a GPSI: `extid-` names nobody to us. TS 29.571, 5.3.2.
  private static func msisdn(in gpsi: Span<UInt8>) -> MSISDN? {
    guard gpsi.starts(with: "msisdn-") else { return nil }
    return gpsi.extracting(7..<gpsi.count).bytes.withUnsafeBytes { MSISDN(signalled: $0) }
  }

  private static func digits(_ bytes: Span<UInt8>, count: Int) -> UInt64? {
    guard bytes.count == count else { return nil }
    var number: UInt64 = 0
    for index in 0..<count {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      number = number * 10 + UInt64(digit)
    }
    return number
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
    default: false
    }
  }
}
