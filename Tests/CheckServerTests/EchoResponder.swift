import CheckServer
import NIOConcurrencyHelpers
import NIOCore

/// `/count` tells the bytes of the body, `/big/N` gives N bytes, `/later` waits to be released.
struct EchoResponder: CheckResponder {
  static let black = CheckResponse(
    status: 200, contentType: "application/json",
    body: ByteBuffer(string: #"{"status":"BLACKLISTED"}"#))

  let waiting = NIOLockedValueBox<[EventLoopPromise<CheckResponse>]>([])

  func respond(to request: CheckRequest, on eventLoop: any EventLoop) -> CheckReply {
    let target = request.target
    if target.hasPrefix("/big/"), let count = Int(target.dropFirst(5)) {
      return .now(text(ByteBuffer(repeating: UInt8(ascii: "b"), count: count)))
    }
    switch target {
    case "/count": return .now(text(ByteBuffer(string: "\(request.body.readableBytes)")))
    case "/method": return .now(text(ByteBuffer(string: request.method)))
    case "/agent": return .now(text(ByteBuffer(string: request.header("user-agent") ?? "none")))
    case "/none": return .now(CheckResponse(status: 204))
    case "/later":
      let promise = eventLoop.makePromise(of: CheckResponse.self)
      waiting.withLockedValue { $0.append(promise) }
      return .later(promise.futureResult)
    default: return .now(Self.black)
    }
  }

  private func text(_ body: ByteBuffer) -> CheckResponse {
    CheckResponse(status: 200, contentType: "text/plain", body: body)
  }

  func release(_ result: Result<CheckResponse, any Error> = .success(Self.black)) {
    let promises = waiting.withLockedValue { waiting in
      defer { waiting = [] }
      return waiting
    }
    for promise in promises { promise.completeWith(result) }
  }
}
