import DeviceIdentity
package import DeviceLists
package import Diameter

/// ME-Identity-Check-Request, read in one pass and without memory of its own. TS 29.272, 7.2.19.
package struct S13Request: Sendable {
  package let header: DiameterHeader
  package let query: CheckQuery
  /// Where the AVP stands in the message, padding included.
  let sessionID: Range<Int>
  let hasProxyInfo: Bool
}

extension S13 {
  /// - Parameter message: one whole message from its first byte.
  /// - Throws: what the request is answered with instead.
  package func request(
    _ header: DiameterHeader, _ message: RawSpan
  ) throws(DiameterRefusal) -> S13Request {
    var scan = RequestScan()
    var offset = DiameterHeader.bytes
    while offset < message.byteCount {
      let avp = try AVP(in: message, at: offset, upTo: message.byteCount)
      try scan.take(avp, message, local: local)
      offset = avp.end
    }
    try scan.refuseMissing()
    if let host = scan.destinationHost, !local.host.isNamed(by: message.extracting(host)) {
      throw DiameterRefusal(.unableToDeliver)
    }
    let realm = message.extracting(scan.destinationRealm)
    guard realms.contains(where: { $0.isNamed(by: realm) }) else {
      throw DiameterRefusal(.realmNotServed)
    }
    return S13Request(
      header: header,
      query: CheckQuery(
        identity: scan.terminal.identity, imsi: scan.imsi),
      sessionID: scan.sessionID, hasProxyInfo: scan.hasProxyInfo)
  }
}

/// What is found on the way through a request.
private struct RequestScan {
  /// The AVPs of the IETF that mean something here, so that each is found by one comparison.
  private enum BaseCode: UInt32 {
    case userName = 1
    case application = 260
    case sessionID = 263
    case originHost = 264
    case authSessionState = 277
    case routeRecord = 282
    case destinationRealm = 283
    case proxyInfo = 284
    case destinationHost = 293
    case originRealm = 296
    case drmp = 301
  }

  /// AVPs that may come once.
  private struct Seen: OptionSet {
    let rawValue: UInt16
    static let sessionID = Seen(rawValue: 1)
    static let originHost = Seen(rawValue: 2)
    static let originRealm = Seen(rawValue: 4)
    static let destinationRealm = Seen(rawValue: 8)
    static let destinationHost = Seen(rawValue: 16)
    static let authSessionState = Seen(rawValue: 32)
    static let terminalInformation = Seen(rawValue: 64)
    static let userName = Seen(rawValue: 128)
    static let application = Seen(rawValue: 256)
    static let drmp = Seen(rawValue: 512)
  }

  private var seen: Seen = []
  var sessionID = 0..<0
  var destinationHost: Range<Int>?
  var destinationRealm = 0..<0
  var terminal = TerminalInformation()
  var imsi: IMSI?
  var hasProxyInfo = false

  mutating func take(
    _ avp: AVP, _ message: RawSpan, local: LocalNode
  ) throws(DiameterRefusal) {
    if avp.code == .terminalInformation {
      try once(.terminalInformation, avp)
      return try terminal.take(avp, message)
    }
    guard avp.code.vendor == 0, let code = BaseCode(rawValue: avp.code.code) else {
      return try avp.refuseIfUnknown()
    }
    switch code {
    case .sessionID:
      try once(.sessionID, avp)
      sessionID = avp.whole
    case .originHost: try once(.originHost, avp)
    case .originRealm: try once(.originRealm, avp)
    case .destinationRealm:
      try once(.destinationRealm, avp)
      destinationRealm = avp.data
    case .destinationHost:
      try once(.destinationHost, avp)
      destinationHost = avp.data
    case .authSessionState:
      try once(.authSessionState, avp)
      // Either value: no state is kept, and the answer says so. RFC 6733, 8.11.
      guard try avp.number(in: message) <= S13.noStateMaintained else {
        throw DiameterRefusal(.invalidAVPValue, .copy(avp.whole))
      }
    case .userName:
      try once(.userName, avp)
      imsi = message.extracting(avp.data).withUnsafeBytes { IMSI(signalled: $0) }
    case .proxyInfo: hasProxyInfo = true
    case .routeRecord:
      if local.host.isNamed(by: message.extracting(avp.data)) {
        throw DiameterRefusal(.loopDetected)
      }
    case .application: try once(.application, avp)
    case .drmp: try once(.drmp, avp)
    }
  }

  private mutating func once(_ place: Seen, _ avp: AVP) throws(DiameterRefusal) {
    guard !seen.contains(place) else {
      throw DiameterRefusal(.avpOccursTooManyTimes, .copy(avp.whole))
    }
    seen.insert(place)
  }

  func refuseMissing() throws(DiameterRefusal) {
    if !seen.contains(.sessionID) { throw .missing(.sessionID) }
    if !seen.contains(.authSessionState) { throw .missing(.authSessionState) }
    if !seen.contains(.originHost) { throw .missing(.originHost) }
    if !seen.contains(.originRealm) { throw .missing(.originRealm) }
    if !seen.contains(.destinationRealm) { throw .missing(.destinationRealm) }
    if !seen.contains(.terminalInformation) || terminal.isEmpty {
      throw DiameterRefusal(.missingAVP, .missing([.terminalInformation, .imei], bytes: 14))
    }
  }
}

/// The device as the network element names it. TS 29.272, 7.3.3.
private struct TerminalInformation {
  private enum Named {
    case nothing
    case device(IMEISV)
    case unusable(UnusableIdentity)
  }

  private var named = Named.nothing
  private var softwareVersion: UInt8?
  private var hasIMEI = false
  private var hasSoftwareVersion = false
  private var hasMEID = false

  /// Neither an IMEI nor another identity.
  var isEmpty: Bool { !hasIMEI && !hasMEID }

  var identity: CheckedIdentity {
    switch named {
    case .nothing: .none
    case .unusable(let identity): .unusable(identity)
    case .device(let device):
      .device(IMEISV(imei: device.imei, softwareVersion: softwareVersion ?? device.softwareVersion))
    }
  }

  mutating func take(_ group: AVP, _ message: RawSpan) throws(DiameterRefusal) {
    var offset = group.data.lowerBound
    while offset < group.data.upperBound {
      let avp = try AVP(in: message, at: offset, upTo: group.data.upperBound)
      switch avp.code {
      case .imei:
        try Self.once(&hasIMEI, avp)
        takeIMEI(message.extracting(avp.data))
      case .softwareVersion:
        try Self.once(&hasSoftwareVersion, avp)
        softwareVersion = Self.softwareVersion(message.extracting(avp.data))
      case .meid3GPP2: hasMEID = true
      default: try avp.refuseIfUnknown()
      }
      offset = avp.end
    }
  }

  private static func once(_ place: inout Bool, _ avp: AVP) throws(DiameterRefusal) {
    guard !place else { throw DiameterRefusal(.avpOccursTooManyTimes, .copy(avp.whole)) }
    place = true
  }

  private mutating func takeIMEI(_ bytes: RawSpan) {
    do throws(IdentityError) {
      named = .device(
        try bytes.withUnsafeBytes { (bytes) throws(IdentityError) in
          try IMEISV(signalled: bytes)
        })
    } catch {
      let text = bytes.withUnsafeBytes {
        String(decoding: $0.prefix(Self.longestTextBytes), as: UTF8.self)
      }
      named = .unusable(UnusableIdentity(text))
    }
  }

  /// Enough for what is kept of an identity that is none.
  private static let longestTextBytes = UnusableIdentity.longestText * 4

  /// Two digits; some network elements send one, or nothing, which says nothing.
  private static func softwareVersion(_ bytes: RawSpan) -> UInt8? {
    guard bytes.byteCount == 2 else { return nil }
    let (high, low) = (bytes.byte(at: 0) &- 0x30, bytes.byte(at: 1) &- 0x30)
    return high <= 9 && low <= 9 ? high * 10 + low : nil
  }
}
