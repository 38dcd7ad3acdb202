import Diameter
import NIOCore
import Simulation
import Testing

/// The responder's half of the peer state machine. RFC 6733, 5.
struct PeerSessionTests {
  private struct NoMessage: Error {}

  /// One connection, without sockets.
  private struct Connection {
    var session: PeerSession
    var watchdog: PeerWatchdog
    private(set) var answers: [DiameterReading] = []

    init() throws {
      var chance = SeededGenerator(seed: 1)
      session = PeerSession(
        local: LocalNode(
          host: try #require(DiameterIdentity("eir.example.org")),
          realm: try #require(DiameterIdentity("example.org")), productName: "OpenCEIR",
          originStateID: 7), address: PeerAddress([127, 0, 0, 1]), requestNumber: 100)
      watchdog = PeerWatchdog(interval: .seconds(30), asOf: .uptimeNanoseconds(0), using: &chance)
    }

    mutating func take(_ bytes: [UInt8]) throws -> PeerSession.Outcome {
      let message = bytes.span.bytes
      guard case .message(let header) = MessageFrame(in: message, at: 0, mostBytes: 65_536) else {
        throw NoMessage()
      }
      var buffer = ByteBuffer()
      let outcome = session.received(header, message, watchdog: &watchdog, into: &buffer)
      try read(buffer)
      return outcome
    }

    mutating func open() throws {
      guard case .admit = try take(DiameterBytes.capabilities()) else {
        throw NoMessage()
      }
      try change { session, buffer in session.admit(into: &buffer) }
    }

    mutating func change(
      _ body: (inout PeerSession, inout ByteBuffer) -> Void
    ) throws {
      var buffer = ByteBuffer()
      body(&session, &buffer)
      try read(buffer)
    }

    private mutating func read(_ buffer: ByteBuffer) throws {
      let (messages, rest) = DiameterReading.split(Array(buffer.readableBytesView))
      #expect(rest.isEmpty)
      answers += try messages.map { try #require(DiameterReading($0)) }
    }
  }

  private static let relay = DiameterBytes.avp(258, number: 0xFFFF_FFFF)
  private static let bare = DiameterBytes.avp(258, number: 16_777_252)
  private static let accounting = DiameterBytes.avp(259, number: 16_777_252)
  private static let otherVendor = DiameterBytes.avp(
    260, DiameterBytes.avp(266, number: 99) + DiameterBytes.avp(258, number: 16_777_252))
  private static let s6a = DiameterBytes.avp(258, number: 16_777_251)

  @Test(arguments: [DiameterBytes.s13Application, bare, relay])
  func `a peer with S13 comes in, in whatever form it says so`(application: [UInt8]) throws {
    var connection = try Connection()
    let outcome = try connection.take(
      DiameterBytes.capabilities(applications: [Self.s6a, application]))
    guard case .admit(let peer) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(peer.host == DiameterIdentity("mme1.example.org"))
    #expect(connection.answers.isEmpty, "nothing is said before it is known who it is")
    try connection.change { session, buffer in session.admit(into: &buffer) }
    let answer = try #require(connection.answers.first)
    #expect(answer.flags == 0)
    #expect((answer.command, answer.application) == (257, 0))
    #expect((answer.hopByHop, answer.endToEnd) == (1, 0x8000_0001))
    #expect(answer.resultCode == 2001)
    #expect(answer[264]?.text == "eir.example.org")
    #expect(answer[296]?.text == "example.org")
    #expect(answer[257]?.data == [0, 1, 127, 0, 0, 1])
    #expect(answer[269]?.flags == 0, "Product-Name must not have the M bit")
    #expect(answer[278]?.number == 7)
    #expect(answer[265]?.number == 10_415)
    #expect(answer[260]?.items?.map(\.number) == [10_415, 16_777_252])
  }

  @Test func `capabilities that cannot be served are refused, and the connection ends`() throws {
    let rows: [([UInt8], UInt32, UInt8)] = [
      (DiameterBytes.capabilities(applications: [Self.s6a]), 5010, 0),
      (DiameterBytes.capabilities(applications: []), 5010, 0),
      (DiameterBytes.capabilities(applications: [Self.accounting]), 5010, 0),
      (DiameterBytes.capabilities(applications: [Self.otherVendor]), 5010, 0),
      (DiameterBytes.capabilities(host: "EIR.example.org"), 3010, 0x20),
      (DiameterBytes.capabilities(more: [DiameterBytes.avp(299, number: 1)]), 5017, 0),
      (DiameterBytes.capabilities(more: [DiameterBytes.avp(264, "x")]), 5009, 0),
      (DiameterBytes.capabilities(more: [DiameterBytes.avp(60_000, number: 1)]), 5001, 0),
      (DiameterBytes.capabilities(host: "m me"), 5004, 0),
      (
        DiameterBytes.message(
          257, application: 0, flags: 0x80, [DiameterBytes.avp(296, "x"), Self.bare]), 5005, 0
      ),
      (DiameterBytes.message(257, application: 0, flags: 0xA0, [Self.bare]), 3008, 0x20),
    ]
    for (bytes, code, flags) in rows {
      var connection = try Connection()
      #expect(try connection.take(bytes) == .close(ResultCode(rawValue: code)))
      let answer = try #require(connection.answers.first)
      #expect(answer.resultCode == code)
      #expect(answer.flags == flags)
      #expect(answer[264]?.text == "eir.example.org")
      #expect(connection.session.state == .closed)
    }
  }

  @Test func `who offers no inband security among others comes in`() throws {
    var connection = try Connection()
    let outcome = try connection.take(
      DiameterBytes.capabilities(
        more: [DiameterBytes.avp(299, number: 1), DiameterBytes.avp(299, number: 0)]))
    guard case .admit = outcome else {
      Issue.record("\(outcome)")
      return
    }
  }

  @Test func `a peer that is not wanted is told so with the E bit`() throws {
    var connection = try Connection()
    _ = try connection.take(DiameterBytes.capabilities())
    try connection.change { session, buffer in session.refuse(.unknownPeer, into: &buffer) }
    #expect(connection.answers.first?.resultCode == 3010)
    #expect(connection.answers.first?.flags == 0x20)
    #expect(connection.session.state == .closed)
  }

  @Test func `what comes before the capabilities ends the connection without a word`() throws {
    for bytes in [
      DiameterBytes.checkRequest(), DiameterBytes.message(280, application: 0, flags: 0x80, []),
      DiameterBytes.message(257, application: 0, flags: 0, []),
    ] {
      var connection = try Connection()
      #expect(try connection.take(bytes) == .close())
      #expect(connection.answers.isEmpty)
    }
  }

  @Test func `a watchdog is answered at once, also right after the capabilities`() throws {
    var connection = try Connection()
    try connection.open()
    let request = DiameterBytes.message(
      280, application: 0, flags: 0x80, number: 9, [DiameterBytes.avp(264, "mme1.example.org")])
    #expect(try connection.take(request) == .goOn)
    let answer = try #require(connection.answers.last)
    #expect((answer.command, answer.hopByHop, answer.resultCode) == (280, 9, 2001))
    #expect(answer[278]?.number == 7)
  }

  @Test func `who asks to be let go is let go`() throws {
    var connection = try Connection()
    try connection.open()
    let request = DiameterBytes.message(
      282, application: 0, flags: 0x80, number: 9, [DiameterBytes.avp(273, number: 0)])
    #expect(try connection.take(request) == .close())
    #expect(connection.answers.last?.command == 282)
    #expect(connection.answers.last?.resultCode == 2001)
  }

  @Test(
    arguments: [
      (324, 16_777_252, 0xE0, 3008), (999, 16_777_252, 0xC0, 3001), (999, 0, 0x80, 3001),
      (318, 16_777_251, 0xC0, 3007), (280, 16_777_251, 0x80, 3007),
    ] as [(UInt32, UInt32, UInt8, UInt32)])
  func `what is not served is refused with the E bit, and the connection stays`(
    command: UInt32, application: UInt32, flags: UInt8, code: UInt32
  ) throws {
    var connection = try Connection()
    try connection.open()
    let request = DiameterBytes.message(
      command, application: application, flags: flags,
      [
        DiameterBytes.avp(264, "mme1.example.org"), DiameterBytes.avp(263, "a;1;2"),
        DiameterBytes.avp(284, DiameterBytes.avp(280, "p") + DiameterBytes.avp(33, [1, 2, 3])),
      ])
    #expect(try connection.take(request) == .refused(try #require(ResultCode(rawValue: code))))
    let answer = try #require(connection.answers.last)
    #expect(answer.resultCode == code)
    #expect(answer.flags == flags & 0x40 | 0x20)
    #expect((answer.command, answer.application) == (command, application))
    #expect(answer.items.first?.code == 263, "the Session-Id comes first")
    #expect(answer.items.last?.code == 284, "Proxy-Info comes back")
    #expect(connection.session.state == .open)
  }

  @Test func `answers to nothing are passed over`() throws {
    var connection = try Connection()
    try connection.open()
    for command in [257, 280, 282, 324, 999] as [UInt32] {
      let bytes = DiameterBytes.message(command, application: 0, flags: 0, [])
      #expect(try connection.take(bytes) == .goOn)
    }
    #expect(connection.answers.count == 1)
    #expect(connection.session.state == .open)
  }

  @Test func `we ask to be let go, answer what is on the way, and end with the answer`() throws {
    var connection = try Connection()
    try connection.open()
    try connection.change { session, buffer in
      #expect(session.disconnect(into: &buffer) == .goOn)
    }
    let request = try #require(connection.answers.last)
    #expect((request.command, request.flags) == (282, 0x80))
    #expect(request[273]?.number == 0)
    #expect(try connection.take(DiameterBytes.checkRequest()) == .request)
    let answer = DiameterBytes.message(
      282, application: 0, flags: 0, number: request.hopByHop,
      [DiameterBytes.avp(268, number: 2001)])
    #expect(try connection.take(answer) == .close())
  }

  @Test func `a peer tells its capabilities again, and nobody else does`() throws {
    var connection = try Connection()
    try connection.open()
    #expect(try connection.take(DiameterBytes.capabilities(number: 5)) == .goOn)
    #expect(connection.answers.last?.resultCode == 2001)
    #expect(
      try connection.take(DiameterBytes.capabilities(host: "mme2.example.org", number: 6))
        == .close(.unknownPeer))
    #expect(connection.answers.last?.hopByHop == 6)
  }

  @Test func `a watchdog asks after a silence, and gives up after three`() {
    var chance = SeededGenerator(seed: 20_261_128)
    func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }
    var watchdog = PeerWatchdog(interval: .seconds(30), asOf: at(0), using: &chance)
    #expect(watchdog.tick(asOf: at(27), using: &chance) == .none)
    #expect(watchdog.tick(asOf: at(32), using: &chance) == .ask)
    #expect(watchdog.tick(asOf: at(33), using: &chance) == .none)
    watchdog.heard(asOf: at(34))
    watchdog.answered()
    #expect(watchdog.tick(asOf: at(61), using: &chance) == .none)
    #expect(watchdog.tick(asOf: at(66), using: &chance) == .ask)
    #expect(watchdog.tick(asOf: at(98), using: &chance) == .none, "suspect")
    #expect(watchdog.tick(asOf: at(130), using: &chance) == .close)
  }
}
