package import NIOCore

/// Writes one message at the end of a buffer; its length is put in when it is complete.
package struct MessageWriter {
  private let start: Int

  package init(_ header: DiameterHeader, in buffer: inout ByteBuffer) {
    start = buffer.writerIndex
    buffer.writeMultipleIntegers(
      UInt32(DiameterHeader.version) << 24,
      UInt32(header.flags.rawValue) << 24 | header.command.rawValue,
      header.application.rawValue, header.hopByHop, header.endToEnd)
  }

  /// The message is complete.
  package func finish(in buffer: inout ByteBuffer) {
    let length = UInt32(buffer.writerIndex - start)
    buffer.setInteger(UInt32(DiameterHeader.version) << 24 | length, at: start)
  }
}

/// AVPs as they are sent. RFC 6733, 4.1.
extension ByteBuffer {
  package mutating func write(
    _ code: AVPKey, flags: AVP.Flags = .mandatory, bytes: some Collection<UInt8>
  ) {
    writeHeader(of: code, flags: flags, dataBytes: bytes.count)
    writeBytes(bytes)
    writeRepeatingByte(0, count: (4 - bytes.count & 3) & 3)
  }

  package mutating func write(
    _ code: AVPKey, flags: AVP.Flags = .mandatory, number: UInt32
  ) {
    writeHeader(of: code, flags: flags, dataBytes: 4)
    writeInteger(number)
  }

  package mutating func write(_ code: AVPKey, identity: DiameterIdentity) {
    write(code, bytes: Array(identity.description.utf8))
  }

  /// A grouped AVP, whose members `body` writes.
  package mutating func write(
    _ code: AVPKey, flags: AVP.Flags = .mandatory, group body: (inout ByteBuffer) -> Void
  ) {
    let start = writerIndex
    writeHeader(of: code, flags: flags, dataBytes: 0)
    body(&self)
    let all = code.vendor == 0 ? flags : flags.union(.vendorSpecific)
    setInteger(UInt32(all.rawValue) << 24 | UInt32(writerIndex - start), at: start + 4)
  }

  mutating func writeHeader(of code: AVPKey, flags: AVP.Flags, dataBytes: Int) {
    let isVendors = code.vendor != 0
    // A peer may set V and name the vendor 0; without a vendor there is no place for one.
    let all = isVendors ? flags.union(.vendorSpecific) : flags.subtracting(.vendorSpecific)
    let length = (isVendors ? AVP.vendorHeaderBytes : AVP.headerBytes) + dataBytes
    writeInteger(code.code)
    writeInteger(UInt32(all.rawValue) << 24 | UInt32(length))
    if isVendors { writeInteger(code.vendor) }
  }

  package mutating func write(_ failed: DiameterRefusal.FailedAVP, of request: RawSpan) {
    write(.failedAVP) { buffer in
      switch failed {
      case .copy(let range): buffer.writeBytes(of: request, range)
      case .header(let code, let flags):
        let zeros = repeatElement(UInt8(0), count: code.leastBytes)
        buffer.write(code, flags: AVP.Flags(rawValue: flags), bytes: zeros)
      case .cutHeader(let range): buffer.writeCutHeader(of: request, range)
      case .missing(let codes, let bytes): buffer.writeExample(of: codes[...], bytes: bytes)
      }
    }
  }

  /// With the length of a header, so that the answer itself can be read.
  private mutating func writeCutHeader(of request: RawSpan, _ range: Range<Int>) {
    let start = writerIndex
    let flags = range.count > 4 ? request.byte(at: range.lowerBound + 4) : 0
    let isVendors = AVP.Flags(rawValue: flags).contains(.vendorSpecific)
    let length = isVendors ? AVP.vendorHeaderBytes : AVP.headerBytes
    writeBytes(of: request, range)
    writeRepeatingByte(0, count: length - range.count)
    setInteger(UInt32(flags) << 24 | UInt32(length), at: start + 4)
  }

  private mutating func writeExample(of codes: ArraySlice<AVPKey>, bytes: Int) {
    guard let code = codes.first else { return }
    guard codes.count > 1 else {
      write(code, bytes: repeatElement(0, count: bytes))
      return
    }
    write(code) { $0.writeExample(of: codes.dropFirst(), bytes: bytes) }
  }

  /// A part of another message, as it came.
  package mutating func writeBytes(of message: RawSpan, _ range: Range<Int>) {
    _ = message.extracting(range).withUnsafeBytes { writeBytes($0) }
  }
}
