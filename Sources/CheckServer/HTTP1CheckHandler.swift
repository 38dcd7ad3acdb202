import NIOCore
import NIOHTTP1

/// Answers HTTP/1.1, which tools speak. NIO's pipeline handler before it holds each further request
/// back until the one before is answered.
final class HTTP1CheckHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private enum State {
    case idle
    case receiving(CheckRequest, isKeptAlive: Bool)
    case awaiting(Awaited)
    /// Refused: what still comes is dropped, and the connection closes.
    case closing
  }

  /// A request whose answer is made elsewhere.
  private struct Awaited {
    let number: Int
    let since: NIODeadline
    let isHead: Bool
    let isKeptAlive: Bool
  }

  private let limits: CheckServerLimits
  private let responder: any CheckResponder
  private let watch: HeadWatch
  private let origin: PeerOrigin
  private let identity: ConnectionPeer?
  /// The connection ends with its first answer.
  private let isLast: Bool
  private var state = State.idle
  private var date = DateLine()
  private var lastAnswer = NIODeadline.now()
  private var requests = 0

  init(
    limits: CheckServerLimits, responder: any CheckResponder, watch: HeadWatch,
    origin: PeerOrigin, identity: ConnectionPeer?, isLast: Bool
  ) {
    self.isLast = isLast
    self.watch = watch
    self.origin = origin
    self.limits = limits
    self.responder = responder
    self.identity = identity
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), state) {
    case (.head(let head), .idle):
      begin(head, context: context)
    case (.body(let bytes), .receiving(var request, let isKeptAlive)):
      state = .idle
      let total = request.body.readableBytes + bytes.readableBytes
      guard total <= limits.bodyBytes else {
        refuse(with: .bodyTooLarge, context: context)
        return
      }
      request.body.writeImmutableBuffer(bytes)
      state = .receiving(request, isKeptAlive: isKeptAlive)
    case (.end, .receiving(let request, let isKeptAlive)):
      watch.requestEnded()
      respond(to: request, isKeptAlive: isKeptAlive, context: context)
    default:
      break
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.flush()
    context.fireChannelReadComplete()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let tick = event as? ConnectionTick {
      look(at: tick.now, context: context)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch (error as? HTTPParserError, state) {
    case (nil, _): context.close(promise: nil)
    case (_, .closing): closeAfterWriting(context: context)
    case (.headerOverflow, _): refuse(with: .headersTooLong, context: context)
    case (.invalidMethod, _) where watch.hasMethod:
      refuse(with: .unknownMethod, context: context)
    default: refuse(with: .badRequest, context: context)
    }
  }

  private func look(at now: NIODeadline, context: ChannelHandlerContext) {
    if case .awaiting(let awaited) = state {
      guard now - awaited.since > limits.answer else { return }
      came(.success(responder.answer(to: .notInTime)), for: awaited, context: context)
    } else if case .idle = state, let since = watch.since, now - since > limits.stall {
      // A head that never ends: nothing is known yet that an answer could be about.
      context.close(promise: nil)
    } else if now - lastAnswer > limits.idle {
      // A request that trickles in is no activity: only a whole one counts.
      context.close(promise: nil)
    }
  }

  private func begin(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
    let request = CheckRequest(http1: head, origin: origin, peer: identity)
    guard Self.namesItsHost(head) else {
      refuse(isHead: head.method == .HEAD, with: .badRequest, context: context)
      return
    }
    guard head.uri.utf8.count <= limits.targetBytes else {
      refuse(isHead: head.method == .HEAD, with: .targetTooLong, context: context)
      return
    }
    if let bytes = request.announcedBodyBytes, bytes > limits.bodyBytes {
      refuse(isHead: head.method == .HEAD, with: .bodyTooLarge, context: context)
      return
    }
    state = .receiving(request, isKeptAlive: head.isKeepAlive && !isLast)
    if request.header("expect")?.lowercased() == "100-continue" {
      let goOn = HTTPResponseHead(version: .http1_1, status: .continue)
      context.writeAndFlush(wrapOutboundOut(.head(goOn)), promise: nil)
    }
  }

  /// Once; over HTTP/1.0 it may be missing. RFC 9112, 3.2.
  private static func namesItsHost(_ head: HTTPRequestHead) -> Bool {
    let count = head.headers["host"].count
    return count == 1 || count == 0 && head.version == .http1_0
  }

  private func respond(
    to request: CheckRequest, isKeptAlive: Bool, context: ChannelHandlerContext
  ) {
    let isHead = request.method == "HEAD"
    switch responder.respond(to: request, on: context.eventLoop) {
    case .now(let response):
      send(response, isHead: isHead, isKeptAlive: isKeptAlive, context: context)
    case .later(let future):
      requests += 1
      let awaited = Awaited(
        number: requests, since: .now(), isHead: isHead, isKeptAlive: isKeptAlive)
      state = .awaiting(awaited)
      let bound = NIOLoopBound((self, context, awaited), eventLoop: context.eventLoop)
      future.hop(to: context.eventLoop).whenComplete { result in
        let (handler, context, awaited) = bound.value
        handler.came(result, for: awaited, context: context)
      }
    }
  }

  private func came(
    _ result: Result<CheckResponse, any Error>, for awaited: Awaited,
    context: ChannelHandlerContext
  ) {
    // What comes after its time was answered already.
    guard case .awaiting(let current) = state, current.number == awaited.number else { return }
    let response: CheckResponse
    switch result {
    case .success(let given): response = given
    case .failure: response = responder.answer(to: .failed)
    }
    send(
      response, isHead: awaited.isHead, isKeptAlive: awaited.isKeptAlive, context: context)
    context.flush()
  }

  private func send(
    _ response: CheckResponse, isHead: Bool, isKeptAlive: Bool, context: ChannelHandlerContext
  ) {
    guard context.channel.isActive else { return }
    state = isKeptAlive ? .idle : .closing
    lastAnswer = .now()
    _ = date.update()
    var headers = response.http1Headers
    headers.add(name: "date", value: date.value)
    if !isKeptAlive { headers.add(name: "connection", value: "close") }
    let status = HTTPResponseStatus(statusCode: response.status)
    let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if !isHead, response.body.readableBytes > 0 {
      context.write(wrapOutboundOut(.body(.byteBuffer(response.body))), promise: nil)
    }
    context.write(wrapOutboundOut(.end(nil)), promise: nil)
    if !isKeptAlive { closeAfterWriting(context: context) }
  }

  private func refuse(
    isHead: Bool = false, with refusal: CheckRefusal, context: ChannelHandlerContext
  ) {
    send(
      responder.answer(to: refusal), isHead: isHead, isKeptAlive: false, context: context)
  }

  private func closeAfterWriting(context: ChannelHandlerContext) {
    state = .closing
    context.flush()
    context.triggerUserOutboundEvent(CloseAfterWriting(), promise: nil)
  }
}
