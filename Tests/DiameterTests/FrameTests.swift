import Diameter
import Simulation
import Testing

/// RFC 6733, 3 and 4.1: where a message and its parts begin and end.
struct FrameTests {
  private static func frame(_ bytes: [UInt8], mostBytes: Int = 1_024) -> MessageFrame {
    MessageFrame(in: bytes.span.bytes, at: 0, mostBytes: mostBytes)
  }

  private static func avp(_ bytes: [UInt8]) throws -> AVP {
    try AVP(in: bytes.span.bytes, at: 0, upTo: bytes.count)
  }

  private static func isNamed(_ name: DiameterIdentity, by text: String) -> Bool {
    name.isNamed(by: Array(text.utf8).span.bytes)
  }

  @Test func `a message is whole when its last byte has come`() {
    let bytes = DiameterBytes.checkRequest()
    for count in 0..<bytes.count {
      #expect(Self.frame(Array(bytes.prefix(count))) == .incomplete)
    }
    guard case .message(let header) = Self.frame(bytes + [1, 2, 3]) else {
      Issue.record("a whole message is none")
      return
    }
    #expect(header.length == bytes.count)
    #expect(header.command == .meIdentityCheck)
    #expect(header.application == .s13)
    #expect(header.flags == [.request, .proxiable])
    #expect(header.hopByHop == 2)
    #expect(header.endToEnd == 0x8000_0002)
    #expect(header.answer().flags == .proxiable)
    #expect(header.answer(isError: true).flags == [.proxiable, .error])
  }

  @Test(
    arguments: [
      (1, 16, .invalidMessageLength), (1, 22, .invalidMessageLength),
      (1, 1_028, .invalidMessageLength), (2, 20, .unsupportedVersion),
      (0, 20, .unsupportedVersion),
    ] as [(UInt8, Int, ResultCode)])
  func `where the next message begins may be lost`(
    version: UInt8, length: Int, code: ResultCode
  ) {
    let bytes = DiameterBytes.message(
      280, application: 0, flags: 0x80, [], version: version, length: length)
    guard case .broken(_, let refusal) = Self.frame(bytes) else {
      Issue.record("taken for a message")
      return
    }
    #expect(refusal == DiameterRefusal(code))
  }

  @Test func `an AVP says where it ends and what it is`() throws {
    let one = DiameterBytes.avp(1, "001010123456789")
    let other = DiameterBytes.avp(1402, vendor: 10_415, "49015420323751")
    let bytes = one + other
    let first = try AVP(in: bytes.span.bytes, at: 0, upTo: bytes.count)
    #expect(first.code == .userName)
    #expect(first.data == 8..<23)
    #expect(first.end == one.count)
    let second = try AVP(in: bytes.span.bytes, at: first.end, upTo: bytes.count)
    #expect(second.code == AVPKey(1402, vendor: AVPKey.vendor3GPP))
    #expect(second.data.count == 14)
    #expect(second.end == bytes.count)
  }

  @Test(
    arguments: [
      // A length that is shorter than its own header, without and with a vendor.
      ([0, 0, 0, 1, 0x40, 0, 0, 4], .invalidAVPLength),
      ([0, 0, 0, 1, 0xC0, 0, 0, 8, 0, 0, 0x28, 0xAF], .invalidAVPLength),
      // A length beyond the message, and a header that is cut.
      ([0, 0, 0, 1, 0x40, 0, 0, 16, 1, 2, 3, 4], .invalidAVPLength),
      ([0, 0, 0, 1, 0xC0, 0, 0, 12], .invalidAVPLength),
      ([0, 0, 0, 1], .invalidAVPLength),
      // The padding is missing.
      ([0, 0, 0, 1, 0x40, 0, 0, 9, 1], .invalidAVPLength),
      // A flag that no standard knows.
      ([0, 0, 0, 1, 0x41, 0, 0, 8], .invalidAVPBits),
    ] as [([UInt8], ResultCode)])
  func `an AVP that cannot be is refused`(bytes: [UInt8], code: ResultCode) {
    let error = #expect(throws: DiameterRefusal.self) { try Self.avp(bytes) }
    #expect(error?.code == code)
  }

  @Test(arguments: ["", "a b", "mme1.example.org\n", "mme/1", String(repeating: "a", count: 256)])
  func `what is no name of a node is refused`(text: String) {
    #expect(DiameterIdentity(text) == nil)
  }

  @Test func `names are compared without regard to case`() throws {
    let name = try #require(DiameterIdentity("MME1.Example.org"))
    #expect(name == DiameterIdentity("mme1.example.ORG"))
    #expect(name.description == "MME1.Example.org")
    #expect(Self.isNamed(name, by: "mMe1.example.org"))
    #expect(!Self.isNamed(name, by: "mme2.example.org"))
    #expect(!Self.isNamed(name, by: "mme1.example.or"))
    #expect(name.isBelow(try #require(DiameterIdentity("example.ORG"))))
    #expect(!name.isBelow(try #require(DiameterIdentity("ample.org"))))
  }
}
