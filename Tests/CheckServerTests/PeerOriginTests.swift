import CheckServer
import NIOCore
import Testing

struct PeerOriginTests {
  private func origin(_ address: String, port: Int = 1) throws -> PeerOrigin {
    PeerOrigin(try SocketAddress(ipAddress: address, port: port))
  }

  @Test func `an IPv4 address is one origin, also on a socket for both`() throws {
    #expect(try origin("192.0.2.1") == origin("192.0.2.1", port: 2))
    #expect(try origin("192.0.2.1") == origin("::ffff:192.0.2.1"))
    #expect(try origin("192.0.2.1") != origin("192.0.2.2"))
    #expect(try origin("::ffff:192.0.2.1") != origin("::ffff:192.0.2.2"))
  }

  @Test func `of IPv6 the first half is one origin`() throws {
    #expect(try origin("2001:db8:0:1::1") == origin("2001:db8:0:1:ffff::2"))
    #expect(try origin("2001:db8:0:1::1") != origin("2001:db8:0:2::1"))
    #expect(try origin("2001:db8:0:1::1") != PeerOrigin(nil))
  }

  @Test func `a log names an address of IPv4, and the network of one of IPv6`() throws {
    #expect(try origin("192.0.2.1").description == "192.0.2.1")
    #expect(try origin("::ffff:192.0.2.254").description == "192.0.2.254")
    #expect(try origin("2001:db8:0:1::1").description == "2001:db8:0:1::/64")
    #expect(PeerOrigin(nil).description == "this machine")
  }
}
