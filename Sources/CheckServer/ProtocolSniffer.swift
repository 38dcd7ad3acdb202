import NIOCore
import NIOHTTP1

/// Tells HTTP/2 with prior knowledge from HTTP/1.1 by the connection preface. RFC 9113, 3.4.
final class ProtocolSniffer: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

  private let limits: CheckServerLimits
  private let responder: any CheckResponder
  private let isTurningAway: Bool
  private let since = NIODeadline.now()
  private var held = ByteBuffer()
  /// Set before the first byte comes, where connections prove who they are.
  var peer: ConnectionPeer?

  /// - Parameter isTurningAway: the connection ends as soon as its first words are answered.
  init(limits: CheckServerLimits, responder: any CheckResponder, isTurningAway: Bool = false) {
    self.isTurningAway = isTurningAway
    self.limits = limits
    self.responder = responder
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if held.readableBytes == 0 {
      held = bytes
    } else {
      held.writeBuffer(&bytes)
    }
    switch Self.startsWithPreface(held) {
    case .some(let isHTTP2): become(isHTTP2: isHTTP2, context: context)
    case .none: break
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ChannelShouldQuiesceEvent: context.close(promise: nil)
    case let tick as ConnectionTick where tick.now - since > limits.preface:
      context.close(promise: nil)
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  /// Nil while it is still open.
  private static func startsWithPreface(_ bytes: ByteBuffer) -> Bool? {
    let compared = min(bytes.readableBytes, preface.utf8CodeUnitCount)
    let expected = UnsafeRawBufferPointer(start: preface.utf8Start, count: compared)
    let isEqual = bytes.withUnsafeReadableBytes { $0.prefix(compared).elementsEqual(expected) }
    guard isEqual else { return false }
    return compared == preface.utf8CodeUnitCount ? true : nil
  }

  private func become(isHTTP2: Bool, context: ChannelHandlerContext) {
    let pipeline = context.pipeline.syncOperations
    do {
      if isHTTP2 {
        try addHTTP2(to: pipeline, origin: PeerOrigin(context.remoteAddress))
      } else {
        try addHTTP1(to: pipeline, origin: PeerOrigin(context.remoteAddress))
      }
      let bytes = held
      held = ByteBuffer()
      context.fireChannelRead(wrapInboundOut(bytes))
      if isTurningAway, isHTTP2 {
        context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
      }
      pipeline.removeHandler(self, promise: nil)
    } catch {
      context.fireErrorCaught(error)
      context.close(promise: nil)
    }
  }

  private func addHTTP2(
    to pipeline: ChannelPipeline.SynchronousOperations, origin: PeerOrigin
  ) throws {
    try pipeline.addHandler(
      HTTP2CheckHandler(limits: limits, responder: responder, origin: origin, identity: peer))
  }

  private func addHTTP1(
    to pipeline: ChannelPipeline.SynchronousOperations, origin: PeerOrigin
  ) throws {
    let watch = HeadWatch(since: since)
    try pipeline.addHandler(watch)
    var decoding = NIOHTTPDecoderLimitConfiguration()
    decoding.maxHeaderListSize = limits.headerListBytes
    decoding.maxHeaderFieldSize = limits.headerListBytes
    decoding.maxHeaderFieldCount = limits.headerLines
    try pipeline.configureHTTPServerPipeline(
      withPipeliningAssistance: true, withServerUpgrade: nil, withErrorHandling: false,
      withOutboundHeaderValidation: false, withEncoderConfiguration: .init(),
      withDecoderLimitConfiguration: decoding)
    try pipeline.addHandler(
      HTTP1CheckHandler(
        limits: limits, responder: responder, watch: watch, origin: origin, identity: peer,
        isLast: isTurningAway))
  }
}
