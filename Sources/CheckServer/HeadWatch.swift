import NIOCore

/// Sees the octets of HTTP/1.1 before the decoder, which hides a head until it is complete.
final class HeadWatch: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// No method is longer.
  private static let methodBytesMax = 32

  /// Since when a request is awaited that has begun; nil between requests.
  private(set) var since: NIODeadline?
  private var start: [UInt8] = []

  /// - Parameter since: the start of the connection.
  init(since: NIODeadline) { self.since = since }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if since == nil { since = .now() }
    if start.count < Self.methodBytesMax {
      start += unwrapInboundIn(data).readableBytesView.prefix(Self.methodBytesMax - start.count)
    }
    context.fireChannelRead(data)
  }

  func requestEnded() {
    since = nil
    start.removeAll(keepingCapacity: true)
  }

  /// Whether what came begins with a method, be it one that nobody knows: a token (RFC 9110,
  /// 5.6.2) with a space behind it.
  var hasMethod: Bool {
    guard let end = start.firstIndex(of: UInt8(ascii: " ")), end > 0 else { return false }
    return start[..<end].allSatisfy(RequestLines.isTokenByte)
  }
}
