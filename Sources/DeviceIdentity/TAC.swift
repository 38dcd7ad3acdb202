/// Type Allocation Code: the first eight digits of an IMEI. TS 23.003, 6.2.1; GSMA TS.06.
package struct TAC: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// 0 to 99,999,999.
  package let number: UInt32

  package init?(number: UInt32) {
    guard number <= 99_999_999 else { return nil }
    self.number = number
  }

  init(unchecked number: UInt32) { self.number = number }

  /// Eight digits, as in a list of allocations.
  package init(_ text: some StringProtocol) throws(IdentityError) {
    number = UInt32(try Digits.dialled(text, expected: 8...8).value)
  }

  /// The Reporting Body Identifier: the first two digits. GSMA TS.06.
  package var reportingBody: UInt8 { UInt8(number / 1_000_000) }

  /// Test devices: 001001 to 001017 (CTIA), 0044 (TÜV SÜD), 0086 (TAF). GSMA TS.06.
  package var isTest: Bool {
    switch number / 10_000 {
    case 44, 86: true
    default: (1001...1017).contains(number / 100)
    }
  }

  /// The IMEIs of this type: serials 000000 to 999999.
  package var imeis: ClosedRange<IMEI> {
    let first = UInt64(number) * IMEI.serialsPerTAC
    return IMEI(unchecked: first)...IMEI(unchecked: first + IMEI.serialsPerTAC - 1)
  }

  package static func < (left: TAC, right: TAC) -> Bool { left.number < right.number }

  package var description: String { Digits.padded(number, width: 8) }
}
