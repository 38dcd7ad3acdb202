/// Why a message is refused, and with what it is told. RFC 6733, 7.
package struct DiameterRefusal: Error, Hashable, Sendable {
  /// What Failed-AVP holds. RFC 6733, 7.5.
  package enum FailedAVP: Hashable, Sendable {
    /// The AVP at this place of the request, as it came.
    case copy(Range<Int>)
    /// Its header with the least data that it can have, zero, where its length was wrong. RFC 6733,
    /// 7.1.5.
    case header(AVPKey, flags: UInt8)
    /// The header that is cut at the end of this place, filled up with zeros. RFC 6733, 7.1.5.
    case cutHeader(Range<Int>)
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
  package static func missing(_ code: AVPKey) -> DiameterRefusal {
    DiameterRefusal(.missingAVP, .missing([code], bytes: code.leastBytes))
  }
}

extension AVPKey {
  /// The least data that an AVP can have: a number's four bytes, a character of a name, and nothing
  /// in what is not known here.
  var leastBytes: Int {
    switch self {
    case .authApplicationID, .acctApplicationID, .supportedVendorID, .vendorID, .firmwareRevision,
      .resultCode, .disconnectCause, .authSessionState, .originStateID, .experimentalResultCode,
      .inbandSecurityID, .drmp:
      4
    case .userName, .sessionID, .originHost, .originRealm, .destinationHost, .destinationRealm,
      .routeRecord, .productName, .errorMessage:
      1
    default: 0
    }
  }
}
