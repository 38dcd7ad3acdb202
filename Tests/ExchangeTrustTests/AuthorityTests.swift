import Crypto
import DeviceLists
import ExchangeTrust
import Foundation
import SwiftASN1
import Testing
import X509

@Suite struct AuthorityTests {
  @Test func `root, issuing and leaf are made as RFC 5280 wants them`() async throws {
    let now = try #require(Instant("2026-11-23T06:23:17Z"))
    let sample = try SampleAuthority(asOf: now)
    let node = try sample.issue(Sample.node(), asOf: now)
    let (leaf, issuing, root) = (node.chain[0], node.chain[1], sample.authority.root)
    #expect(leaf.validFrom == now.adding(seconds: -300))
    #expect(leaf.validUntil == now.adding(seconds: 90 * 86_400))
    #expect(issuing.validUntil == now.adding(seconds: 5 * 365 * 86_400))
    #expect(root.validUntil == now.adding(seconds: 20 * 365 * 86_400))
    #expect(leaf.peerName?.description == "urn:openceir:XA:node:alfa:eir-1")
    #expect(try leaf.extensions.basicConstraints == .notCertificateAuthority)
    #expect(
      try issuing.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: 0))
    #expect(try root.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: 1))
    #expect(
      try leaf.extensions.authorityKeyIdentifier?.keyIdentifier
        == issuing.extensions.subjectKeyIdentifier?.keyIdentifier)
    #expect(
      try issuing.extensions.authorityKeyIdentifier?.keyIdentifier
        == root.extensions.subjectKeyIdentifier?.keyIdentifier)
    #expect(leaf.hostNames.map(\.description) == ["localhost", "127.0.0.1", "::1"])
    #expect(leaf.serial.description.utf8.count == 32)
    #expect(Set([leaf, issuing, root].map(\.serial)).count == 3)
  }

  @Test func `openssl verifies what was issued and reads its names`() async throws {
    let folder = try TemporaryFolder()
    let sample = try SampleAuthority()
    let node = try sample.issue(Sample.node())
    let files = CredentialFiles(directory: folder.path, name: "node")
    try files.create(node, root: sample.authority.root)
    try folder.write("issuing.pem", sample.authority.issuing.pemText())
    let verified = try await Tool.openssl(
      [
        "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", files.rootPath,
        "-untrusted", "\(folder.path)/issuing.pem", files.certificatePath,
      ], in: folder)
    #expect(verified.status == 0, "\(verified.output)")
    let shown = try await Tool.openssl(
      ["x509", "-in", files.certificatePath, "-noout", "-text"], in: folder)
    #expect(shown.output.contains("URI:urn:openceir:XA:node:alfa:eir-1"))
    #expect(shown.output.contains("TLS Web Client Authentication, TLS Web Server Authentication"))
    #expect(try folder.mode("node.key") == 0o600)
  }

  @Test func `a request made by openssl is certified for the name that we give`() async throws {
    let folder = try TemporaryFolder()
    let made = try await Tool.openssl(
      [
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", "\(folder.path)/own.key", "-out", "\(folder.path)/own.csr",
        "-subj", "/CN=ceir", "-addext", "subjectAltName=URI:urn:openceir:XA:ceir",
      ], in: folder)
    #expect(made.status == 0, "\(made.output)")
    let request = try CertificateRequest(pem: folder.text("own.csr"))
    let sample = try SampleAuthority()
    let chain = try sample.authority.issue(
      Sample.node(), for: request, days: 30, asOf: Sample.now)
    #expect(chain[0].peerName?.description == "urn:openceir:XA:node:alfa:eir-1")
    let key = try P256.Signing.PrivateKey(pemRepresentation: folder.text("own.key"))
    _ = try Credential(chain: chain, key: key)
  }

  @Test func `openssl verifies the request that we make`() async throws {
    let folder = try TemporaryFolder()
    let key = P256.Signing.PrivateKey()
    try folder.write("own.csr", CertificateRequest.pemText(for: key))
    let verified = try await Tool.openssl(
      ["req", "-in", "\(folder.path)/own.csr", "-noout", "-verify"], in: folder)
    #expect(verified.output.contains("verify OK"), "\(verified.output)")
    _ = try CertificateRequest(pem: folder.text("own.csr"))
  }

  @Test func `a request that cannot be followed is refused with its reason`() async throws {
    let folder = try TemporaryFolder()
    func refusal(_ text: String) -> TrustError? {
      #expect(throws: TrustError.self) { try CertificateRequest(pem: text) }
    }
    #expect(refusal("nonsense")?.code == .request)
    #expect(
      refusal(String(repeating: "a", count: 9_000))?.description
        == "the certificate request is longer than 8192 bytes")
    _ = try await Tool.openssl(
      [
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "\(folder.path)/rsa.key",
        "-out", "\(folder.path)/rsa.csr", "-subj", "/CN=x",
      ], in: folder)
    #expect(
      try refusal(folder.text("rsa.csr"))?.description.hasPrefix(
        "the request's key is not on P-256") == true)
    // Another key below the same signature.
    let (own, other) = (P256.Signing.PrivateKey(), P256.Signing.PrivateKey())
    let request = try CertificateSigningRequest(
      version: .v1, subject: DistinguishedName(), privateKey: .init(own),
      attributes: .init())
    let forged = try CertificateSigningRequest(
      version: .v1, subject: DistinguishedName(), publicKey: .init(other.publicKey),
      attributes: .init(), signatureAlgorithm: .ecdsaWithSHA256, signature: request.signature)
    #expect(
      try refusal(forged.serializeAsPEM().pemString)?.description
        == "the request is not signed with the key that it carries")
  }

  @Test func `nothing is issued beyond the life of what issues`() throws {
    let now = Sample.now
    let sample = try SampleAuthority(asOf: now.adding(seconds: -5 * 365 * 86_400 + 10 * 86_400))
    let error = #expect(throws: TrustError.self) {
      try sample.authority.issue(Sample.node(), days: 11, asOf: now)
    }
    #expect(error?.code == .expired)
    _ = try sample.authority.issue(Sample.node(), days: 9, asOf: now)
  }

  @Test(arguments: ["", "-a", "a..b", "a b", "ä", String(repeating: "a", count: 64)])
  func `what is no host name is refused`(text: String) {
    #expect(throws: TrustError.self) { try HostName(text) }
  }

  @Test(arguments: ["", "0", "abc", "ABCD", "0g", String(repeating: "a", count: 42)])
  func `what is no serial is none`(text: String) {
    #expect(CertificateSerial(text) == nil)
  }
}
