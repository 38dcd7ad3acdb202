/// The leading digits of IMSIs: an MCC, a PLMN, or a narrower range of subscribers.
///
/// One of fifteen digits names a subscriber, so the description shows no more than a network.
package struct IMSIPrefix: Hashable, Sendable, CustomStringConvertible {
  /// The digits of the longest PLMN.
  static let shownDigits = 6

  package let length: Int
  let value: UInt64

  package init(_ text: some StringProtocol) throws(IdentityError) {
    let (value, count) = try Digits.exact(text.utf8, expected: 1...15)
    self.init(value: value, length: count)
  }

  init(value: UInt64, length: Int) {
    self.value = value
    self.length = length
  }

  package func contains(_ imsi: IMSI) -> Bool {
    imsi.length >= length && imsi.value / PackedDigits.powersOfTen[imsi.length - length] == value
  }

  /// The IMSIs that begin so, as ``IMSI/packed``: a range for each length that an IMSI can have.
  package var packedRanges: [ClosedRange<UInt64>] {
    (max(length, IMSI.lengths.lowerBound)...IMSI.lengths.upperBound).map { imsiLength in
      let count = PackedDigits.powersOfTen[imsiLength - length]
      let first = UInt64(imsiLength) * PackedDigits.lengthUnit + value * count
      return first...first + (count - 1)
    }
  }

  /// The digits, for the settings that they came from only.
  package var digits: String { Digits.padded(value, width: length) }

  /// The network's digits, then an `x` for each that would narrow it down to subscribers.
  package var description: String {
    digits.prefix(Self.shownDigits)
      + String(repeating: "x", count: max(0, length - Self.shownDigits))
  }
}

extension IMSIPrefix: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
