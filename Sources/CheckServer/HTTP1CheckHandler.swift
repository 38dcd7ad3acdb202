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
    case awaiting
    /// Refused: what still comes is dropped, and the connection closes.
    case closing
  }

  private let limits: CheckServerLimits
  private let responder: any CheckResponder
  private var state = State.idle
  private var date = DateLine()
  private var lastAnswer = NIODeadline.now()

  init(limits: CheckServerLimits, responder: any CheckResponder) {
    self.limits = limits
    self.responder = responder
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), state) {
    case (.head(let head), .idle):
      begin(head, context: context)
    case (.body(let bytes), .receiving(var request, let isKeptAlive)):
      state = .idle
      let total = request.body.readableBytes + bytes.readableBytes
      guard total <= limits.bodyBytes else {
        refuse(request, with: .bodyTooLarge, context: context)
        return
      }
      request.body.writeImmutableBuffer(bytes)
      state = .receiving(request, isKeptAlive: isKeptAlive)
    case (.end, .receiving(let request, let isKeptAlive)):
      state = .awaiting
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
      // A request that trickles in is no activity: only a whole one counts.
      if case .awaiting = state { return }
      if tick.now - lastAnswer > limits.idle { context.close(promise: nil) }
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The handler before this one has answered a malformed request with 400.
    if error is HTTPParserError {
      closeAfterWriting(context: context)
    } else {
      context.close(promise: nil)
    }
  }

  private func begin(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
    let request = CheckRequest(http1: head)
    guard head.uri.utf8.count <= limits.targetBytes else {
      refuse(request, with: .targetTooLong, context: context)
      return
    }
    if let bytes = request.announcedBodyBytes, bytes > limits.bodyBytes {
      refuse(request, with: .bodyTooLarge, context: context)
      return
    }
    state = .receiving(request, isKeptAlive: head.isKeepAlive)
    if request.header("expect")?.lowercased() == "100-continue" {
      let goOn = HTTPResponseHead(version: .http1_1, status: .continue)
      context.writeAndFlush(wrapOutboundOut(.head(goOn)), promise: nil)
    }
  }

  private func respond(
    to request: CheckRequest, isKeptAlive: Bool, context: ChannelHandlerContext
  ) {
    let isHead = request.method == "HEAD"
    switch responder.respond(to: request, on: context.eventLoop) {
    case .now(let response):
      send(response, isHead: isHead, isKeptAlive: isKeptAlive, context: context)
    case .later(let future):
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      future.hop(to: context.eventLoop).whenComplete { result in
        let (handler, context) = bound.value
        let response: CheckResponse
        switch result {
        case .success(let given): response = given
        case .failure: response = .failed
        }
        handler.send(response, isHead: isHead, isKeptAlive: isKeptAlive, context: context)
        context.flush()
      }
    }
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
    _ request: CheckRequest, with response: CheckResponse, context: ChannelHandlerContext
  ) {
    send(response, isHead: request.method == "HEAD", isKeptAlive: false, context: context)
  }

  private func closeAfterWriting(context: ChannelHandlerContext) {
    state = .closing
    context.flush()
    context.triggerUserOutboundEvent(CloseAfterWriting(), promise: nil)
  }
}
