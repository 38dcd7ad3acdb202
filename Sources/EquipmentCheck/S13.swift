import DeviceIdentity
package import DeviceLists
package import Diameter
package import NIOCore

/// S13 and S13': what an MME or SGSN asks about a device. TS 29.272, 6 and 7.2.19.
///
/// Nothing is decided here: a request becomes a question, and an answer becomes bytes. What all
/// answers have in common is made once.
package struct S13: Sendable {
  package let local: LocalNode
  /// The realms that are served; the node's own is always one.
  let realms: [DiameterIdentity]
  private let white: ByteBuffer
  private let grey: ByteBuffer
  private let black: ByteBuffer
  private let unknown: ByteBuffer

  package init(local: LocalNode, realms: [DiameterIdentity] = []) {
    self.local = local
    self.realms = realms.contains(local.realm) ? realms : [local.realm] + realms
    white = Self.rest(.white, local)
    grey = Self.rest(.grey, local)
    black = Self.rest(.black, local)
    unknown = Self.rest(.unknown, local)
  }

  /// Of an answer, what follows the Session-Id. TS 29.272, 7.2.20.
  private static func rest(_ answer: CheckAnswer, _ local: LocalNode) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.writeS13Application()
    let status = equipmentStatus(answer)
    if status == nil {
      buffer.write(.experimentalResult) { buffer in
        buffer.write(.vendorID, number: AVPKey.vendor3GPP)
        buffer.write(.experimentalResultCode, number: equipmentUnknown)
      }
    } else {
      buffer.write(.resultCode, number: ResultCode.success.rawValue)
    }
    buffer.write(.authSessionState, number: noStateMaintained)
    local.writeOrigin(into: &buffer)
    if let status { buffer.write(.equipmentStatus, number: status) }
    return buffer
  }

  /// DIAMETER_ERROR_EQUIPMENT_UNKNOWN. TS 29.272, 7.4.3.
  private static let equipmentUnknown: UInt32 = 5422
  /// RFC 6733, 8.11.
  static let noStateMaintained: UInt32 = 1

  /// TS 29.272, 7.3.51; nil for what is told as an error.
  private static func equipmentStatus(_ answer: CheckAnswer) -> UInt32? {
    switch answer {
    case .white: 0
    case .black: 1
    case .grey: 2
    case .unknown: nil
    }
  }

  private func rest(_ answer: CheckAnswer) -> ByteBuffer {
    switch answer {
    case .white: white
    case .grey: grey
    case .black: black
    case .unknown: unknown
    }
  }

  /// Writes ME-Identity-Check-Answer: Session-Id first, each Proxy-Info in its order.
  ///
  /// - Parameter message: the request, from its first byte.
  package func write(
    _ answer: CheckAnswer, to request: S13Request, _ message: RawSpan,
    into buffer: inout ByteBuffer
  ) {
    let writer = MessageWriter(request.header.answer(), in: &buffer)
    buffer.writeBytes(of: message, request.sessionID)
    buffer.writeImmutableBuffer(rest(answer))
    if request.hasProxyInfo { buffer.copy(.proxyInfo, of: message) }
    writer.finish(in: &buffer)
  }

  /// Writes an answer that says why the request cannot be answered.
  package func write(
    _ refusal: DiameterRefusal, to header: DiameterHeader, _ message: RawSpan,
    into buffer: inout ByteBuffer
  ) {
    local.writeError(refusal, to: header, message, into: &buffer) { buffer in
      buffer.writeS13Application()
      buffer.write(.authSessionState, number: Self.noStateMaintained)
    }
  }
}

extension AVPKey {
  /// TS 29.272, 7.3.3 to 7.3.5, 7.3.51 and 7.3.6.
  static let terminalInformation = AVPKey(1401, vendor: vendor3GPP)
  static let imei = AVPKey(1402, vendor: vendor3GPP)
  static let softwareVersion = AVPKey(1403, vendor: vendor3GPP)
  static let equipmentStatus = AVPKey(1445, vendor: vendor3GPP)
  static let meid3GPP2 = AVPKey(1471, vendor: vendor3GPP)
}
