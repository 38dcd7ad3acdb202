import Diameter
import NIOCore
import Simulation
import Testing

/// Bytes that nobody meant: whatever comes is refused or answered, and nothing else happens.
struct NoiseTests {
  @Test(arguments: [20_261_128, 20_261_129] as [UInt64])
  func `mangled messages are refused or answered with messages`(seed: UInt64) throws {
    print("seed \(seed)")
    var chance = SeededGenerator(seed: seed)
    let local = LocalNode(
      host: try #require(DiameterIdentity("eir.example.org")),
      realm: try #require(DiameterIdentity("example.org")), productName: "OpenCEIR",
      originStateID: 7)
    let samples = [
      DiameterBytes.capabilities(), DiameterBytes.checkRequest(),
      DiameterBytes.message(280, application: 0, flags: 0x80, []),
      DiameterBytes.message(282, application: 0, flags: 0x80, [DiameterBytes.avp(273, number: 0)]),
    ]
    var answerCount = 0
    for _ in 0..<20_000 {
      var session = PeerSession(local: local, address: nil, requestNumber: 1)
      var watchdog = PeerWatchdog(
        interval: .seconds(30), asOf: .uptimeNanoseconds(0), using: &chance)
      var buffer = ByteBuffer()
      for sample in [DiameterBytes.capabilities()] + samples {
        var bytes = sample
        for _ in 0..<Int.random(in: 0...3, using: &chance) {
          bytes[Int.random(in: 0..<bytes.count, using: &chance)] = UInt8.random(
            in: 0...255, using: &chance)
        }
        let message = bytes.span.bytes
        switch MessageFrame(in: message, at: 0, mostBytes: 65_536) {
        case .incomplete: break
        case .broken(let header, let refusal): session.broken(header, refusal, into: &buffer)
        case .message(let header):
          let whole = message.extracting(0..<header.length)
          if case .admit = session.received(header, whole, watchdog: &watchdog, into: &buffer) {
            session.admit(into: &buffer)
          }
        }
      }
      let (messages, rest) = DiameterReading.split(Array(buffer.readableBytesView))
      try #require(rest.isEmpty)
      answerCount += messages.count
      for message in messages { try #require(DiameterReading(message, anyPadding: true) != nil) }
    }
    #expect(answerCount > 20_000)
  }
}
