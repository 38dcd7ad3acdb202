package import DeviceIdentity
package import DeviceLists

/// What a network has reported as an IMEI: one, or something that is kept as it came.
package enum ReportedIdentity: Hashable, Sendable {
  case device(IMEISV)
  case unusable(UnusableIdentity)

  package init(_ text: some StringProtocol) {
    do throws(IdentityError) {
      self = .device(try IMEISV(signalled: text.utf8))
    } catch {
      self = .unusable(UnusableIdentity(text))
    }
  }

  /// What ``DecisionEngine`` is asked.
  package var checked: CheckedIdentity {
    switch self {
    case .device(let device): .device(device)
    case .unusable(let identity): .unusable(identity)
    }
  }

  /// As it is written in a message: 14 digits, 16 with a software version, or the text as it came.
  package var text: String {
    switch self {
    case .device(let device):
      device.softwareVersion.map { "\(device.imei)\($0 < 10 ? "0" : "")\($0)" }
        ?? device.imei.description
    case .unusable(let identity): identity.text
    }
  }
}

extension JSONValue {
  /// Longer texts than any network sends are cut.
  func askedIdentity(_ name: String) throws(ExchangeError) -> ReportedIdentity {
    try member(name) { text in
      (1...ExchangeLimits.longestIdentityText).contains(text.unicodeScalars.count)
        ? ReportedIdentity(text) : nil
    }
  }

  /// As a node keeps it: one that is longer was never cut, and is refused.
  func keptIdentity(_ name: String) throws(ExchangeError) -> ReportedIdentity {
    try member(name) { text in
      (1...UnusableIdentity.longestText).contains(text.unicodeScalars.count)
        ? ReportedIdentity(text) : nil
    }
  }

  /// An IMEI that somebody wants listed: 14 digits, or 15 with the right check digit.
  func listedIMEI(_ name: String) throws(ExchangeError) -> IMEI {
    try member(name) { IMEI(requested: $0) }
  }

  func imsi(_ name: String) throws(ExchangeError) -> IMSI? {
    try optional(name) { text in try? IMSI(text) }
  }

  func msisdn(_ name: String) throws(ExchangeError) -> MSISDN? {
    try optional(name) { text in try? MSISDN(text) }
  }

  /// A text of some characters, none of them a control character.
  func remark(
    _ name: String, _ counts: ClosedRange<Int>
  ) throws(ExchangeError) -> String? {
    try optional(name) { text in
      let scalars = text.unicodeScalars
      let isPlain = scalars.allSatisfy { $0.properties.generalCategory != .control }
      return counts.contains(scalars.count) && isPlain ? text : nil
    }
  }
}

extension IMEI {
  /// As an operator names a device that is to be listed: 14 digits, or 15 of which the last must
  /// be the check digit, so that a mistyped number blocks nobody. TS 23.003, annex B.
  package init?(requested text: some StringProtocol) {
    let digits = Array(text.utf8)
    guard 14...15 ~= digits.count, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
    let number = digits.prefix(14).reduce(0) { $0 * 10 + UInt64($1 & 15) }
    self.init(number: number)
    if digits.count == 15, digits[14] & 15 != checkDigit { return nil }
  }
}
