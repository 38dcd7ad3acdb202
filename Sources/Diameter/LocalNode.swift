package import NIOCore

/// This node, as it shows itself to its peers.
package struct LocalNode: Sendable {
  package let host: DiameterIdentity
  package let realm: DiameterIdentity
  package let productName: String
  /// Greater after every start. RFC 6733, 8.16.
  package let originStateID: UInt32

  package init(
    host: DiameterIdentity, realm: DiameterIdentity, productName: String, originStateID: UInt32
  ) {
    self.host = host
    self.realm = realm
    self.productName = productName
    self.originStateID = originStateID
  }

  package func writeOrigin(into buffer: inout ByteBuffer) {
    buffer.write(.originHost, identity: host)
    buffer.write(.originRealm, identity: realm)
  }

  /// Capabilities-Exchange-Answer. RFC 6733, 5.3.2.
  package func writeCapabilities(
    to header: DiameterHeader, _ refusal: DiameterRefusal? = nil, of request: RawSpan,
    address: PeerAddress?, into buffer: inout ByteBuffer
  ) {
    let code = refusal?.code ?? .success
    let writer = MessageWriter(header.answer(isError: code.isProtocolError), in: &buffer)
    buffer.write(.resultCode, number: code.rawValue)
    writeOrigin(into: &buffer)
    if let address { buffer.write(.hostIPAddress, bytes: address.octets) }
    // No enterprise number was assigned to this product.
    buffer.write(.vendorID, number: 0)
    buffer.write(.productName, flags: [], bytes: Array(productName.utf8))
    buffer.write(.originStateID, number: originStateID)
    if let failed = refusal?.failed { buffer.write(failed, of: request) }
    buffer.write(.supportedVendorID, number: AVPKey.vendor3GPP)
    buffer.writeS13Application()
    writer.finish(in: &buffer)
  }

  /// Device-Watchdog-Answer and Disconnect-Peer-Answer. RFC 6733, 5.5.2 and 5.4.2.
  func writeSuccess(to header: DiameterHeader, into buffer: inout ByteBuffer) {
    let writer = MessageWriter(header.answer(), in: &buffer)
    buffer.write(.resultCode, number: ResultCode.success.rawValue)
    writeOrigin(into: &buffer)
    if header.command == .deviceWatchdog {
      buffer.write(.originStateID, number: originStateID)
    }
    writer.finish(in: &buffer)
  }

  /// Device-Watchdog-Request. RFC 6733, 5.5.1.
  func writeWatchdog(number: UInt32, into buffer: inout ByteBuffer) {
    let writer = MessageWriter(request(.deviceWatchdog, number), in: &buffer)
    writeOrigin(into: &buffer)
    buffer.write(.originStateID, number: originStateID)
    writer.finish(in: &buffer)
  }

  /// Disconnect-Peer-Request. RFC 6733, 5.4.1.
  func writeDisconnect(number: UInt32, into buffer: inout ByteBuffer) {
    let writer = MessageWriter(request(.disconnectPeer, number), in: &buffer)
    writeOrigin(into: &buffer)
    buffer.write(.disconnectCause, number: DisconnectCause.rebooting.rawValue)
    writer.finish(in: &buffer)
  }

  private func request(_ command: CommandCode, _ number: UInt32) -> DiameterHeader {
    DiameterHeader(
      flags: .request, command: command, application: .base, hopByHop: number, endToEnd: number)
  }
}

/// RFC 6733, 5.4.3.
enum DisconnectCause: UInt32 {
  case rebooting = 0
  case busy = 1
  case doNotWantToTalkToYou = 2
}

/// The type Address of RFC 6733, 4.3.1: a family and its octets.
package struct PeerAddress: Hashable, Sendable {
  let octets: [UInt8]

  /// - Parameter address: the four octets of IPv4 or the sixteen of IPv6; nil for anything else.
  package init?(_ address: [UInt8]) {
    switch address.count {
    case 4: octets = [0, 1] + address
    case 16: octets = [0, 2] + address
    default: return nil
    }
  }
}

extension ByteBuffer {
  /// Vendor-Specific-Application-Id of S13. TS 29.272, 7.1.8.
  package mutating func writeS13Application() {
    write(.vendorSpecificApplicationID) { buffer in
      buffer.write(.vendorID, number: AVPKey.vendor3GPP)
      buffer.write(.authApplicationID, number: ApplicationID.s13.rawValue)
    }
  }
}
