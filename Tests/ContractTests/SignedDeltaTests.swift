import Crypto
import DeviceLists
import ExchangeTrust
import Foundation
import ListExchange
import SwiftASN1
import Testing
import X509

/// The worked example of `Schema/exchange/trust.md`.
struct SignedDeltaTests {
  @Test func `the delta is read, and its text is the one that is shown`() throws {
    let delta = try SignedDelta.read()
    #expect(delta.changes.count == 6)
    #expect(delta.checkpoint.massMarks.map(\.run) == [17])
    let text = try Contract.text("vectors/signed-delta.txt")
    #expect(String(decoding: delta.checkpoint.signedText, as: UTF8.self) == text)
    #expect(try Contract.text("trust.md").contains("```\n\(text)```"))
  }

  @Test func `the signature is right, and is the one that is shown`() throws {
    let signed = try SignedDelta.read().signed()
    try signed.verify(with: SignedDelta.key)
    let digits = signed.signature.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    let (r, s) = (digits.prefix(32).joined(), digits.suffix(32).joined())
    let page = try Contract.text("trust.md")
    #expect(page.contains("| r | `\(r)` |"))
    #expect(page.contains("| s | `\(s)` |"))
  }

  @Test func `the certificates lead from the root that is shown to the key`() async throws {
    let root = try Certificate(pemEncoded: Contract.text("vectors/root.pem"))
    let signed = try SignedDelta.read().signed()
    let now = signed.checkpoint.issuedAt
    let trust = SignerTrust(root: root, registry: signed.checkpoint.registry)
    let key = try await trust.key(for: signed.signature.certificates, asOf: now)
    #expect(key.rawRepresentation == (try SignedDelta.key.rawRepresentation))
    let others: [(RegistryName, Instant)] = [
      (RegistryName("XB")!, now), (signed.checkpoint.registry, now.adding(seconds: 400 * 86_400)),
    ]
    for (registry, moment) in others {
      let stranger = SignerTrust(root: root, registry: registry)
      await #expect(throws: TrustError.self) {
        try await stranger.key(for: signed.signature.certificates, asOf: moment)
      }
    }
  }

  @Test(arguments: 0..<10)
  func `a change of any line of the text makes the signature wrong`(line: Int) throws {
    let delta = try SignedDelta.read()
    var signed = try delta.signed()
    switch line {
    case 0: signed.signature.bytes[0] ^= 1
    case 1: signed.checkpoint.registry = RegistryName("XB")!
    case 2: signed.checkpoint.epoch = Epoch(high: 1, low: 2)
    case 3: signed.checkpoint.feed = Feed(of: OperatorCode("blue")!)
    case 4: signed.checkpoint.after = Position(10)
    case 5: signed.checkpoint.position = Position(21)
    case 6: signed.checkpoint.digest = .zero
    case 7: signed.checkpoint.contentHash = ContentHash(bytes: [UInt8](repeating: 0, count: 32))
    case 8: signed.checkpoint.issuedAt = signed.checkpoint.issuedAt.adding(seconds: 1)
    default: signed.checkpoint.massMarks = []
    }
    let error = #expect(throws: ExchangeError.self) { try signed.verify(with: SignedDelta.key) }
    #expect(error?.code == .signatureWrong)
  }

  /// The six entries of `digest-vectors.csv`, put on an empty list.
  @Test func `the list adds up to the digest of the checkpoint`() throws {
    let delta = try SignedDelta.read()
    let sum = delta.changes.compactMap { change in
      change.entryClass.map {
        Entry(subject: change.subject, scope: change.scope, entryClass: $0).digest
      }
    }.reduce(ListDigest.zero, +)
    #expect(sum == delta.checkpoint.digest)
  }
}
