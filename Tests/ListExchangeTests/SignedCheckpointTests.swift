import Crypto
import DeviceLists
import Simulation
import Testing

@testable import ListExchange

/// The signed text is that of `Schema/exchange/feed.md`.
struct SignedCheckpointTests {
  @Test func `the signed text has a line for everything that counts`() {
    let expected = """
      openceir-checkpoint-1
      registry demo
      epoch 00000000000000010000000000000002
      feed alpha
      after 11
      position 20
      digest 07\(String(repeating: "0", count: 62))
      sha256 \(String(repeating: "a", count: 64))
      issuedAt 2026-11-23T06:23:17Z
      mass 17 1000 251000 250000
      mass 18 251000 251001 1

      """
    #expect(String(decoding: Self.checkpoint.signedText, as: UTF8.self) == expected)
    var unmarked = Self.checkpoint
    unmarked.massMarks = []
    #expect(
      String(decoding: unmarked.signedText, as: UTF8.self)
        == expected.split(separator: "mass", maxSplits: 1)[0])
  }

  @Test func `a signed checkpoint is read and verified as it was written`() throws {
    let signed = try SignedCheckpoint(Self.checkpoint, by: Samples.signer)
    let read = try SignedCheckpoint(json: signed.json)
    #expect(read == signed)
    #expect(read.signature.certificates == Samples.certificates)
    try read.verify(with: Samples.signingKey.publicKey)
    let stranger = P256.Signing.PrivateKey().publicKey
    let error = #expect(throws: ExchangeError.self) { try read.verify(with: stranger) }
    #expect(error?.code == .signatureWrong)
  }

  @Test(arguments: 0..<12)
  func `whatever is changed, the signature is wrong`(change: Int) throws {
    var signed = try SignedCheckpoint(Self.checkpoint, by: Samples.signer)
    switch change {
    case 0: signed.checkpoint.registry = RegistryName("other")!
    case 1: signed.checkpoint.epoch = Samples.otherEpoch
    case 2: signed.checkpoint.feed = Feed(of: OperatorCode("beta")!)
    case 3: signed.checkpoint.after = Position(12)
    case 4: signed.checkpoint.position = Position(21)
    case 5: signed.checkpoint.digest = Samples.digest(8)
    case 6:
      signed.checkpoint.contentHash = ContentHash(String(repeating: "b", count: 64))!
    case 7: signed.checkpoint.issuedAt = Samples.issuedAt.adding(seconds: 1)
    case 8: signed.checkpoint.massMarks.removeLast()
    case 9: signed.checkpoint.massMarks[0].blacks += 1
    case 10: signed.signature.bytes[63] ^= 1
    default: signed.signature.bytes = [1, 2, 3]
    }
    let error = #expect(throws: ExchangeError.self) {
      try signed.verify(with: Samples.signingKey.publicKey)
    }
    #expect(error?.code == .signatureWrong)
  }

  @Test func `a signed delta says who signed it, an unsigned one is refused by who trusts`() throws
  {
    var encoder = DeltaEncoder(after: Position(11))
    for change in Samples.everyKind { encoder.append(change) }
    let bytes = try encoder.finish(
      registry: Samples.registry, feed: Samples.feed, head: Samples.head(20),
      massMarks: Self.checkpoint.massMarks.reversed(), signer: Samples.signer)
    let signed = try Samples.decoded(bytes)
    #expect(signed.changes == Samples.everyKind)
    #expect(signed.checkpoint.massMarks == Self.checkpoint.massMarks)
    try signed.signed().verify(with: Samples.signingKey.publicKey)

    let unsigned = try Samples.decoded(Samples.encoded(Samples.everyKind))
    #expect(unsigned.signature == nil)
    let error = #expect(throws: ExchangeError.self) { try unsigned.signed() }
    #expect(error?.code == .unsigned)
    let trailer = #expect(throws: ExchangeError.self) {
      try SignedCheckpoint(json: Self.checkpoint.json)
    }
    #expect(trailer?.code == .unsigned)
  }

  @Test(arguments: [
    #""mass":{}"#, #""mass":[{"run":0,"after":1,"upTo":2,"blacks":1}]"#,
    #""mass":[{"run":1,"after":2,"upTo":2,"blacks":1}]"#,
    #""mass":[{"run":1,"after":1,"upTo":2,"blacks":-1}]"#,
    #""mass":[{"run":2,"after":1,"upTo":2,"blacks":1},{"run":1,"after":1,"upTo":2,"blacks":1}]"#,
    #""mass":[{"run":2,"after":1,"upTo":2,"blacks":1},{"run":2,"after":1,"upTo":2,"blacks":1}]"#,
    massOf17,
    #""signature":"AAAA","certificates":["AAAA"]"#,
    #""signature":"\#(signature)""#,
    #""signature":"\#(signature)","certificates":[]"#,
    #""signature":"\#(signature)","certificates":[""]"#,
    #""signature":"\#(signature)","certificates":["A==="]"#,
    #""signature":"\#(signature)","#
      + #""certificates":["AAAA","AAAA","AAAA","AAAA"]"#,
    #""signature":null,"certificates":["AAAA"]"#,
  ])
  func `a checkpoint whose marks or signature are wrong is refused`(members: String) {
    var unmarked = Self.checkpoint
    unmarked.massMarks = []
    let text = String(decoding: unmarked.json, as: UTF8.self).dropLast() + "," + members + "}"
    #expect(throws: ExchangeError.self) { try SignedCheckpoint(json: Array(text.utf8)) }
  }

  /// RFC 4648, 10.
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
  ])
  func `base64 is that of its standard`(plain: String, text: String) {
    #expect(Base64.text(Array(plain.utf8)) == text)
    #expect(Base64.bytes(text) == Array(plain.utf8))
  }

  @Test(arguments: ["Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "====", "Z===", "Zm9-", "Zg==Zg=="])
  func `base64 in another spelling is refused`(text: String) {
    #expect(Base64.bytes(text) == nil)
  }

  private static let signature = Base64.text([UInt8](repeating: 1, count: 64))
  private static let massOf17 =
    #""mass":["#
    + (1...17).map { #"{"run":\#($0),"after":1,"upTo":2,"blacks":1}"# }.joined(separator: ",")
    + "]"
  private static let checkpoint = Checkpoint(
    registry: Samples.registry, epoch: Samples.epoch, feed: Samples.feed, after: Position(11),
    position: Position(20), digest: Samples.digest(7),
    contentHash: ContentHash(String(repeating: "a", count: 64))!, issuedAt: Samples.issuedAt,
    massMarks: [
      MassMark(run: 18, after: Position(251_000), upTo: Position(251_001), blacks: 1),
      MassMark(run: 17, after: Position(1_000), upTo: Position(251_000), blacks: 250_000),
    ])
}
