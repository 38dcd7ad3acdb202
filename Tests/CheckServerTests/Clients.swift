import CheckServer
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix

/// Speaks bytes.
struct RawClient: Sendable {
  let channel: any Channel
  private let recorder: NIOLoopBound<Recorder<ByteBuffer>>

  static func connect(to port: Int, group: any EventLoopGroup) async throws -> RawClient {
    try await ClientBootstrap(group: group)
      .channelOption(.allowRemoteHalfClosure, value: false)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          let recorder = Recorder<ByteBuffer>()
          try channel.pipeline.syncOperations.addHandler(recorder)
          return RawClient(
            channel: channel, recorder: NIOLoopBound(recorder, eventLoop: channel.eventLoop))
        }
      }
  }

  func send(_ text: String) async throws { try await send(ByteBuffer(string: text)) }

  func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes) }

  /// All text up to the first moment at which `isMet` holds.
  func text(until isMet: @escaping @Sendable (String, _ isClosed: Bool) -> Bool) async throws
    -> String
  {
    let seen = try await channel.eventLoop.flatSubmit {
      recorder.value.wait(on: channel.eventLoop) { isMet(Self.text($0), $0.isClosed) }
    }.get()
    return Self.text(seen)
  }

  func bytes(until isMet: @escaping @Sendable (ByteBuffer, _ isClosed: Bool) -> Bool) async throws
    -> ByteBuffer
  {
    let seen = try await channel.eventLoop.flatSubmit {
      recorder.value.wait(on: channel.eventLoop) { isMet(Self.bytes($0), $0.isClosed) }
    }.get()
    return Self.bytes(seen)
  }

  private static func bytes(_ seen: Recorder<ByteBuffer>.Seen) -> ByteBuffer {
    seen.elements.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
  }

  func textUntilClosed() async throws -> String {
    try await text { _, isClosed in isClosed }
  }

  private static func text(_ seen: Recorder<ByteBuffer>.Seen) -> String {
    seen.elements.map { String(buffer: $0) }.joined()
  }
}

/// Speaks HTTP/2 frames and opens no window by itself.
struct FrameClient: Sendable {
  let channel: any Channel
  private let recorder: NIOLoopBound<Recorder<HTTP2Frame>>

  static func connect(
    to port: Int, group: any EventLoopGroup, settings: HTTP2Settings = [],
    validation: NIOHTTP2Handler.ValidationState = .enabled
  ) async throws -> FrameClient {
    try await ClientBootstrap(group: group)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          let recorder = Recorder<HTTP2Frame>()
          try channel.pipeline.syncOperations.addHandlers([
            NIOHTTP2Handler(
              mode: .client, initialSettings: settings, headerBlockValidation: validation,
              contentLengthValidation: validation),
            recorder,
          ])
          return FrameClient(
            channel: channel, recorder: NIOLoopBound(recorder, eventLoop: channel.eventLoop))
        }
      }
  }

  func send(_ stream: Int, _ payload: HTTP2Frame.FramePayload) {
    channel.writeAndFlush(
      HTTP2Frame(streamID: HTTP2StreamID(stream), payload: payload), promise: nil)
  }

  func request(
    _ stream: Int, _ path: String, method: String = "GET", more: [(String, String)] = [],
    isComplete: Bool = true
  ) {
    let headers = HPACKHeaders(
      [(":method", method), (":scheme", "http"), (":authority", "test"), (":path", path)] + more)
    send(stream, .headers(.init(headers: headers, endStream: isComplete)))
  }

  func body(_ stream: Int, _ bytes: ByteBuffer, isLast: Bool) {
    send(stream, .data(.init(data: .byteBuffer(bytes), endStream: isLast)))
  }

  @discardableResult
  func wait(until isMet: @escaping @Sendable (Conversation) -> Bool) async throws -> Conversation {
    let seen = try await channel.eventLoop.flatSubmit {
      recorder.value.wait(on: channel.eventLoop) { isMet(Conversation($0)) }
    }.get()
    return Conversation(seen)
  }

  @discardableResult
  func answer(to stream: Int) async throws -> Conversation {
    try await wait { $0.isComplete(stream) }
  }
}

/// What a ``FrameClient`` has received.
struct Conversation: Sendable, CustomStringConvertible {
  let frames: [HTTP2Frame]
  let isClosed: Bool

  init(_ seen: Recorder<HTTP2Frame>.Seen) {
    frames = seen.elements
    isClosed = seen.isClosed
  }

  var description: String { "\(frames.count) frames, \(isClosed ? "closed" : "open")" }

  private func payloads(_ stream: Int) -> [HTTP2Frame.FramePayload] {
    frames.filter { $0.streamID == HTTP2StreamID(stream) }.map(\.payload)
  }

  func headers(_ stream: Int) -> HPACKHeaders? {
    for case .headers(let headers) in payloads(stream) { return headers.headers }
    return nil
  }

  func status(_ stream: Int) -> String? { headers(stream)?.first(name: ":status") }

  func body(_ stream: Int) -> String {
    var all = ByteBuffer()
    for case .data(let data) in payloads(stream) {
      if case .byteBuffer(let bytes) = data.data { all.writeImmutableBuffer(bytes) }
    }
    return String(buffer: all)
  }

  func isComplete(_ stream: Int) -> Bool {
    payloads(stream).contains { payload in
      switch payload {
      case .data(let data): data.endStream
      case .headers(let headers): headers.endStream
      default: false
      }
    }
  }

  func reset(_ stream: Int) -> HTTP2ErrorCode? {
    for case .rstStream(let code) in payloads(stream) { return code }
    return nil
  }

  var goAways: [(last: HTTP2StreamID, code: HTTP2ErrorCode)] {
    frames.compactMap { frame in
      guard case .goAway(let last, let code, _) = frame.payload else { return nil }
      return (last, code)
    }
  }
}

/// A listener with its responder and event loops, stopped afterwards.
struct TestListener: Sendable {
  let server: CheckServer
  let responder: EchoResponder
  let group: MultiThreadedEventLoopGroup

  static func run<Value>(
    _ limits: CheckServerLimits = .init(), drain: TimeAmount = .milliseconds(200),
    _ body: (TestListener) async throws -> Value
  ) async throws -> Value {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let responder = EchoResponder()
    var limits = limits
    limits.drain = drain
    let server = try await CheckServer.start(
      host: "127.0.0.1", port: 0, group: group, limits: limits, responder: responder)
    let listener = TestListener(server: server, responder: responder, group: group)
    do {
      let value = try await body(listener)
      await listener.stop()
      return value
    } catch {
      await listener.stop()
      throw error
    }
  }

  private func stop() async {
    responder.release()
    await server.shutdown()
    group.shutdownGracefully { _ in }
  }

  func frames(
    settings: HTTP2Settings = [], validation: NIOHTTP2Handler.ValidationState = .enabled
  ) async throws -> FrameClient {
    try await FrameClient.connect(
      to: server.port, group: group, settings: settings, validation: validation)
  }

  func raw() async throws -> RawClient {
    try await RawClient.connect(to: server.port, group: group)
  }
}
