import CheckServer
import NIOCore
import Simulation
import Testing

/// Whatever bytes come, the listener goes on answering others.
@Suite(.serialized)
struct NoiseTests {
  @Test func `frames with bytes changed at random harm nobody else`() async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    try await TestListener.run { listener in
      let good =
        RawHTTP2.settings + RawHTTP2.get(1, "/")
        + RawHTTP2.frame(1, 4, 3, RawHTTP2.request("/count"))
        + RawHTTP2.frame(0, 8, 3, [2, 7, 7, 0, 0]) + RawHTTP2.frame(8, 0, 0, [0, 0, 1, 0])
        + RawHTTP2.frame(9, 4, 5, []) + RawHTTP2.get(7, "/big/70000") + RawHTTP2.get(9, "/later")
        + RawHTTP2.frame(4, 0, 0, [0, 4, 0, 0, 0, 9]) + RawHTTP2.ping
      for _ in 0..<300 {
        var bytes = good
        for _ in 0...Int.random(in: 0..<6, using: &chance) {
          let index = Int.random(in: 0..<bytes.count, using: &chance)
          bytes[index] = UInt8.random(in: 0...255, using: &chance)
        }
        bytes.removeLast(Int.random(in: 0..<20, using: &chance))
        let client = try await RawHTTP2.connect(listener)
        client.raw.channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        client.raw.channel.close(promise: nil)
      }
      let client = try await listener.frames()
      client.request(1, "/")
      #expect(try await client.answer(to: 1).status(1) == "200")
      try await client.channel.close()
      try await listener.until { $0.openConnections == 0 }
    }
  }
}
