import NIOCore
import NIOHPACK

/// Frames written byte by byte, for what no client library would send.
struct RawHTTP2: Sendable {
  struct Frame: Sendable {
    let kind: UInt8
    let flags: UInt8
    let stream: Int
    let payload: [UInt8]
  }

  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  static let settings = frame(4, 0, 0, [])
  static let ping = frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8])

  /// A part of a header block that nearly fills a frame.
  static let longLine = frame(9, 0, 1, block([("x", String(repeating: "y", count: 16_300))]))

  let raw: RawClient

  static func connect(_ listener: TestListener) async throws -> RawHTTP2 {
    let client = RawHTTP2(raw: try await listener.raw())
    try await client.send(preface)
    return client
  }

  func send(_ parts: [UInt8]...) async throws {
    try await raw.send(ByteBuffer(bytes: parts.flatMap(\.self)))
  }

  static func frame(_ kind: UInt8, _ flags: UInt8, _ stream: Int, _ payload: [UInt8]) -> [UInt8] {
    var bytes = ByteBuffer()
    bytes.writeInteger(UInt32(payload.count) << 8 | UInt32(kind))
    bytes.writeInteger(flags)
    bytes.writeInteger(UInt32(stream))
    bytes.writeBytes(payload)
    return Array(buffer: bytes)
  }

  /// Literal lines that touch no table. RFC 7541, 6.2.2.
  static func block(_ lines: [(String, String)]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (name, value) in lines {
      bytes.append(0)
      bytes += length(name.utf8.count)
      bytes += name.utf8
      bytes += length(value.utf8.count)
      bytes += value.utf8
    }
    return bytes
  }

  private static func length(_ count: Int) -> [UInt8] {
    guard count >= 127 else { return [UInt8(count)] }
    var bytes: [UInt8] = [127]
    var rest = count - 127
    while rest >= 128 {
      bytes.append(UInt8(rest % 128 + 128))
      rest /= 128
    }
    return bytes + [UInt8(rest)]
  }

  static func request(_ path: String, more: [(String, String)] = []) -> [UInt8] {
    block([(":method", "GET"), (":scheme", "http"), (":path", path)] + more)
  }

  static func get(_ stream: Int, _ path: String) -> [UInt8] {
    frame(1, 0x5, stream, request(path))
  }

  /// What has come when `isMet` first holds, or when the listener has closed.
  func frames(until isMet: @escaping @Sendable ([Frame]) -> Bool) async throws -> [Frame] {
    Self.parse(try await raw.bytes { isMet(Self.parse($0)) || $1 })
  }

  func framesUntilClosed() async throws -> [Frame] {
    Self.parse(try await raw.bytes { $1 })
  }

  static func parse(_ bytes: ByteBuffer) -> [Frame] {
    var bytes = bytes
    var frames: [Frame] = []
    while let head = bytes.getInteger(at: bytes.readerIndex, as: UInt32.self),
      bytes.readableBytes >= 9 + Int(head >> 8)
    {
      bytes.moveReaderIndex(forwardBy: 4)
      guard let flags = bytes.readInteger(as: UInt8.self),
        let stream = bytes.readInteger(as: UInt32.self),
        let payload = bytes.readBytes(length: Int(head >> 8))
      else { break }
      frames.append(
        Frame(
          kind: UInt8(truncatingIfNeeded: head), flags: flags, stream: Int(stream),
          payload: payload))
    }
    return frames
  }
}
