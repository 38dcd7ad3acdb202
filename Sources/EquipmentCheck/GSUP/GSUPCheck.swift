import DeviceIdentity
package import DeviceLists

/// What a Check-IMEI is answered. libosmocore, `gsm/gsup.h`.
package enum GSUPAnswer: Hashable, Sendable {
  /// RESULT with ACK: the device may be used.
  case accepted
  /// RESULT with NACK: OsmoMSC rejects the subscriber's location update.
  case refused
  /// ERROR. OsmoMSC does what it does after NACK.
  case error(GSUPCause)

  /// - Parameter unknown: what a device gets whose answer is unknown.
  package init(_ answer: CheckAnswer, unknown: GSUPUnknown) {
    switch answer {
    case .white, .grey: self = .accepted
    case .black: self = .refused
    case .unknown: self = unknown == .allow ? .accepted : .refused
    }
  }
}

/// GSUP knows only ACK and NACK, so the operator says which of them is unknown.
package enum GSUPUnknown: String, Hashable, Sendable {
  case allow, refuse
}

/// GMM causes, as osmo-hlr gives them. TS 24.008, 10.5.5.14.
package enum GSUPCause: UInt8, Hashable, Sendable {
  case invalidMandatoryInformation = 0x60
  case protocolErrorUnspecified = 0x6F
}

/// A Check-IMEI request: what it asks, and what of it the answer must carry.
package struct GSUPCheck: Sendable {
  package enum Question: Hashable, Sendable {
    case query(CheckQuery)
    /// Is to be answered by an error.
    case illFormed(GSUPCause)
  }

  /// A longer message is no Check-IMEI that osmo-msc or osmo-hlr could have made.
  package static let longestMessage = 2_048
  package static let mostElements = 64

  /// `OSMO_GSUP_MSGT_CHECK_IMEI_REQUEST`, `_ERROR` and `_RESULT`.
  private static let request: UInt8 = 0x30
  private static let error: UInt8 = 0x31
  private static let result: UInt8 = 0x32

  package let question: Question
  private let returned: Returned

  /// Whether a whole IPA message is a Check-IMEI request, well-formed or not.
  package static func isRequest(_ message: Span<UInt8>) -> Bool {
    guard let place = IPA.gsupType(message) else { return false }
    return message[place] == request
  }

  /// Nil where no answer is possible, because the message does not begin with the IMSI by which the
  /// client would know the answer: osmo-hlr is silent, too.
  ///
  /// - Parameter message: a whole IPA message that ``isRequest(_:)``.
  package init?(_ message: [UInt8]) {
    guard Self.isRequest(message.span), let place = IPA.gsupType(message.span) else { return nil }
    var elements = GSUPElements(message[(place + 1)...])
    guard let first = try? elements.next(), first.tag == GSUPElement.imsi,
      first.value.count <= GSUPSubscriber.mostOctets
    else { return nil }
    var returned = Returned(imsi: first.value)
    guard message.count <= Self.longestMessage else {
      self.init(.illFormed(.protocolErrorUnspecified), returned)
      return
    }
    var imei: [UInt8]?
    do throws(GSUPElements.Broken) {
      var count = 1
      while let (tag, value) = try elements.next() {
        count += 1
        guard count <= Self.mostElements else { throw GSUPElements.Broken() }
        // As libosmocore does: of two the last one counts, and what is not known is passed over.
        if tag == GSUPElement.imei { imei = value } else { returned.note(tag, value) }
      }
    } catch {
      self.init(.illFormed(.protocolErrorUnspecified), returned)
      return
    }
    self.init(Self.question(imsi: first.value, imei: imei), returned)
  }

  private init(_ question: Question, _ returned: Returned) {
    self.question = question
    self.returned = returned
  }

  private static func question(imsi: [UInt8], imei: [UInt8]?) -> Question {
    guard let imsi = GSUPSubscriber.imsi(imsi), let imei,
      let identity = GSUPDevice.identity(imei)
    else { return .illFormed(.invalidMandatoryInformation) }
    return .query(CheckQuery(identity: identity, imsi: imsi))
  }

  /// The whole IPA message, with its elements in the order in which libosmocore has them.
  package func message(_ answer: GSUPAnswer) -> [UInt8] {
    var gsup: [UInt8]
    switch answer {
    case .error(let cause):
      gsup = [Self.error] + GSUPElement.octets(GSUPElement.imsi, returned.imsi)
      gsup += GSUPElement.octets(GSUPElement.cause, [cause.rawValue]) + returned.session
    case .accepted, .refused:
      gsup = [Self.result] + GSUPElement.octets(GSUPElement.imsi, returned.imsi)
      gsup += returned.session
      gsup += GSUPElement.octets(GSUPElement.imeiResult, [answer == .accepted ? 0 : 1])
    }
    return IPA.message(gsup: gsup + returned.route)
  }
}

extension GSUPCheck: CustomReflectable {
  /// The subscriber must not reach a log.
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What an answer carries back so that it finds its way to the one who asked. osmo-hlr,
/// `osmo_gsup_make_response`.
private struct Returned: Sendable {
  let imsi: [UInt8]
  private var sessionID: UInt32 = 0
  private var hasSession = false
  private var messageReference: UInt8?
  private var messageClass: UInt8 = 0
  private var sourceName: [UInt8] = []

  init(imsi: [UInt8]) { self.imsi = imsi }

  mutating func note(_ tag: UInt8, _ value: [UInt8]) {
    switch tag {
    case GSUPElement.sessionID: sessionID = value.reduce(0) { $0 << 8 | UInt32($1) }
    case GSUPElement.sessionState: hasSession = value.first.map { $0 != 0 } ?? false
    case GSUPElement.messageReference: messageReference = value.first
    case GSUPElement.messageClass: messageClass = value.first ?? 0
    case GSUPElement.sourceName: sourceName = value
    default: break
    }
  }

  /// The answer is the last message of its session.
  var session: [UInt8] {
    var octets: [UInt8] = []
    if hasSession {
      let number = withUnsafeBytes(of: sessionID.bigEndian) { Array($0) }
      octets += GSUPElement.octets(GSUPElement.sessionID, number)
      octets += GSUPElement.octets(GSUPElement.sessionState, [GSUPElement.sessionEnd])
    }
    if let messageReference {
      octets += GSUPElement.octets(GSUPElement.messageReference, [messageReference])
    }
    return octets
  }

  /// Whoever asked through others is named as the destination; no source is named, as osmo-hlr
  /// names none.
  var route: [UInt8] {
    var octets: [UInt8] = []
    if messageClass != 0 {
      octets += GSUPElement.octets(GSUPElement.messageClass, [messageClass])
    }
    if !sourceName.isEmpty {
      octets += GSUPElement.octets(GSUPElement.destinationName, sourceName)
    }
    return octets
  }
}
