import CheckServer
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP2
import NIOPosix
import Testing

/// Connections as a whole: how many, how long, how slow, and how they end.
@Suite(.serialized)
struct ConnectionTests {
  @Test func `a port that is taken is told`() async throws {
    try await TestListener.run { listener in
      let error = await #expect(throws: CheckServerError.self) {
        try await CheckServer.start(
          host: "127.0.0.1", port: listener.server.port, group: listener.group,
          responder: listener.responder)
      }
      #expect(error?.code == .cannotListen)
      #expect(error?.description == "cannot listen on 127.0.0.1, port \(listener.server.port)")
    }
  }

  @Test func `over a connection beyond the limit the answer is 503 and then it ends`()
    async throws
  {
    var limits = CheckServerLimits()
    limits.connections = 1
    try await TestListener.run(limits) { listener in
      let first = try await listener.frames()
      first.request(1, "/")
      try await first.answer(to: 1)
      let second = try await listener.raw()
      try await second.send("GET / HTTP/1.1\r\nhost: test\r\n\r\n")
      let text = try await second.textUntilClosed()
      #expect(text.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
      #expect(text.contains("retry-after: 1\r\n"))
      #expect(text.contains("connection: close\r\n"))
      #expect(text.hasSuffix(#"{"title":"Service Unavailable","status":503}"#))
      let third = try await listener.frames()
      third.request(1, "/count", method: "POST", isComplete: false)
      third.body(1, ByteBuffer(string: "some"), isLast: true)
      let seen = try await third.wait { $0.isClosed }
      #expect(seen.goAways.map(\.code) == [.noError, .noError])
      #expect(seen.status(1) == "503" || seen.goAways.last?.last == 0)
      first.request(3, "/")
      #expect(try await first.answer(to: 3).status(3) == "200")
      try await first.channel.close()
      try await listener.until { $0.openConnections == 0 }
      let fourth = try await listener.frames()
      fourth.request(1, "/")
      #expect(try await fourth.answer(to: 1).status(1) == "200")
    }
  }

  @Test func `a connection beyond the limit that asks nothing ends soon`() async throws {
    var limits = CheckServerLimits()
    limits.connections = 0
    limits.turnAway = .milliseconds(100)
    try await TestListener.run(limits) { listener in
      let client = try await listener.raw()
      // On a slow machine the connection may be closed before this is written.
      _ = try? await client.send("GET / HT")
      #expect(try await client.textUntilClosed() == "")
    }
  }

  @Test func `beyond those that are told, connections are closed and a freed place is given again`()
    async throws
  {
    var limits = CheckServerLimits()
    limits.connections = 1
    limits.turnedAway = 0
    try await TestListener.run(limits) { listener in
      let first = try await listener.frames()
      first.request(1, "/")
      try await first.answer(to: 1)
      let second = try await listener.raw()
      #expect(try await second.textUntilClosed() == "")
      try await first.channel.close()
      try await listener.until { $0.openConnections == 0 }
      let third = try await listener.frames()
      third.request(1, "/")
      #expect(try await third.answer(to: 1).status(1) == "200")
    }
  }

  @Test func `a connection that says nothing is closed`() async throws {
    var limits = CheckServerLimits()
    limits.preface = .milliseconds(100)
    try await TestListener.run(limits) { listener in
      let client = try await listener.raw()
      // On a slow machine the connection may be closed before this is written.
      _ = try? await client.send("PRI * HT")
      #expect(try await client.textUntilClosed() == "")
    }
  }

  @Test func `an idle connection is bidden farewell and closed`() async throws {
    var limits = CheckServerLimits()
    // Long enough that a slow machine sends its request before it counts as idle.
    limits.idle = .seconds(2)
    try await TestListener.run(limits) { listener in
      let client = try await listener.frames()
      client.request(1, "/")
      let seen = try await client.wait { $0.isClosed }
      #expect(seen.status(1) == "200")
      #expect(seen.goAways.map(\.code) == [.noError, .noError])
      #expect(seen.goAways.last?.last == 1)
    }
  }

  @Test func `a peer that opens no window is closed`() async throws {
    var limits = CheckServerLimits()
    limits.stall = .milliseconds(200)
    try await TestListener.run(limits) { listener in
      let client = try await listener.frames(
        settings: [HTTP2Setting(parameter: .initialWindowSize, value: 10)])
      client.request(1, "/")
      let seen = try await client.wait { $0.isClosed }
      #expect(seen.body(1).utf8.count == 10)
      #expect(seen.goAways.map(\.code) == [.enhanceYourCalm])
    }
  }

  @Test func `a peer that does not read is closed and little is held for it`() async throws {
    var limits = CheckServerLimits()
    limits.stall = .milliseconds(500)
    try await TestListener.run(limits) { listener in
      let client = try await listener.frames(
        settings: [HTTP2Setting(parameter: .initialWindowSize, value: 1 << 30)])
      client.send(0, .windowUpdate(windowSizeIncrement: 1 << 30))
      client.request(1, "/")
      try await client.answer(to: 1)
      try await client.channel.setOption(.autoRead, value: false).get()
      for stream in stride(from: 3, to: 63, by: 2) { client.request(stream, "/big/8000000") }
      try await listener.until { $0.openConnections == 0 }
    }
  }

  @Test func `a later answer is no stall of the peer`() async throws {
    var limits = CheckServerLimits()
    limits.stall = .milliseconds(100)
    try await TestListener.run(limits) { listener in
      let client = try await listener.frames()
      client.request(1, "/later")
      try await listener.untilAsked()
      let promise = listener.group.next().makePromise(of: Void.self)
      listener.group.next().scheduleTask(in: .milliseconds(400)) {
        listener.responder.release()
        promise.succeed()
      }
      try await promise.futureResult.get()
      #expect(try await client.answer(to: 1).status(1) == "200")
    }
  }

  @Test func `shutdown says farewell, finishes what is in flight and takes no more`()
    async throws
  {
    try await TestListener.run(drain: .seconds(30)) { listener in
      let busy = try await listener.frames()
      let plain = try await listener.raw()
      busy.request(1, "/later")
      try await plain.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
      try await listener.untilAsked(count: 2)
      async let stopped: Void = listener.server.shutdown()
      try await busy.wait { $0.goAways.count == 2 }
      await #expect(throws: (any Error).self) { try await listener.raw() }
      listener.responder.release()
      let seen = try await busy.wait { $0.isClosed }
      #expect(seen.status(1) == "200")
      #expect(seen.goAways.map(\.code) == [.noError, .noError])
      #expect(seen.goAways.map(\.last) == [.maxID, 1])
      #expect(try await plain.textUntilClosed().hasSuffix("}"))
      await stopped
      #expect(listener.server.openConnections == 0)
    }
  }

  @Test func `shutdown cuts off what does not finish in time`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      client.request(1, "/later")
      try await listener.untilAsked()
      await listener.server.shutdown()
      #expect(try await client.wait { $0.isClosed }.headers(1) == nil)
      #expect(listener.server.openConnections == 0)
    }
  }
}

extension TestListener {
  /// Looks again and again, every ten milliseconds, for at most a minute.
  func until(_ isMet: @escaping @Sendable (CheckServer) -> Bool) async throws {
    let loop = group.next()
    let promise = loop.makePromise(of: Void.self)
    let server = server
    let task = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(10)) { _ in
      if isMet(server) { promise.succeed() }
    }
    loop.scheduleTask(in: .seconds(60)) { promise.fail(TimedOut(seen: "nothing")) }
    defer { task.cancel() }
    try await promise.futureResult.get()
  }

  /// Until requests to `/later` wait.
  func untilAsked(count: Int = 1) async throws {
    let waiting = responder.waiting
    try await until { _ in waiting.withLockedValue { $0.count } >= count }
  }
}
