import CheckServer
import NIOCore
import Testing

/// What a peer may not do, and what happens then. RFC 9113; the clauses stand beside the rows.
@Suite(.serialized)
struct HTTP2ProtocolTests {
  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [[UInt8]]
    let code: UInt8

    init(_ name: String, _ code: UInt8, _ bytes: [UInt8]...) {
      testDescription = name
      self.code = code
      self.bytes = bytes
    }
  }

  private typealias Raw = RawHTTP2

  static let faults: [Fault] = [
    Fault("3.4 no settings first", 1, Raw.ping),
    Fault("4.2 a frame longer than allowed", 6, Raw.settings, [0, 0x40, 1, 0, 0, 0, 0, 0, 1]),
    Fault("5.1 data on an idle stream", 1, Raw.settings, Raw.frame(0, 1, 1, [1])),
    Fault("5.1 reset of an idle stream", 1, Raw.settings, Raw.frame(3, 0, 1, [0, 0, 0, 8])),
    Fault("5.1 window of an idle stream", 1, Raw.settings, Raw.frame(8, 0, 1, [0, 0, 0, 1])),
    Fault("5.1.1 an even stream", 1, Raw.settings, Raw.get(2, "/")),
    Fault("5.1.1 a stream number used up", 5, Raw.settings, Raw.get(3, "/"), Raw.get(1, "/")),
    Fault("6.1 data on stream 0", 1, Raw.settings, Raw.frame(0, 1, 0, [1])),
    Fault(
      "6.1 padding longer than the payload", 1, Raw.settings,
      Raw.frame(1, 0xD, 1, [200] + Raw.request("/"))),
    Fault("6.2 headers on stream 0", 1, Raw.settings, Raw.get(0, "/")),
    Fault(
      "6.4 a reset of 3 bytes", 6, Raw.settings, Raw.get(1, "/"),
      Raw.frame(3, 0, 1, [0, 0, 0])),
    Fault("6.5 settings of 5 bytes", 6, Raw.frame(4, 0, 0, [0, 0, 0, 0, 0])),
    Fault("6.5 settings on a stream", 1, Raw.frame(4, 0, 1, [])),
    Fault(
      "6.5 an acknowledgement that says something", 6, Raw.settings,
      Raw.frame(4, 1, 0, [0, 3, 0, 0, 0, 1])),
    Fault("6.5.2 push neither 0 nor 1", 1, Raw.frame(4, 0, 0, [0, 2, 0, 0, 0, 2])),
    Fault("6.5.2 a window beyond 2^31-1", 3, Raw.frame(4, 0, 0, [0, 4, 0x80, 0, 0, 0])),
    Fault("6.5.2 a frame size too small", 1, Raw.frame(4, 0, 0, [0, 5, 0, 0, 0x3F, 0xFF])),
    Fault("6.6 a push promise", 1, Raw.settings, Raw.frame(5, 4, 1, [0, 0, 0, 2])),
    Fault("6.7 a ping of 7 bytes", 6, Raw.settings, Raw.frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7])),
    Fault("6.7 a ping on a stream", 1, Raw.settings, Raw.frame(6, 0, 1, [1, 2, 3, 4, 5, 6, 7, 8])),
    Fault(
      "6.8 a farewell on a stream", 1, Raw.settings,
      Raw.frame(7, 0, 1, [0, 0, 0, 0, 0, 0, 0, 0])),
    Fault("6.9 a window update of 3 bytes", 6, Raw.settings, Raw.frame(8, 0, 0, [0, 0, 1])),
    Fault("6.9 an increment of 0", 1, Raw.settings, Raw.frame(8, 0, 0, [0, 0, 0, 0])),
    Fault(
      "6.9.1 a connection window beyond 2^31-1", 3, Raw.settings,
      Raw.frame(8, 0, 0, [0x7F, 0xFF, 0xFF, 0xFF])),
    Fault(
      "6.10 a continuation of nothing", 1, Raw.settings,
      Raw.frame(9, 4, 1, Raw.request("/"))),
    Fault(
      "6.10 a ping inside a header block", 1, Raw.settings,
      Raw.frame(1, 1, 1, Raw.request("/")), Raw.ping),
    Fault(
      "6.10 a continuation of another stream", 1, Raw.settings,
      Raw.frame(1, 1, 1, Raw.request("/")), Raw.frame(9, 4, 3, [])),
    Fault("7541 2.3.3 an index of no table", 9, Raw.settings, Raw.frame(1, 5, 1, [0xFE])),
    Fault(
      "8.2.1 a header without a name", 9, Raw.settings,
      Raw.frame(1, 5, 1, Raw.request("/", more: [("", "x")]))),
    Fault(
      "7541 4.2 a table larger than allowed", 9, Raw.settings,
      Raw.frame(1, 5, 1, [0x3F, 0xFF, 0xFF, 0x03])),
    Fault(
      "limit: header list", 11, Raw.settings,
      Raw.frame(1, 1, 1, Raw.request("/", more: [("x", String(repeating: "y", count: 16_300))])),
      Raw.longLine, Raw.longLine, Raw.longLine, Raw.longLine),
  ]

  @Test(arguments: faults)
  func `a fault of the connection is told and ends it`(fault: Fault) async throws {
    try await TestListener.run { listener in
      let client = try await RawHTTP2.connect(listener)
      try await client.send(fault.bytes.flatMap(\.self))
      let frames = try await client.framesUntilClosed()
      let goAway = try #require(frames.last { $0.kind == 7 })
      #expect(goAway.payload[4...7] == [0, 0, 0, fault.code])
    }
  }

  @Test(arguments: [
    ("a window beyond 2^31-1", RawHTTP2.frame(8, 0, 1, [0x7F, 0xFF, 0xFF, 0xFF]), UInt8(3)),
    ("an increment of 0", RawHTTP2.frame(8, 0, 1, [0, 0, 0, 0]), 1),
    ("data after the end", RawHTTP2.frame(0, 1, 1, [1]), 5),
    ("a priority of 4 bytes", RawHTTP2.frame(2, 0, 1, [0, 0, 0, 0]), 6),
    ("a stream that depends on itself", RawHTTP2.frame(2, 0, 1, [0, 0, 0, 1, 0]), 1),
  ])
  func `a fault of a stream ends that stream only`(
    name: String, bytes: [UInt8], code: UInt8
  ) async throws {
    try await TestListener.run { listener in
      let client = try await RawHTTP2.connect(listener)
      try await client.send(RawHTTP2.settings, RawHTTP2.get(1, "/later"), bytes)
      try await client.send(RawHTTP2.get(3, "/"))
      let frames = try await client.frames { $0.contains { $0.kind == 0 && $0.stream == 3 } }
      #expect(frames.first { $0.kind == 3 }?.payload == [0, 0, 0, code])
      #expect(frames.first { $0.kind == 3 }?.stream == 1)
    }
  }

  @Test func `a preface and a request that come byte by byte are understood`() async throws {
    try await TestListener.run { listener in
      let raw = try await listener.raw()
      let block = RawHTTP2.request("/")
      let bytes =
        RawHTTP2.preface + RawHTTP2.settings + RawHTTP2.frame(1, 1, 1, Array(block[..<9]))
        + RawHTTP2.frame(9, 0, 1, Array(block[9..<20]))
        + RawHTTP2.frame(9, 4, 1, Array(block[20...]))
      for byte in bytes { try await raw.send(ByteBuffer(bytes: [byte])) }
      let frames = try await RawHTTP2(raw: raw).frames { $0.contains { $0.kind == 0 } }
      let data = try #require(frames.first { $0.kind == 0 })
      #expect(data.payload == Array(#"{"status":"BLACKLISTED"}"#.utf8))
      let settings = frames.filter { $0.kind == 4 }
      #expect(settings.map(\.flags) == [0, 1])
    }
  }

  @Test func `padding is no part of a header block or a body, but of the window`() async throws {
    try await TestListener.run { listener in
      let client = try await RawHTTP2.connect(listener)
      let padding = [UInt8](repeating: 0, count: 200)
      try await client.send(
        RawHTTP2.settings, RawHTTP2.frame(1, 0xC, 1, [200] + RawHTTP2.request("/count") + padding))
      for _ in 0..<2_999 { try await client.send(RawHTTP2.frame(0, 0x8, 1, [200, 7] + padding)) }
      try await client.send(RawHTTP2.frame(0, 0x9, 1, [0, 7]))
      let frames = try await client.frames { $0.contains { $0.kind == 0 } }
      #expect(frames.first { $0.kind == 0 }?.payload == Array("3000".utf8))
      let updates = frames.filter { $0.kind == 8 }
      #expect(updates.contains { $0.stream == 0 } && updates.contains { $0.stream == 1 })
    }
  }

  @Test func `unknown frames, priorities and pings are taken and pings are echoed`()
    async throws
  {
    try await TestListener.run { listener in
      let client = try await RawHTTP2.connect(listener)
      try await client.send(
        RawHTTP2.settings, RawHTTP2.frame(0xAA, 0xFF, 77, [1, 2, 3]),
        RawHTTP2.frame(2, 0, 3, [0, 0, 0, 0, 16]),
        RawHTTP2.frame(1, 0x25, 5, [0x80, 0, 0, 1, 5] + RawHTTP2.request("/")), RawHTTP2.ping)
      let frames = try await client.frames { $0.contains { $0.kind == 6 } }
      #expect(frames.contains { $0.kind == 0 && $0.stream == 5 })
      #expect(frames.last { $0.kind == 6 }?.payload == [1, 2, 3, 4, 5, 6, 7, 8])
      #expect(frames.last { $0.kind == 6 }?.flags == 1)
    }
  }

  @Test(arguments: [
    ("resets", [RawHTTP2.get(1, "/later"), RawHTTP2.frame(3, 0, 1, [0, 0, 0, 8])]),
    ("pings", [RawHTTP2.ping]),
    ("settings", [RawHTTP2.settings]),
    ("empty data", [RawHTTP2.frame(0, 0, 1, [])]),
    ("frames of no meaning", [RawHTTP2.frame(0xAA, 0, 0, [])]),
  ])
  func `what is sent too often ends the connection`(name: String, unit: [[UInt8]]) async throws {
    var limits = CheckServerLimits()
    limits.resets = 20
    limits.controlFrames = 20
    try await TestListener.run(limits) { listener in
      let client = try await RawHTTP2.connect(listener)
      var flood = RawHTTP2.settings + RawHTTP2.frame(1, 4, 1, RawHTTP2.request("/later"))
      for turn in 1...30 {
        for part in unit {
          var part = part
          // Each request of rapid reset has a stream of its own.
          if name == "resets" { part[8] = UInt8(turn * 2 + 1) }
          flood += part
        }
      }
      try await client.send(flood)
      let goAway = try #require(try await client.framesUntilClosed().last { $0.kind == 7 })
      #expect(goAway.payload[4...7] == [0, 0, 0, 11])
    }
  }

  @Test func `a header block in too many parts ends the connection`() async throws {
    try await TestListener.run { listener in
      let client = try await RawHTTP2.connect(listener)
      var flood = RawHTTP2.settings + RawHTTP2.frame(1, 1, 1, RawHTTP2.request("/"))
      for _ in 0..<10 { flood += RawHTTP2.frame(9, 0, 1, []) }
      try await client.send(flood)
      let goAway = try #require(try await client.framesUntilClosed().last { $0.kind == 7 })
      #expect(goAway.payload[4...7] == [0, 0, 0, 11])
    }
  }
}
