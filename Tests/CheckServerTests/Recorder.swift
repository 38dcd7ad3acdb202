import NIOCore

struct TimedOut: Error, CustomStringConvertible {
  let seen: String
  var description: String { "the deadline passed; seen so far: \(seen)" }
}

/// Keeps what comes on a client's channel and wakes those who wait for some of it. Everything in it
/// happens on the channel's event loop.
final class Recorder<Element: Sendable>: ChannelInboundHandler {
  typealias InboundIn = Element

  struct Seen: Sendable {
    var elements: [Element] = []
    var isClosed = false
  }

  private struct Waiter {
    let isMet: (Seen) -> Bool
    let promise: EventLoopPromise<Seen>
  }

  private var seen = Seen()
  private var waiters: [Waiter] = []

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    seen.elements.append(unwrapInboundIn(data))
    wake()
  }

  func channelInactive(context: ChannelHandlerContext) {
    seen.isClosed = true
    wake()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A reset by the server is told by channelInactive.
  }

  func wait(
    on eventLoop: any EventLoop, until isMet: @escaping (Seen) -> Bool
  ) -> EventLoopFuture<Seen> {
    let promise = eventLoop.makePromise(of: Seen.self)
    if isMet(seen) {
      promise.succeed(seen)
      return promise.futureResult
    }
    waiters.append(Waiter(isMet: isMet, promise: promise))
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    let timer = eventLoop.scheduleTask(in: .seconds(60)) {
      promise.fail(TimedOut(seen: "\(bound.value.seen.elements.suffix(5))"))
    }
    promise.futureResult.whenComplete { _ in timer.cancel() }
    return promise.futureResult
  }

  private func wake() {
    let met = waiters.filter { $0.isMet(seen) }
    waiters.removeAll { $0.isMet(seen) }
    for waiter in met { waiter.promise.succeed(seen) }
  }
}
