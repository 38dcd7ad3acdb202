import DeviceLists
import ExchangeTrust
import Testing

@Suite struct PeerNameTests {
  @Test(arguments: [
    "urn:openceir:XA:ceir", "urn:openceir:XA:signer", "urn:openceir:XA:node:alfa:eir-1",
  ])
  func `a name survives the way through its URI`(uri: String) throws {
    #expect(try #require(PeerName(uri: uri)).description == uri)
  }

  @Test(arguments: [
    "", "urn:openceir:XA", "urn:openceir:XA:node:alfa", "urn:openceir:XA:node:all:eir-1",
    "urn:openceir:XA:node:alfa:EIR", "urn:openceir:XA:ceir:x", "https://ceir.example",
  ])
  func `what is no name of ours is none`(uri: String) {
    #expect(PeerName(uri: uri) == nil)
  }
}
