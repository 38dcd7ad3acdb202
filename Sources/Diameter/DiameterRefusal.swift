/// Why a message is refused, and with what it is told. RFC 6733, 7.
package struct DiameterRefusal: Error, Hashable, Sendable {
  /// What Failed-AVP holds. RFC 6733, 7.5.
  package enum FailedAVP: Hashable, Sendable {
    /// The AVP at this place of the request, as it came.
    case copy(Range<Int>)
    /// Its header alone, where its length was wrong: with the length of a header.
    case header(AVPKey, flags: UInt8)
    /// An example of what is missing, its value zero: the codes from the outside in, and how many
    /// bytes the innermost has.
    case missing([AVPKey], bytes: Int)
  }

  package let code: ResultCode
  package let failed: FailedAVP?

  package init(_ code: ResultCode, _ failed: FailedAVP? = nil) {
    self.code = code
    self.failed = failed
  }

  /// 5005 for an AVP that is required.
  package static func missing(_ code: AVPKey, bytes: Int = 0) -> DiameterRefusal {
    DiameterRefusal(.missingAVP, .missing([code], bytes: bytes))
  }
}
