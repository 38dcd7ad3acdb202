import CEIRService
import DeviceLists
import Foundation
import ListExchange
import RegistryStore
import Simulation
import Testing

/// What a node says of where it stands is kept, also where the registry does not like it.
struct StandingTests {
  private static func said(_ head: ListHead, _ digest: ListDigest) -> String {
    #"{"epoch":"\#(head.epoch)","position":\#(head.position),"digest":"\#(digest)","held":3}"#
  }

  @Test func `a node whose list differs is told so, and its report stays`() async throws {
    let world = try await ExchangeWorld.start()
    let node = try await world.node()
    try await world.block(49_015_420_323_751)
    let head = try await world.head()
    let identity = try await world.identity()
    func acknowledge(_ digest: ListDigest, _ key: String) async throws -> TestNode.Answer {
      try await node.send(
        "POST", ExchangePath.acknowledgements, Self.said(head, digest), key: key)
    }
    func differing() async throws -> Set<NodeIdentity> {
      try await world.store.read { try await $0.differingNodes() }
    }
    let other = try #require(ListDigest(String(repeating: "7", count: 64)))
    for key in ["a", "a", "b"] {
      #expect(try await acknowledge(other, key).code == .digestDiffers)
    }
    #expect(try await differing() == [identity])
    let record = try await world.store.read {
      try await $0.operatorRecords().first { $0.code == identity.operatorCode }?.nodes.first
    }
    #expect(record?.digest == other)
    #expect(record?.position == head.position)
    #expect(record?.held == 3)
    #expect(try await world.metric("ceir_exchange_differing_nodes") == 1)

    #expect(try await acknowledge(head.digest, "c").status == 204)
    #expect(try await differing().isEmpty)
    #expect(try await world.metric("ceir_exchange_differing_nodes") == 0)
    // The same is seen where the node asks for changes.
    let question = ChangesRequest(epoch: head.epoch, after: head.position, digest: other)
    #expect(try await node.send("GET", question.target).code == .digestDiffers)
    #expect(try await world.metric("ceir_exchange_differing_nodes") == 1)
    try await world.stop()
  }
}
