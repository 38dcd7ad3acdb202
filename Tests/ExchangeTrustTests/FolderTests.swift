import Crypto
import DeviceLists
import ExchangeTrust
import Foundation
import Testing
import X509

@Suite struct FolderTests {
  private func made(_ folder: TemporaryFolder) throws -> AuthorityFolder {
    let authority = AuthorityFolder(directory: folder.path + "/pki")
    _ = try authority.make(
      registry: Sample.registry(), hosts: HostName.loopback, asOf: Sample.now)
    return authority
  }

  @Test func `a folder is made once, whole, with keys that only the owner reads`() throws {
    let folder = try TemporaryFolder()
    let authority = try made(folder)
    for name in ["root", "issuing", "ceir", "signer"] {
      #expect(try folder.mode("pki/\(name).key") == 0o600)
    }
    #expect(try folder.mode("pki") == 0o700)
    let before = try folder.text("pki/root.key")
    let error = #expect(throws: TrustError.self) { try made(folder) }
    #expect(error?.code == .exists)
    #expect(try folder.text("pki/root.key") == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["pki"])
    #expect(try authority.open().registry.description == "XA")
    #expect(try authority.ceir.read().leaf.peerName?.role == .ceir)
    #expect(try authority.signer.read().leaf.peerName?.role == .signer)
    #expect(try authority.ceir.readRoot() == authority.open().root)
  }

  @Test func `without the root's key all goes on but a new issuing certificate`() throws {
    let folder = try TemporaryFolder()
    let authority = try made(folder)
    try FileManager.default.moveItem(
      atPath: authority.rootKeyPath, toPath: folder.path + "/root.key")
    _ = try authority.open().issue(Sample.node(), days: 1, asOf: Sample.now)
    try authority.install(authority.makeRenewal(asOf: Sample.now))
    let error = #expect(throws: TrustError.self) {
      try authority.makeRenewal(withIssuing: true, asOf: Sample.now)
    }
    #expect(error?.description.hasSuffix("bring it back from where it is kept, then renew") == true)
  }

  @Test func `own certificates are renewed with new keys and the same names`() async throws {
    let folder = try TemporaryFolder()
    let authority = try made(folder)
    let (ceir, signer) = (try authority.ceir.read(), try authority.signer.read())
    try authority.install(authority.makeRenewal(withIssuing: true, asOf: Sample.now))
    let renewed = try authority.ceir.read()
    #expect(renewed.leaf.serial != ceir.leaf.serial)
    #expect(renewed.key.rawRepresentation != ceir.key.rawRepresentation)
    #expect(renewed.leaf.hostNames == ceir.leaf.hostNames)
    #expect(try authority.signer.read().leaf.serial != signer.leaf.serial)
    // Those of the former issuing certificate count on.
    let verifier = PeerVerifier(root: try authority.open().root, registry: try Sample.registry())
    for credential in [ceir, renewed] {
      _ = try await verifier.verify(
        credential.chain, as: .server, accepting: .ceir, asOf: Sample.now)
    }
  }

  @Test func `a certificate is renewed when two thirds of its life are over`() throws {
    let now = Sample.now
    let leaf = try SampleAuthority().issue(Sample.node(), days: 90, asOf: now).leaf
    #expect(!leaf.shouldBeRenewed(asOf: now.adding(seconds: 59 * 86_400)))
    #expect(leaf.shouldBeRenewed(asOf: now.adding(seconds: 61 * 86_400)))
  }

  @Test func `a replacement that was cut between its two files is finished by the reader`() throws {
    let folder = try TemporaryFolder()
    let sample = try SampleAuthority()
    let (old, new) = (try sample.issue(Sample.node()), try sample.issue(Sample.node()))
    let files = CredentialFiles(directory: folder.path, name: "node")
    try files.create(old, root: sample.authority.root)
    // Both lie beside: the old pair counts.
    try folder.write("node.next.pem", new.chain.map { try $0.pemText() }.joined())
    try folder.write("node.next.key", new.key.pemRepresentation)
    #expect(try files.read().leaf == old.leaf)
    // The key has taken its place: the new pair counts, and is put in place.
    try folder.write("node.key", new.key.pemRepresentation)
    #expect(try files.read().leaf == new.leaf)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/node.next.pem"))
    #expect(try files.read().leaf == new.leaf)
  }

  @Test func `who reads while a pair is replaced gets a pair, and disturbs nobody`() async throws {
    let folder = try TemporaryFolder()
    let sample = try SampleAuthority()
    let pairs = [try sample.issue(Sample.node()), try sample.issue(Sample.node())]
    let files = CredentialFiles(directory: folder.path, name: "node")
    try files.create(pairs[0], root: sample.authority.root)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        for round in 1...200 { try files.replace(with: pairs[round % 2]) }
        return true
      }
      group.addTask {
        while !Task.isCancelled {
          _ = try files.read()
          await Task.yield()
        }
        return false
      }
      let isReplaced = try await group.next()
      #expect(isReplaced == true)
      group.cancelAll()
      try await group.waitForAll()
    }
    #expect(try files.read().leaf == pairs[0].leaf)
  }

  @Test func `files that make no sense are told with their path`() throws {
    let folder = try TemporaryFolder()
    let sample = try SampleAuthority()
    let files = CredentialFiles(directory: folder.path, name: "node")
    func refusal() -> TrustError? { #expect(throws: TrustError.self) { try files.read() } }
    #expect(refusal()?.code == .missing)
    try files.create(try sample.issue(Sample.node()), root: sample.authority.root)
    #expect(
      throws: TrustError.self,
      performing: {
        try files.create(try sample.issue(Sample.node()), root: sample.authority.root)
      })
    try folder.write("node.key", P256.Signing.PrivateKey().pemRepresentation)
    #expect(refusal()?.code == .mismatch)
    try folder.write("node.key", "nonsense")
    #expect(refusal()?.code == .unreadable)
    try folder.write("node.key", String(repeating: "a", count: 70_000))
    #expect(
      refusal()?.description == "\(folder.path)/node.key is longer than 65536 bytes")
  }
}
