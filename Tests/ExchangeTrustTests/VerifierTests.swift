import Crypto
import DeviceLists
import ExchangeTrust
import Testing
import X509

@Suite struct VerifierTests {
  private func refusal(
    _ chain: [Certificate], _ sample: SampleAuthority, as use: CertificateUse = .client,
    accepting accepted: AcceptedPeer = .anyNode, asOf now: Instant = Sample.now
  ) async -> TrustError.Code? {
    do {
      _ = try await sample.verifier.verify(chain, as: use, accepting: accepted, asOf: now)
      return nil
    } catch {
      return error.code
    }
  }

  @Test func `a node is who its certificate says`() async throws {
    let sample = try SampleAuthority()
    let node = try sample.issue(Sample.node())
    let peer = try await sample.verifier.verify(
      node.chain, as: .client, accepting: .anyNode, asOf: Sample.now)
    #expect(peer.name.description == "urn:openceir:XA:node:alfa:eir-1")
    #expect(peer.serial == node.leaf.serial)
    #expect(peer.notAfter == node.leaf.validUntil)
    #expect(
      await refusal(node.chain, sample, accepting: .exactly(try Sample.node("alfa", "eir-2")))
        == .wrongRole)
    #expect(
      await refusal(node.chain, sample, accepting: .exactly(try Sample.node())) == nil)
  }

  @Test func `strangers, the self-signed and children of nodes are not trusted`() async throws {
    let (sample, stranger) = (try SampleAuthority(), try SampleAuthority())
    let node = try sample.issue(Sample.node())
    let name = "urn:openceir:XA:node:alfa:eir-1"
    #expect(await refusal(try stranger.issue(Sample.node()).chain, sample) == .untrusted)
    #expect(await refusal(try selfSigned(name).chain, sample) == .untrusted)
    #expect(await refusal(try selfSigned(name, isAuthority: true).chain, sample) == .untrusted)
    #expect(
      await refusal(
        try signed(by: node, "urn:openceir:XA:node:beta:eir-1").chain, sample) == .untrusted)
    #expect(await refusal([node.leaf], sample) == .untrusted)
    #expect(await refusal([], sample) == .untrusted)
    #expect(await refusal(Array(repeating: node.leaf, count: 5), sample) == .untrusted)
    #expect(await refusal([sample.authority.root], sample) == .unnamed)
  }

  @Test func `a certificate counts within its time alone`() async throws {
    let (sample, now) = (try SampleAuthority(), Sample.now)
    let node = try sample.issue(Sample.node(), days: 2)
    let end = node.leaf.validUntil
    #expect(await refusal(node.chain, sample, asOf: end) == nil)
    #expect(await refusal(node.chain, sample, asOf: end.adding(seconds: 1)) == .expired)
    #expect(await refusal(node.chain, sample, asOf: now.adding(seconds: -299)) == nil)
    #expect(await refusal(node.chain, sample, asOf: now.adding(seconds: -400)) == .notYetValid)
  }

  @Test func `a name of another registry under the same root is refused`() async throws {
    let sample = try SampleAuthority()
    let other = PeerVerifier(root: sample.authority.root, registry: try Sample.registry("XB"))
    let node = try sample.issue(Sample.node())
    let error = await #expect(throws: TrustError.self) {
      try await other.verify(node.chain, as: .client, accepting: .anyNode, asOf: Sample.now)
    }
    #expect(error?.code == .unnamed)
  }

  @Test func `each role is taken at its place alone`() async throws {
    let sample = try SampleAuthority()
    let roles: [(PeerName.Role, AcceptedPeer, CertificateUse)] = [
      (try Sample.node(), .anyNode, .client), (.ceir, .ceir, .server),
      (.signer, .signer, .signature),
    ]
    for (index, (role, _, _)) in roles.enumerated() {
      let chain = try sample.issue(role, days: 10).chain
      for (place, (_, accepted, use)) in roles.enumerated() {
        let code = await refusal(chain, sample, as: use, accepting: accepted)
        #expect(code == (index == place ? nil : .wrongRole))
      }
    }
    let signer = try sample.issue(.signer)
    #expect(
      await refusal(signer.chain, sample, as: .client, accepting: .signer) == .wrongUse)
    let ceir = try sample.issue(.ceir)
    #expect(
      await refusal(ceir.chain, sample, as: .signature, accepting: .ceir) == .wrongUse)
  }
}

@Suite struct SignerTrustTests {
  @Test func `the key of a signer is found, and remembered only as long as it counts`()
    async throws
  {
    let sample = try SampleAuthority()
    let signer = try sample.issue(.signer, days: 2)
    let trust = SignerTrust(root: sample.authority.root, registry: try Sample.registry())
    let chain = try signer.chain.map { try $0.derBytes() }
    for _ in 0..<2 {
      let key = try await trust.key(for: chain, asOf: Sample.now)
      #expect(key.rawRepresentation == signer.key.publicKey.rawRepresentation)
    }
    let error = await #expect(throws: TrustError.self) {
      try await trust.key(for: chain, asOf: signer.leaf.validUntil.adding(seconds: 1))
    }
    #expect(error?.code == .expired)
  }

  @Test func `who is no signer of this registry gives no key`() async throws {
    let (sample, stranger) = (try SampleAuthority(), try SampleAuthority())
    let trust = SignerTrust(root: sample.authority.root, registry: try Sample.registry())
    func refusal(_ chain: [[UInt8]]) async -> TrustError.Code? {
      await #expect(throws: TrustError.self) {
        try await trust.key(for: chain, asOf: Sample.now)
      }?.code
    }
    func bytes(_ credential: Credential) throws -> [[UInt8]] {
      try credential.chain.map { try $0.derBytes() }
    }
    #expect(await refusal(try bytes(stranger.issue(.signer))) == .untrusted)
    #expect(await refusal(try bytes(sample.issue(Sample.node()))) == .wrongRole)
    #expect(await refusal([]) == .untrusted)
    #expect(await refusal([[1, 2, 3]]) == .unreadable)
    #expect(await refusal([[UInt8](repeating: 0, count: 5_000)]) == .untrusted)
    let signer = try bytes(sample.issue(.signer))
    #expect(await refusal(signer + [signer[0]]) == .untrusted)
  }
}
