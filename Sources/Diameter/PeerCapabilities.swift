/// What a peer says of itself: Capabilities-Exchange-Request. RFC 6733, 5.3.1.
package struct PeerCapabilities: Hashable, Sendable {
  package let host: DiameterIdentity
  package let realm: DiameterIdentity
  /// Nil where the peer sends none.
  package let originStateID: UInt32?
  package let applications: Set<ApplicationID>
  /// What Inband-Security-Id offers; empty where it is absent, which means none is wanted.
  let inbandSecurity: [UInt32]

  /// Offers no inband security. RFC 6733, 6.10.
  private static let noInbandSecurity: UInt32 = 0
  /// More applications than any peer has.
  private static let mostApplications = 256

  /// What names the node is required; what is only told (addresses, product) may be missing, as it
  /// is at some peers.
  init(in message: RawSpan) throws(DiameterRefusal) {
    var scan = Scan()
    try AVP.each(in: message, from: DiameterHeader.bytes, upTo: message.byteCount) {
      (avp) throws(DiameterRefusal) in try scan.take(avp, message)
    }
    guard let host = scan.host else { throw .missing(.originHost) }
    guard let realm = scan.realm else { throw .missing(.originRealm) }
    self.host = host
    self.realm = realm
    originStateID = scan.originStateID
    applications = scan.applications
    inbandSecurity = scan.inbandSecurity
  }

  /// Why this peer cannot be served; nil where it can.
  var refusal: DiameterRefusal? {
    if !inbandSecurity.isEmpty, !inbandSecurity.contains(Self.noInbandSecurity) {
      return DiameterRefusal(.noCommonSecurity)
    }
    if applications.isDisjoint(with: [.s13, .relay]) {
      return DiameterRefusal(.noCommonApplication)
    }
    return nil
  }

  private struct Scan {
    var host: DiameterIdentity?
    var realm: DiameterIdentity?
    var originStateID: UInt32?
    var applications: Set<ApplicationID> = []
    var inbandSecurity: [UInt32] = []

    mutating func take(_ avp: AVP, _ message: RawSpan) throws(DiameterRefusal) {
      switch avp.code {
      case .originHost: try Self.once(&host, avp, avp.identity(in: message))
      case .originRealm: try Self.once(&realm, avp, avp.identity(in: message))
      case .originStateID: try Self.once(&originStateID, avp, avp.number(in: message))
      case .authApplicationID: try takeApplication(avp, message)
      case .acctApplicationID:
        // Only relays have one that is of use here: S13 is no accounting. RFC 6733, 2.4.
        if try avp.number(in: message) == ApplicationID.relay.rawValue {
          try takeApplication(avp, message)
        }
      case .vendorSpecificApplicationID: try takeVendors(avp, message)
      case .inbandSecurityID:
        let number = try avp.number(in: message)
        if inbandSecurity.count < PeerCapabilities.mostApplications {
          inbandSecurity.append(number)
        }
      default: try avp.refuseIfUnknown()
      }
    }

    /// An application of 3GPP; those of other vendors are none of ours. RFC 6733, 6.11.
    private mutating func takeVendors(_ group: AVP, _ message: RawSpan) throws(DiameterRefusal) {
      var vendors: [UInt32] = []
      var applications: [AVP] = []
      try group.members(in: message) { (member) throws(DiameterRefusal) in
        guard vendors.count + applications.count < PeerCapabilities.mostApplications else { return }
        switch member.code {
        case .vendorID: vendors.append(try member.number(in: message))
        case .authApplicationID: applications.append(member)
        default: break
        }
      }
      guard vendors.contains(AVPKey.vendor3GPP) else { return }
      for application in applications { try takeApplication(application, message) }
    }

    private mutating func takeApplication(
      _ avp: AVP, _ message: RawSpan
    ) throws(DiameterRefusal) {
      let application = ApplicationID(rawValue: try avp.number(in: message))
      if applications.count < PeerCapabilities.mostApplications {
        applications.insert(application)
      }
    }

    private static func once<Value>(
      _ place: inout Value?, _ avp: AVP, _ value: Value
    ) throws(DiameterRefusal) {
      guard place == nil else {
        throw DiameterRefusal(.avpOccursTooManyTimes, .copy(avp.whole))
      }
      place = value
    }
  }
}

extension AVP {
  /// An AVP of no use here that must be understood is refused with 5001. RFC 6733, 4.1.
  package func refuseIfUnknown() throws(DiameterRefusal) {
    guard flags.contains(.mandatory), !code.isKnown else { return }
    throw DiameterRefusal(.avpUnsupported, .copy(whole))
  }
}

extension AVPKey {
  /// The AVPs of the base protocol that stand between 257 and 299. RFC 6733, 4.5.
  private static let baseCodes: ClosedRange<UInt32> = 257...299
  /// Others of the base protocol and its extensions: User-Name, Class, Session-Timeout,
  /// Proxy-State, Event-Timestamp; DRMP (RFC 7944), overload (RFC 7683) and load (RFC 8583).
  private static let otherCodes: Set<UInt32> = [1, 25, 27, 33, 55, 301, 621, 623, 650]
  /// Of 3GPP, as far as they are seen beside a check of equipment: Supported-Features with its
  /// parts, MSISDN, RAT-Type, the AVPs of S13 and Visited-PLMN-Id. TS 29.272, 7.3; TS 29.229.
  private static let codes3GPP: Set<UInt32> = [
    628, 629, 630, 701, 1032, 1401, 1402, 1403, 1407, 1445, 1471,
  ]

  /// Whether its meaning is known, so that passing over it is no mistake.
  package var isKnown: Bool {
    switch vendor {
    case 0: Self.baseCodes.contains(code) || Self.otherCodes.contains(code)
    case Self.vendor3GPP: Self.codes3GPP.contains(code)
    default: false
    }
  }
}
