import Crypto
import DeviceIdentity
import DeviceLists
import Simulation
import Testing

@testable import ListExchange

/// The lines are those of `Schema/exchange`; hashes are computed here a second time.
struct DeltaTests {
  @Test func `every kind of subject has its line`() {
    let lines = String(decoding: Samples.encoded(Samples.everyKind), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    #expect(lines.count == 5)
    #expect(
      lines[0] == #"{"position":12,"scope":"all","imei":"49015420323751","status":"black","#
        + #""grounds":["courtOrder","stolen"],"overridable":false}"#)
    #expect(
      lines[1] == #"{"position":13,"scope":"alpha","tac":"49015420","status":"grey","#
        + #""grounds":["ownershipClaim"],"overridable":true}"#)
    #expect(
      lines[2] == #"{"position":15,"scope":"all","range":{"first":"00000000000000","#
        + #""last":"99999999999999"},"status":null}"#)
    #expect(
      lines[3] == #"{"position":20,"scope":"alpha","pairing":{"imei":"49015420323751","#
        + #""imsi":"001010123456789"},"status":"white","grounds":["genuineOwner"],"#
        + #""overridable":true}"#)
    let content = lines[..<4].map { $0 + "\n" }.joined()
    let hash = ContentHash(SHA256.hash(data: Array(content.utf8)))
    #expect(
      lines[4] == #"{"checkpoint":{"registry":"demo","#
        + #""epoch":"00000000000000010000000000000002","feed":"alpha","after":11,"position":20,"#
        + #""digest":"07"# + String(repeating: "0", count: 62)
        + #"","sha256":"\#(hash)","issuedAt":"2026-11-23T06:23:17Z"}}"#)
  }

  @Test func `what is written is read again, wherever the network cuts it`() throws {
    let bytes = Samples.encoded(Samples.everyKind)
    let whole = try Samples.decoded(bytes)
    #expect(whole.changes == Samples.everyKind)
    #expect(whole.checkpoint.position == Position(20))
    for size in 1...bytes.count {
      var decoder = DeltaDecoder(feed: Samples.feed, after: Position(11))
      for start in stride(from: 0, to: bytes.count, by: size) {
        try decoder.append(Array(bytes[start..<min(start + size, bytes.count)]))
      }
      #expect(try decoder.finish() == whole, "pieces of \(size) bytes")
    }
  }

  @Test func `pieces taken on the way do not change the bytes`() {
    var encoder = DeltaEncoder(after: Position(11))
    var bytes: [UInt8] = []
    for change in Samples.everyKind {
      encoder.append(change)
      bytes += encoder.take()
    }
    bytes += encoder.finish(
      registry: Samples.registry, feed: Samples.feed, head: Samples.head(20))
    #expect(bytes == Samples.encoded(Samples.everyKind))
  }

  @Test func `a delta that is cut short anywhere is refused`() {
    let bytes = Samples.encoded(Samples.everyKind)
    for length in 0..<bytes.count {
      #expect(throws: ExchangeError.self) { try Samples.decoded(Array(bytes[..<length])) }
    }
  }

  @Test func `a delta of which any byte is another is refused or says the same`() {
    var generator = SeededGenerator(seed: 20_261_123)
    let bytes = Samples.encoded(Samples.everyKind)
    let ending = bytes.dropLast().lastIndex(of: 0x0A)!
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= UInt8.random(in: 1...255, using: &generator)
      guard let delta = try? Samples.decoded(damaged) else { continue }
      // The checkpoint itself is not yet signed: there a byte may change and stay readable.
      #expect(index > ending, "byte \(index)")
      #expect(delta.changes == Samples.everyKind)
    }
  }

  @Test(arguments: [
    ("", ExchangeCode.malformed),
    ("[]", .malformed),
    (#"{"position":12}"#, .malformed),
    (#"{"position":12.5,"scope":"all","imei":"49015420323751","status":null}"#, .malformed),
    (#"{"position":-12,"scope":"all","imei":"49015420323751","status":null}"#, .malformed),
    (#"{"position":12,"scope":"ALL","imei":"49015420323751","status":null}"#, .malformed),
    (#"{"position":12,"scope":"beta","imei":"49015420323751","status":null}"#, .wrongScope),
    (#"{"position":12,"scope":"all","imei":"490154203237518","status":null}"#, .malformed),
    (#"{"position":12,"scope":"all","imei":49015420323751,"status":null}"#, .malformed),
    (#"{"position":12,"scope":"all","tac":"4901542","status":null}"#, .malformed),
    (
      #"{"position":12,"scope":"all","imei":"49015420323751","tac":"49015420","status":null}"#,
      .malformed
    ),
    (
      #"{"position":12,"scope":"all","range":{"first":"49015420323751","#
        + #""last":"49015420323750"},"status":null}"#, .malformed
    ),
    (
      #"{"position":12,"scope":"all","pairing":{"imei":"49015420323751"},"status":null}"#,
      .malformed
    ),
    (#"{"position":12,"scope":"all","imei":"49015420323751"}"#, .malformed),
    (
      #"{"position":12,"scope":"all","imei":"49015420323751","status":"purple","grounds":[],"#
        + #""overridable":true}"#, .unknownWord
    ),
    (
      #"{"position":12,"scope":"all","imei":"49015420323751","status":"black","#
        + #""grounds":["mood"],"overridable":true}"#, .unknownWord
    ),
    (
      #"{"position":12,"scope":"all","imei":"49015420323751","status":"white","grounds":[],"#
        + #""overridable":false}"#, .malformed
    ),
    (
      #"{"position":12,"scope":"all","imei":"49015420323751","status":null,"grounds":[]}"#,
      .malformed
    ),
    (#"{"position":11,"scope":"all","imei":"49015420323751","status":null}"#, .wrongOrder),
    (#"{"position":21,"scope":"all","imei":"49015420323751","status":null}"#, .wrongOrder),
    (
      #"{"position":12,"position":12,"scope":"all","imei":"49015420323751","status":null}"#,
      .malformed
    ),
    (#"{"a":[[[[[[[[1]]]]]]]]}"#, .malformed),
    (#"{"position":12,"scope":"all","imei":"49015420323751","status":null} {}"#, .malformed),
  ])
  func `a line that is wrong refuses the whole`(line: String, code: ExchangeCode) {
    let error = #expect(throws: ExchangeError.self) { try Samples.decoded(message(line)) }
    #expect(error?.code == code)
  }

  @Test func `members that this version does not know are passed over`() throws {
    let line =
      #"{ "colour" : {"a":[1,-2.5e3,"\u00e9\ud83d\ude00"]}, "position":12,"scope":"all","#
      + #""imei":"49015420323751","status":null,"since":"2026-01-01"}"#
    let delta = try Samples.decoded(message(line))
    #expect(delta.changes == [Samples.change(12, .imei(Samples.imei), nil)])
  }

  @Test(arguments: [
    (Samples.encoded(Samples.everyKind + [Samples.change(16)]), ExchangeCode.wrongOrder),
    (Samples.encoded(Samples.everyKind, after: 10), .wrongOrder),
    (Samples.encoded(Samples.everyKind, upTo: 19), .wrongOrder),
    (Samples.encoded([]) + Samples.encoded([]), .malformed),
    (Array(Samples.encoded(Samples.everyKind).drop { $0 != 0x0A }.dropFirst()), .contentDiffers),
  ])
  func `changes and checkpoint must agree`(bytes: [UInt8], code: ExchangeCode) {
    let error = #expect(throws: ExchangeError.self) { try Samples.decoded(bytes) }
    #expect(error?.code == code)
  }

  /// Lines as the encoder writes them are read without the JSON reader; both must agree.
  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func `lines of the usual form are read like any others`(seed: UInt64) throws {
    var chance = SeededGenerator(seed: seed)
    let classes: [EntryClass?] = [nil, Samples.black, Samples.grey, Samples.white]
    let changes = (1...500 as ClosedRange<UInt64>).map { number in
      let imei = IMEI(number: .random(in: 0..<100_000_000_000_000, using: &chance))!
      return Samples.change(
        number * 3, Bool.random(using: &chance) ? .imei(imei) : .tac(imei.tac),
        scope: Bool.random(using: &chance) ? .all : .only(Samples.alpha),
        classes.randomElement(using: &chance)!)
    }
    let bytes = Samples.encoded(changes, after: 0, upTo: 1_500)
    #expect(try Samples.decoded(bytes, after: 0).changes == changes, "seed \(seed)")
    var usual = UsualLine(feed: Samples.feed)
    for (line, change) in zip(bytes.split(separator: 0x0A), changes) {
      let bytes = Array(line) + [0x0A]
      #expect(try ChangeLine.change(JSONValue(bytes: bytes)) == change)
      bytes.withUnsafeBytes { line in
        usual.learn(line, change)
        #expect(usual.change(line) == change)
      }
    }
  }

  @Test(arguments: [
    #"{"position":012,"scope":"all","imei":"49015420323751","status":null}"#,
    #"{"position":12,"scope":"beta","imei":"49015420323751","status":null}"#,
    #"{"position":12,"scope":"all","imei":"4901542032375x","status":null}"#,
    #"{"position":12,"scope":"all","imei":"49015420323751","status":null }"#,
    #"{"position":12,"scope":"all","imei":"490154203237518","status":null}"#,
    #"{"position":99999999999999999999,"scope":"all","tac":"49015420","status":null}"#,
  ])
  func `a line of another form is left to the JSON reader`(text: String) {
    var usual = UsualLine(feed: Samples.feed)
    let known = #"{"position":12,"scope":"all","imei":"49015420323751","status":null}"#
    Array((known + "\n").utf8).withUnsafeBytes {
      usual.learn($0, Samples.change(12, .imei(Samples.imei), nil))
      #expect(usual.change($0) != nil)
    }
    Array((text + "\n").utf8).withUnsafeBytes { #expect(usual.change($0) == nil) }
  }

  @Test func `a broadcast starts where it says, and no change may lie before that`() throws {
    var decoder = DeltaDecoder(feed: Samples.feed, after: nil)
    try decoder.append(Samples.encoded(Samples.everyKind))
    #expect(try decoder.finish().checkpoint.after == Position(11))
    var wrong = DeltaDecoder(feed: Samples.feed, after: nil)
    let error = #expect(throws: ExchangeError.self) {
      try wrong.append(Samples.encoded(Samples.everyKind, after: 12))
    }
    #expect(error?.code == .wrongOrder)
  }

  @Test func `a stream hands out each delta when it has come whole`() throws {
    let bytes =
      Samples.encoded(Samples.everyKind) + Samples.encoded([], after: 20, upTo: 20)
      + Samples.encoded([Samples.change(25)], after: 20, upTo: 30)
    for size in [1, 7, 100, bytes.count] {
      var decoder = DeltaStreamDecoder(feed: Samples.feed, after: Position(11))
      var deltas: [ReceivedDelta] = []
      #expect(decoder.isBetweenDeltas)
      for start in stride(from: 0, to: bytes.count, by: size) {
        deltas += try decoder.append(Array(bytes[start..<min(start + size, bytes.count)]))
        #expect(deltas.count < 3 || decoder.isBetweenDeltas)
      }
      #expect(deltas.map(\.changes) == [Samples.everyKind, [], [Samples.change(25)]])
      #expect(deltas.last?.checkpoint.position == Position(30))
    }
    var cut = DeltaStreamDecoder(feed: Samples.feed, after: Position(11))
    #expect(try cut.append(Array(bytes.dropLast())).count == 2)
    #expect(!cut.isBetweenDeltas)
  }

  @Test func `a stream in which a delta is missing is refused`() {
    var decoder = DeltaStreamDecoder(feed: Samples.feed, after: Position(11))
    let error = #expect(throws: ExchangeError.self) {
      try decoder.append(
        Samples.encoded(Samples.everyKind)
          + Samples.encoded([Samples.change(25)], after: 24, upTo: 30))
    }
    #expect(error?.code == .wrongOrder)
  }

  @Test func `limits are kept`() {
    var limits = ExchangeLimits()
    limits.mostChanges = 3
    var error = #expect(throws: ExchangeError.self) {
      try Samples.decoded(Samples.encoded(Samples.everyKind), limits: limits)
    }
    #expect(error?.code == .tooManyChanges)
    error = #expect(throws: ExchangeError.self) {
      try Samples.decoded([UInt8](repeating: 0x20, count: 8_194))
    }
    #expect(error?.code == .lineTooLong)
  }

  /// One line and a checkpoint that agrees with it.
  private func message(_ line: String) -> [UInt8] {
    let content = Array((line + "\n").utf8)
    let checkpoint = Checkpoint(
      registry: Samples.registry, epoch: Samples.epoch, feed: Samples.feed, after: Position(11),
      position: Position(20), digest: .zero, contentHash: ContentHash(SHA256.hash(data: content)),
      issuedAt: Samples.issuedAt)
    return content + Array(#"{"checkpoint":"#.utf8) + checkpoint.json + Array("}\n".utf8)
  }
}
