import CheckServer
import NIOCore
import NIOHPACK
import NIOHTTP2
import Testing

/// Windows in both directions, and what is refused when they are abused.
@Suite(.serialized)
struct HTTP2FlowTests {
  @Test func `one gigabyte of bodies passes over one connection, long ones refused between`()
    async throws
  {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      let body = ByteBuffer(repeating: 7, count: 1 << 20)
      let tooLong = ByteBuffer(repeating: 7, count: 3 << 20)
      var sent = 0
      var open: [(stream: Int, isTooLong: Bool)] = []
      for stream in stride(from: 1, to: .max, by: 2) {
        if sent < 1 << 30 {
          let isTooLong = stream % 101 == 0
          let bytes = isTooLong ? tooLong : body
          client.request(stream, "/count", method: "POST", isComplete: false)
          client.body(stream, bytes, isLast: true)
          open.append((stream, isTooLong))
          sent += bytes.readableBytes
          if open.count < 4 { continue }
        }
        let oldest = open.removeFirst()
        let seen = try await client.answer(to: oldest.stream)
        #expect(seen.status(oldest.stream) == (oldest.isTooLong ? "413" : "200"))
        if !oldest.isTooLong { #expect(seen.body(oldest.stream) == "1048576") }
        if sent >= 1 << 30, open.isEmpty { break }
      }
      #expect(sent >= 1 << 30)
    }
  }

  @Test func `a client with a window of one byte gets its answer byte by byte`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames(
        settings: [HTTP2Setting(parameter: .initialWindowSize, value: 1)])
      client.request(1, "/")
      let whole = #"{"status":"BLACKLISTED"}"#
      for count in 1..<whole.utf8.count {
        let seen = try await client.wait { $0.body(1).utf8.count >= count }
        #expect(seen.body(1) == String(whole.prefix(count)))
        client.send(1, .windowUpdate(windowSizeIncrement: 1))
      }
      #expect(try await client.answer(to: 1).body(1) == whole)
    }
  }

  @Test func `a window of zero is opened for all streams by new settings`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames(
        settings: [HTTP2Setting(parameter: .initialWindowSize, value: 0)])
      client.request(1, "/big/1000")
      client.request(3, "/big/2000")
      client.request(5, "/", method: "HEAD")
      #expect(try await client.answer(to: 5).body(1) == "")
      client.send(
        0, .settings(.settings([HTTP2Setting(parameter: .initialWindowSize, value: 1_500)])))
      let seen = try await client.wait { $0.isComplete(1) && $0.body(3).utf8.count == 1_500 }
      #expect(!seen.isComplete(3))
      client.send(3, .windowUpdate(windowSizeIncrement: 500))
      #expect(try await client.answer(to: 3).body(3).utf8.count == 2_000)
    }
  }

  @Test func `no more than the connection's window is sent, in turns`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames(
        settings: [HTTP2Setting(parameter: .initialWindowSize, value: 0)])
      client.request(1, "/big/60000")
      client.request(3, "/big/60000")
      try await client.wait { $0.status(1) == "200" && $0.status(3) == "200" }
      let wide = HTTP2Setting(parameter: .initialWindowSize, value: 1 << 20)
      client.send(0, .settings(.settings([wide])))
      let first = try await client.wait { $0.body(1).utf8.count + $0.body(3).utf8.count == 65_535 }
      #expect(first.body(1).utf8.count >= 32_767)
      #expect(first.body(3).utf8.count >= 32_767)
      client.request(5, "/")
      try await client.wait { $0.status(5) == "200" && $0.body(5) == "" }
      client.send(0, .windowUpdate(windowSizeIncrement: 1 << 20))
      let seen = try await client.wait { $0.isComplete(1) && $0.isComplete(3) && $0.isComplete(5) }
      #expect(seen.body(1).utf8.count == 60_000)
      #expect(seen.body(3).utf8.count == 60_000)
    }
  }

  @Test func `answers of many megabytes arrive whole`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames(
        settings: [HTTP2Setting(parameter: .initialWindowSize, value: 1 << 30)])
      client.send(0, .windowUpdate(windowSizeIncrement: 1 << 30))
      client.request(1, "/big/20000000")
      #expect(try await client.answer(to: 1).body(1).utf8.count == 20_000_000)
    }
  }

  @Test func `a reset stream gives its place and its bytes free`() async throws {
    var limits = CheckServerLimits()
    limits.unsentAnswerBytes = 100_000
    try await TestListener.run(limits) { listener in
      let client = try await listener.frames(
        settings: [HTTP2Setting(parameter: .initialWindowSize, value: 0)])
      client.request(1, "/big/150000")
      client.request(3, "/")
      // The head needs no window, so the asker is told.
      let full = try await client.wait { $0.status(3) != nil }
      #expect(full.status(3) == "503")
      #expect(full.headers(3)?.first(name: "retry-after") == "1")
      client.send(3, .rstStream(.cancel))
      client.send(1, .rstStream(.cancel))
      client.request(5, "/", method: "HEAD")
      #expect(try await client.answer(to: 5).status(5) == "200")
    }
  }

  @Test func `a body too long is answered while it comes and reset when it does not end`()
    async throws
  {
    var limits = CheckServerLimits()
    limits.bodyBytes = 1_000
    limits.droppedBodyBytes = 500_000
    try await TestListener.run(limits) { listener in
      let client = try await listener.frames(validation: .disabled)
      client.request(1, "/count", method: "POST", isComplete: false)
      client.body(1, ByteBuffer(repeating: 0, count: 1_001), isLast: false)
      #expect(try await client.answer(to: 1).status(1) == "413")
      client.body(1, ByteBuffer(repeating: 0, count: 1_000_000), isLast: false)
      #expect(try await client.wait { $0.reset(1) != nil }.reset(1) == .noError)
      client.request(
        3, "/count", method: "POST", more: [("content-length", "1001")], isComplete: false)
      #expect(try await client.answer(to: 3).status(3) == "413")
      client.request(5, "/count", method: "POST", isComplete: false)
      client.body(5, ByteBuffer(repeating: 0, count: 1_000), isLast: true)
      #expect(try await client.answer(to: 5).body(5) == "1000")
    }
  }

  @Test func `bodies that are too many at once are answered 503, not stored`() async throws {
    var limits = CheckServerLimits()
    limits.bufferedBodyBytes = 100_000
    try await TestListener.run(limits) { listener in
      let client = try await listener.frames()
      for stream in [1, 3] {
        client.request(stream, "/count", method: "POST", isComplete: false)
        client.body(stream, ByteBuffer(repeating: 0, count: 60_000), isLast: false)
      }
      let full = try await client.answer(to: 3)
      #expect(full.status(3) == "503")
      #expect(full.body(3) == #"{"title":"Service Unavailable","status":503}"#)
      client.body(3, ByteBuffer(string: "dropped"), isLast: true)
      client.body(1, ByteBuffer(string: "x"), isLast: true)
      #expect(try await client.answer(to: 1).body(1) == "60001")
      client.request(5, "/count", method: "POST", isComplete: false)
      client.body(5, ByteBuffer(repeating: 0, count: 60_000), isLast: true)
      #expect(try await client.answer(to: 5).body(5) == "60000")
    }
  }

  @Test func `streams beyond the limit are refused`() async throws {
    var limits = CheckServerLimits()
    limits.concurrentStreams = 2
    try await TestListener.run(limits) { listener in
      let client = try await RawHTTP2.connect(listener)
      try await client.send(
        RawHTTP2.settings, RawHTTP2.get(1, "/later"), RawHTTP2.get(3, "/later"),
        RawHTTP2.get(5, "/later"), RawHTTP2.ping)
      let frames = try await client.frames { $0.contains { $0.kind == 6 } }
      #expect(frames.filter { $0.kind == 3 }.map(\.stream) == [5])
      #expect(frames.first { $0.kind == 3 }?.payload == [0, 0, 0, 7])
    }
  }

  @Test func `a header list too long is 431, on its stream alone`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      let lines = (0..<3).map { ("x-\($0)", String(repeating: "a", count: 6_000)) }
      client.request(1, "/", more: lines)
      client.request(3, "/count", method: "POST", more: lines, isComplete: false)
      client.request(5, "/", more: Array(lines.prefix(2)))
      let seen = try await client.answer(to: 5)
      #expect([1, 3, 5].map(seen.status) == ["431", "431", "200"])
    }
  }

  @Test func `what is not answered in time is 504, and what comes later is dropped`() async throws {
    var limits = CheckServerLimits()
    limits.answer = .milliseconds(100)
    try await TestListener.run(limits) { listener in
      let client = try await listener.frames()
      client.request(1, "/later")
      #expect(try await client.answer(to: 1).status(1) == "504")
      listener.responder.release()
      client.request(3, "/")
      let seen = try await client.answer(to: 3)
      #expect(seen.status(3) == "200")
      #expect(seen.body(1) == #"{"title":"Gateway Timeout","status":504}"#)
    }
  }

  @Test func `a request line too long is 414`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      client.request(1, "/" + String(repeating: "a", count: 4_095))
      client.request(3, "/" + String(repeating: "a", count: 4_096))
      let seen = try await client.answer(to: 3)
      #expect(seen.status(1) == "200")
      #expect(seen.status(3) == "414")
      #expect(seen.body(3) == #"{"title":"URI Too Long","status":414}"#)
    }
  }
}
