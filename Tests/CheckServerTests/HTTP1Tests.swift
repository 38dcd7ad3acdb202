import CheckServer
import NIOCore
import Testing

/// HTTP/1.1 for tools. RFC 9112.
@Suite(.serialized)
struct HTTP1Tests {
  private func exchange(_ text: String, limits: CheckServerLimits = .init()) async throws -> String
  {
    try await TestListener.run(limits) { listener in
      let client = try await listener.raw()
      try await client.send(text)
      return try await client.textUntilClosed()
    }
  }

  @Test func `a request is answered and the connection kept or closed as asked`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.raw()
      try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      let first = try await client.text { text, _ in text.hasSuffix("}") }
      #expect(first.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(first.contains("\r\ncontent-length: 24\r\n"))
      #expect(first.contains("\r\ndate: "))
      try await client.send("GET /method HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      let both = try await client.textUntilClosed()
      #expect(both.dropFirst(first.count).contains("connection: close\r\n"))
      #expect(both.hasSuffix("\r\n\r\nGET"))
    }
  }

  @Test func `HEAD and 204 have no body`() async throws {
    let text = try await exchange(
      "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    let answers = text.components(separatedBy: "\r\n\r\n")
    #expect(answers.count == 3)
    #expect(answers[0].contains("content-length: 24"))
    #expect(answers[1].hasPrefix("HTTP/1.1 204 "))
    #expect(answers[2] == "")
  }

  @Test func `pipelined requests are answered in their order, also when the first is late`()
    async throws
  {
    try await TestListener.run { listener in
      let client = try await listener.raw()
      try await client.send(
        "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
          + "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
          + "GET /method HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      try await listener.untilAsked()
      listener.responder.release()
      let text = try await client.textUntilClosed()
      let bodies = text.components(separatedBy: "HTTP/1.1 200 OK").dropFirst()
        .map { $0.components(separatedBy: "\r\n\r\n").last }
      #expect(bodies == [#"{"status":"BLACKLISTED"}"#, "3", "GET"])
    }
  }

  @Test func `a chunked body is counted and HTTP 1 point 0 closes`() async throws {
    let chunked = try await exchange(
      "POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        + "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
    #expect(chunked.hasSuffix("\r\n\r\n7"))
    #expect(try await exchange("GET /method HTTP/1.0\r\n\r\n").hasSuffix("\r\n\r\nGET"))
  }

  @Test func `a target in absolute form is the path in it`() async throws {
    let text = try await exchange(
      "GET http://x:80/method HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    #expect(text.hasSuffix("\r\n\r\nGET"))
  }

  @Test func `leave to send a body is given, and not for one too long`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.raw()
      try await client.send(
        "POST /count HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
      _ = try await client.text { text, _ in text.hasPrefix("HTTP/1.1 100 Continue\r\n\r\n") }
      try await client.send("abc")
      _ = try await client.text { text, _ in text.hasSuffix("\r\n\r\n3") }
      try await client.send(
        "POST /count HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n"
      )
      let text = try await client.textUntilClosed()
      #expect(text.contains("HTTP/1.1 413 "))
      #expect(text.components(separatedBy: "100 Continue").count == 2)
    }
  }

  @Test(arguments: [
    (
      "POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "100\r\n\(String(repeating: "a", count: 256))\r\n0\r\n\r\n", "413"
    ),
    ("GET /\(String(repeating: "a", count: 5_000)) HTTP/1.1\r\nHost: x\r\n\r\n", "414"),
    ("GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "a", count: 20_000))\r\n\r\n", "431"),
    ("GET / HTTP/1.1\r\n\(String(repeating: "X: a\r\n", count: 100))\r\n", "431"),
    ("nonsense\r\n\r\n", "400"),
    ("FOO / HTTP/1.1\r\nHost: x\r\n\r\n", "501"),
    ("GET / HTTP/1.1\r\n\r\n", "400"),
    ("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "400"),
    ("GET / HTTP/1.0\r\nHost: x\r\nhost: y\r\n\r\n", "400"),
    ("HEAD / HTTP/1.1\r\n\r\n", "400"),
    (
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"
    ),
    ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "400"),
  ])
  func `what is too long or malformed is refused and the connection closed`(
    text: String, status: String
  ) async throws {
    var limits = CheckServerLimits()
    limits.bodyBytes = 200
    #expect(try await exchange(text, limits: limits).hasPrefix("HTTP/1.1 \(status) "))
  }

  @Test func `what is not answered in time is 504, and the next request is served`() async throws {
    var limits = CheckServerLimits()
    limits.answer = .milliseconds(100)
    try await TestListener.run(limits) { listener in
      let client = try await listener.raw()
      try await client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
      _ = try await client.text { text, _ in
        text.hasPrefix("HTTP/1.1 504 ") && text.hasSuffix("}")
      }
      listener.responder.release()
      try await client.send("GET /method HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      let text = try await client.textUntilClosed()
      #expect(text.components(separatedBy: "HTTP/1.1 ").count == 3)
      #expect(text.hasSuffix("\r\n\r\nGET"))
    }
  }

  /// By far shorter than ``CheckServerLimits/idle``; on a slow machine a request still comes in it.
  private static let shortStall: CheckServerLimits = {
    var limits = CheckServerLimits()
    limits.stall = .seconds(1)
    return limits
  }()

  @Test func `a first request that does not come whole ends its connection, and silence none`()
    async throws
  {
    try await TestListener.run(Self.shortStall) { listener in
      let silent = try await listener.raw()
      try await silent.send("GET /method HTTP/1.1\r\nHost: x\r\n\r\n")
      _ = try await silent.text { text, _ in text.hasSuffix("GET") }
      for beginning in ["G", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        let slow = try await listener.raw()
        try await slow.send(beginning)
        #expect(try await slow.textUntilClosed() == "")
      }
      try await silent.send("GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(try await silent.textUntilClosed().contains("HTTP/1.1 204 "))
    }
  }

  @Test func `nor may a later request stay unfinished`() async throws {
    try await TestListener.run(Self.shortStall) { listener in
      let client = try await listener.raw()
      try await client.send("GET /method HTTP/1.1\r\nHost: x\r\n\r\n")
      _ = try await client.text { text, _ in text.hasSuffix("GET") }
      try await client.send("GET / HT")
      #expect(try await client.textUntilClosed().hasSuffix("\r\n\r\nGET"))
    }
  }

  @Test func `a request that trickles in for too long is cut off`() async throws {
    var limits = CheckServerLimits()
    limits.idle = .seconds(2)
    try await TestListener.run(limits) { listener in
      let client = try await listener.raw()
      let trickle = client.channel.eventLoop.scheduleRepeatedTask(
        initialDelay: .zero, delay: .milliseconds(20)
      ) { _ in client.channel.writeAndFlush(ByteBuffer(string: "X-A: 1\r\n"), promise: nil) }
      client.channel.writeAndFlush(ByteBuffer(string: "GET / HTTP/1.1\r\n"), promise: nil)
      _ = try await client.textUntilClosed()
      trickle.cancel()
    }
  }
}

extension String {
  fileprivate func components(separatedBy separator: String) -> [String] {
    var parts: [String] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    return parts + [String(rest)]
  }
}
