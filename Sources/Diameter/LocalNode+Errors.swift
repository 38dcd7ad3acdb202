package import NIOCore

extension LocalNode {
  /// What is answered where a request is refused. RFC 6733, 6.2 and 7.2.
  ///
  /// - Parameters:
  ///   - request: one whole message from its first byte, or nothing where only its header is known.
  ///   - more: the AVPs that the command's own grammar wants in an answer.
  package func writeError(
    _ refusal: DiameterRefusal, to header: DiameterHeader, _ request: RawSpan,
    into buffer: inout ByteBuffer, more: (inout ByteBuffer) -> Void = { _ in }
  ) {
    let isProtocolError = refusal.code.isProtocolError
    let writer = MessageWriter(header.answer(isError: isProtocolError), in: &buffer)
    buffer.copy(.sessionID, of: request, most: 1)
    if !isProtocolError { more(&buffer) }
    buffer.write(.resultCode, number: refusal.code.rawValue)
    writeOrigin(into: &buffer)
    if let failed = refusal.failed { buffer.write(failed, of: request) }
    buffer.copy(.proxyInfo, of: request)
    writer.finish(in: &buffer)
  }
}

extension ByteBuffer {
  /// Copies AVPs of a message in their order, up to the first that cannot be read.
  package mutating func copy(_ code: AVPKey, of message: RawSpan, most: Int = .max) {
    var (offset, copied) = (DiameterHeader.bytes, 0)
    while offset < message.byteCount, copied < most {
      guard let avp = try? AVP(in: message, at: offset, upTo: message.byteCount) else { return }
      if avp.code == code {
        writeBytes(of: message, avp.whole)
        copied += 1
      }
      offset = avp.end
    }
  }
}
