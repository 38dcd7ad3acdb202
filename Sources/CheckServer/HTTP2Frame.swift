import NIOCore

/// RFC 9113, 6.
enum FrameKind: UInt8 {
  case data = 0
  case headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
}

/// RFC 9113, 6: what a flag means depends on the kind.
struct FrameFlags: OptionSet {
  let rawValue: UInt8
  static let endStream = FrameFlags(rawValue: 0x01)
  static let ack = FrameFlags(rawValue: 0x01)
  static let endHeaders = FrameFlags(rawValue: 0x04)
  static let padded = FrameFlags(rawValue: 0x08)
  static let priority = FrameFlags(rawValue: 0x20)
}

/// RFC 9113, 7.
enum HTTP2ErrorCode: UInt32 {
  case none = 0
  case protocolError, internalError, flowControlError, settingsTimeout, streamClosed
  case frameSizeError, refusedStream, cancel, compressionError, connectError, enhanceYourCalm
}

/// What ends the connection. RFC 9113, 5.4.1.
struct HTTP2Failure: Error {
  let code: HTTP2ErrorCode
  init(_ code: HTTP2ErrorCode) { self.code = code }
}

/// One frame as it came. RFC 9113, 4.1.
struct HTTP2Frame {
  static let headerBytes = 9
  /// The largest payload that either side may send before the other allows more.
  static let payloadBytesMax = 16_384
  static let windowMax = 0x7FFF_FFFF
  static let windowDefault = 65_535

  /// Kinds that are not known are to be passed over.
  let kind: FrameKind?
  let flags: FrameFlags
  let stream: UInt32
  var payload: ByteBuffer

  /// Takes the next frame; nil until all of it has come.
  static func next(in bytes: inout ByteBuffer) throws(HTTP2Failure) -> HTTP2Frame? {
    guard bytes.readableBytes >= headerBytes else { return nil }
    let (lengthAndKind, flags, stream) = bytes.withUnsafeReadableBytes { raw in
      (
        UInt32(bigEndian: raw.loadUnaligned(as: UInt32.self)), raw[4],
        UInt32(bigEndian: raw.loadUnaligned(fromByteOffset: 5, as: UInt32.self))
      )
    }
    let length = Int(lengthAndKind >> 8)
    guard length <= payloadBytesMax else { throw HTTP2Failure(.frameSizeError) }
    guard bytes.readableBytes >= headerBytes + length else { return nil }
    bytes.moveReaderIndex(forwardBy: headerBytes)
    guard let payload = bytes.readSlice(length: length) else { return nil }
    return HTTP2Frame(
      kind: FrameKind(rawValue: UInt8(truncatingIfNeeded: lengthAndKind)),
      flags: FrameFlags(rawValue: flags), stream: stream & 0x7FFF_FFFF, payload: payload)
  }

  /// Takes the padding away from DATA and HEADERS. RFC 9113, 6.1.
  mutating func removePadding() throws(HTTP2Failure) {
    guard flags.contains(.padded) else { return }
    guard let length = payload.readInteger(as: UInt8.self) else {
      throw HTTP2Failure(.frameSizeError)
    }
    guard Int(length) <= payload.readableBytes else { throw HTTP2Failure(.protocolError) }
    payload.moveWriterIndex(to: payload.writerIndex - Int(length))
  }
}

extension ByteBuffer {
  mutating func writeFrameHeader(
    _ kind: FrameKind, flags: FrameFlags = [], stream: UInt32, length: Int
  ) {
    writeInteger(UInt32(length) << 8 | UInt32(kind.rawValue))
    writeInteger(flags.rawValue)
    writeInteger(stream)
  }

  mutating func writeReset(_ stream: UInt32, _ code: HTTP2ErrorCode) {
    writeFrameHeader(.reset, stream: stream, length: 4)
    writeInteger(code.rawValue)
  }

  mutating func writeWindowUpdate(_ stream: UInt32, increment: Int) {
    writeFrameHeader(.windowUpdate, stream: stream, length: 4)
    writeInteger(UInt32(increment))
  }

  mutating func writeGoAway(lastStream: UInt32, _ code: HTTP2ErrorCode) {
    writeFrameHeader(.goAway, stream: 0, length: 8)
    writeInteger(lastStream)
    writeInteger(code.rawValue)
  }

  mutating func writePing(_ data: UInt64, flags: FrameFlags = []) {
    writeFrameHeader(.ping, flags: flags, stream: 0, length: 8)
    writeInteger(data)
  }

  mutating func writeSettings(_ settings: [(HTTP2SettingName, Int)]) {
    writeFrameHeader(.settings, stream: 0, length: settings.count * 6)
    for (name, value) in settings {
      writeInteger(name.rawValue)
      writeInteger(UInt32(value))
    }
  }
}

/// RFC 9113, 6.5.2.
enum HTTP2SettingName: UInt16 {
  case headerTableSize = 1
  case enablePush, concurrentStreams, initialWindowSize, frameSize, headerListSize
}

/// What the peer has set, as far as it concerns what we send.
struct PeerSettings {
  private(set) var initialWindow = HTTP2Frame.windowDefault

  /// Returns by how much the windows of open streams change.
  mutating func apply(_ payload: ByteBuffer) throws(HTTP2Failure) -> Int {
    guard payload.readableBytes % 6 == 0 else { throw HTTP2Failure(.frameSizeError) }
    var rest = payload
    let before = initialWindow
    while let (name, value) = rest.readMultipleIntegers(as: (UInt16, UInt32).self) {
      switch HTTP2SettingName(rawValue: name) {
      case .enablePush where value > 1:
        throw HTTP2Failure(.protocolError)
      case .frameSize where !(16_384...16_777_215).contains(value):
        throw HTTP2Failure(.protocolError)
      case .initialWindowSize:
        guard value <= HTTP2Frame.windowMax else { throw HTTP2Failure(.flowControlError) }
        initialWindow = Int(value)
      default:
        break  // We send no frame beyond the least size, keep no table and never push.
      }
    }
    return initialWindow - before
  }
}
