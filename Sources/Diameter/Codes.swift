/// RFC 6733, 3.1; TS 29.272, 7.1.
package struct CommandCode: RawRepresentable, Hashable, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let capabilitiesExchange = CommandCode(rawValue: 257)
  package static let deviceWatchdog = CommandCode(rawValue: 280)
  package static let disconnectPeer = CommandCode(rawValue: 282)
  /// ME-Identity-Check. TS 29.272, 7.2.19.
  package static let meIdentityCheck = CommandCode(rawValue: 324)
}

package struct ApplicationID: RawRepresentable, Hashable, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let base = ApplicationID(rawValue: 0)
  /// S13 and S13'. TS 29.272, 7.1.8.
  package static let s13 = ApplicationID(rawValue: 16_777_252)
  /// A relay has every application. RFC 6733, 2.4.
  package static let relay = ApplicationID(rawValue: 0xFFFF_FFFF)
}

/// The codes that a Result-Code can have here. RFC 6733, 7.1.
package enum ResultCode: UInt32, Hashable, Sendable, CaseIterable {
  case success = 2001
  case commandUnsupported = 3001
  case unableToDeliver = 3002
  case realmNotServed = 3003
  case tooBusy = 3004
  case loopDetected = 3005
  case applicationUnsupported = 3007
  case invalidHeaderBits = 3008
  case invalidAVPBits = 3009
  case unknownPeer = 3010
  case avpUnsupported = 5001
  case invalidAVPValue = 5004
  case missingAVP = 5005
  case avpOccursTooManyTimes = 5009
  case noCommonApplication = 5010
  case unsupportedVersion = 5011
  case unableToComply = 5012
  case invalidAVPLength = 5014
  case invalidMessageLength = 5015
  case noCommonSecurity = 5017

  /// Told with the E bit, and in the grammar of errors instead of the command's. RFC 6733, 7.1.3
  /// and 7.2.
  package var isProtocolError: Bool { 3000..<4000 ~= rawValue }
}

/// An AVP by its vendor and code; vendor 0 is the IETF.
package struct AVPKey: Hashable, Sendable {
  package var vendor: UInt32
  package var code: UInt32

  package init(_ code: UInt32, vendor: UInt32 = 0) {
    self.vendor = vendor
    self.code = code
  }

  /// 3GPP.
  package static let vendor3GPP: UInt32 = 10_415

  package static let userName = AVPKey(1)
  package static let proxyState = AVPKey(33)
  package static let hostIPAddress = AVPKey(257)
  package static let authApplicationID = AVPKey(258)
  package static let acctApplicationID = AVPKey(259)
  package static let vendorSpecificApplicationID = AVPKey(260)
  package static let sessionID = AVPKey(263)
  package static let originHost = AVPKey(264)
  package static let supportedVendorID = AVPKey(265)
  package static let vendorID = AVPKey(266)
  package static let firmwareRevision = AVPKey(267)
  package static let resultCode = AVPKey(268)
  package static let productName = AVPKey(269)
  package static let disconnectCause = AVPKey(273)
  package static let authSessionState = AVPKey(277)
  package static let originStateID = AVPKey(278)
  package static let failedAVP = AVPKey(279)
  package static let errorMessage = AVPKey(281)
  package static let routeRecord = AVPKey(282)
  package static let destinationRealm = AVPKey(283)
  package static let proxyInfo = AVPKey(284)
  package static let destinationHost = AVPKey(293)
  package static let originRealm = AVPKey(296)
  package static let experimentalResult = AVPKey(297)
  package static let experimentalResultCode = AVPKey(298)
  package static let inbandSecurityID = AVPKey(299)
  package static let drmp = AVPKey(301)
}
