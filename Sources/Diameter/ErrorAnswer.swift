package import NIOCore

/// What is answered where a request is refused. RFC 6733, 6.2 and 7.2.
package struct ErrorAnswer: Sendable {
  package let local: LocalNode

  package init(local: LocalNode) { self.local = local }

  /// - Parameters:
  ///   - request: one whole message from its first byte, or only its header.
  ///   - more: the AVPs that the command's own grammar wants in an answer.
  package func write(
    _ refusal: DiameterRefusal, to header: DiameterHeader, _ request: RawSpan,
    into buffer: inout ByteBuffer, more: (inout ByteBuffer) -> Void = { _ in }
  ) {
    let isProtocolError = refusal.code.isProtocolError
    let writer = MessageWriter(header.answer(isError: isProtocolError), in: &buffer)
    Self.copy(.sessionID, of: request, into: &buffer, most: 1)
    if !isProtocolError { more(&buffer) }
    buffer.write(.resultCode, number: refusal.code.rawValue)
    local.writeOrigin(into: &buffer)
    if let failed = refusal.failed { buffer.write(failed, of: request) }
    Self.copy(.proxyInfo, of: request, into: &buffer)
    writer.finish(in: &buffer)
  }

  /// Copies AVPs of the request in their order, up to the first that cannot be read.
  package static func copy(
    _ code: AVPKey, of request: RawSpan, into buffer: inout ByteBuffer, most: Int = .max
  ) {
    var (offset, copied) = (DiameterHeader.bytes, 0)
    while offset < request.byteCount, copied < most {
      guard let avp = try? AVP(in: request, at: offset, upTo: request.byteCount) else { return }
      if avp.code == code {
        buffer.writeBytes(of: request, avp.whole)
        copied += 1
      }
      offset = avp.end
    }
  }
}
