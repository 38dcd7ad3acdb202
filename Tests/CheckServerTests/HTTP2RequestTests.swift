import CheckServer
import NIOCore
import NIOHPACK
import NIOHTTP2
import Testing

/// Requests and their answers over HTTP/2, with NIO's client at the other end.
@Suite(.serialized)
struct HTTP2RequestTests {
  @Test func `a request is answered with its length, type and date`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      client.request(1, "/")
      let seen = try await client.answer(to: 1)
      #expect(seen.status(1) == "200")
      #expect(seen.body(1) == #"{"status":"BLACKLISTED"}"#)
      #expect(seen.headers(1)?.first(name: "content-type") == "application/json")
      #expect(seen.headers(1)?.first(name: "content-length") == "24")
      #expect(seen.headers(1)?.first(name: "date")?.hasSuffix(" GMT") == true)
    }
  }

  @Test func `HEAD has the header of GET and no body, 204 neither body nor type`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      client.request(1, "/", method: "HEAD")
      client.request(3, "/none")
      let seen = try await client.answer(to: 3)
      #expect(seen.isComplete(1))
      #expect(seen.headers(1)?.first(name: "content-length") == "24")
      #expect(seen.body(1) == "")
      #expect(seen.status(3) == "204")
      #expect(seen.headers(3)?.contains(name: "content-type") == false)
    }
  }

  @Test func `many requests in one burst are all answered`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      try await client.wait { !$0.frames.isEmpty }  // The settings: 128 streams from here on.
      for stream in stride(from: 1, to: 201, by: 2) { client.request(stream, "/") }
      let seen = try await client.wait { seen in
        stride(from: 1, to: 201, by: 2).allSatisfy { seen.isComplete($0) }
      }
      #expect(stride(from: 1, to: 201, by: 2).allSatisfy { seen.status($0) == "200" })
    }
  }

  @Test func `a body in parts that trailers end is whole when it is answered`()
    async throws
  {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      client.request(1, "/count", method: "POST", isComplete: false)
      client.body(1, ByteBuffer(repeating: 1, count: 1_000), isLast: false)
      client.body(1, ByteBuffer(repeating: 1, count: 500), isLast: false)
      client.send(1, .headers(.init(headers: ["x-checksum": "1"], endStream: true)))
      #expect(try await client.answer(to: 1).body(1) == "1500")
    }
  }

  @Test func `a later answer comes when it is ready and holds up no other`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      client.request(1, "/later")
      client.request(3, "/")
      let seen = try await client.answer(to: 3)
      #expect(!seen.isComplete(1))
      listener.responder.release()
      #expect(try await client.answer(to: 1).status(1) == "200")
    }
  }

  @Test func `a later answer that fails is 500, one that was reset is dropped`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      client.request(1, "/later")
      client.request(3, "/later")
      client.request(5, "/")
      try await client.answer(to: 5)
      client.send(1, .rstStream(.cancel))
      client.request(7, "/")
      try await client.answer(to: 7)
      listener.responder.release(.failure(ChannelError.eof))
      let seen = try await client.answer(to: 3)
      #expect(seen.status(3) == "500")
      #expect(seen.headers(1) == nil)
    }
  }

  @Test func `a repeated header line is joined by commas`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      client.request(1, "/agent", more: [("user-agent", "AMF-1"), ("user-agent", "x")])
      #expect(try await client.answer(to: 1).body(1) == "AMF-1, x")
    }
  }

  @Test func `a peer that asks for leave to send its body is given it`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames()
      client.request(
        1, "/count", method: "POST", more: [("expect", "100-continue")], isComplete: false)
      try await client.wait { $0.status(1) == "100" }
      client.body(1, ByteBuffer(string: "abc"), isLast: true)
      #expect(try await client.answer(to: 1).body(1) == "3")
    }
  }

  @Test(arguments: [
    [("Capital", "x")],
    [("connection", "close")],
    [("transfer-encoding", "chunked")],
    [("te", "gzip")],
    [("x", "a\r\nb")],
    [("x", "\u{0}")],
    [("x", " padded")],
    [(":path", "/again")],
    [("x", "y"), (":authority", "late")],
    [(":status", "200")],
    [("content-length", "-1")],
    [("content-length", "5")],
    [("content-length", "0"), ("content-length", "1")],
  ])
  func `a malformed request is reset and the connection goes on`(
    more: [(String, String)]
  ) async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames(validation: .disabled)
      client.request(1, "/", more: more)
      client.request(3, "/")
      let seen = try await client.answer(to: 3)
      #expect(seen.reset(1) == .protocolError)
      #expect(seen.status(3) == "200")
    }
  }

  @Test(arguments: [
    [(":method", "GET"), (":scheme", "http")],
    [(":method", "GET"), (":path", "/")],
    [(":scheme", "http"), (":path", "/")],
    [(":method", "GET"), (":scheme", "http"), (":path", "")],
    [(":method", "CONNECT"), (":scheme", "http"), (":path", "/"), (":authority", "x")],
    [(":method", "CONNECT")],
  ])
  func `a request without what it must have is reset`(lines: [(String, String)]) async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames(validation: .disabled)
      client.send(1, .headers(.init(headers: HPACKHeaders(lines), endStream: true)))
      #expect(try await client.wait { $0.reset(1) != nil }.reset(1) == .protocolError)
    }
  }

  @Test func `a body shorter or longer than announced is reset`() async throws {
    try await TestListener.run { listener in
      let client = try await listener.frames(validation: .disabled)
      for (stream, length) in [(1, "4"), (3, "2")] {
        client.request(
          stream, "/count", method: "POST", more: [("content-length", length)], isComplete: false)
        client.body(stream, ByteBuffer(string: "abc"), isLast: true)
      }
      let seen = try await client.wait { $0.reset(1) != nil && $0.reset(3) != nil }
      #expect(seen.reset(1) == .protocolError)
      #expect(seen.reset(3) == .protocolError)
    }
  }
}
