import DeviceIdentity
import DeviceLists
import Simulation
import Testing

@testable import ListExchange

struct LUStatusTests {
  private static let imsi = IMSI(packed: 15_001_010_123_456_789)!

  @Test(arguments: [
    (#"{"imei":"49015420323751"}"#, LUStatusQuery(device())),
    (#"{"imei":"490154203237518"}"#, LUStatusQuery(device())),
    (#"{"imei":"490154203237510"}"#, LUStatusQuery(device())),
    (#"{"imei":"4901542032375142"}"#, LUStatusQuery(device(42))),
    (#"{"imei":"490154203237518F"}"#, LUStatusQuery(device())),
    (
      #"{"imei":"49015420323751","imsi":"001010123456789"}"#,
      LUStatusQuery(device(), imsi: imsi)
    ),
    (
      #"{"imsi":"001010123456789","colour":{"a":[1]},"imei":"4\u0039015420323751"} "#,
      LUStatusQuery(device(), imsi: imsi)
    ),
    (#"{"imei":"*#06#"}"#, LUStatusQuery(.unusable(UnusableIdentity("*#06#")))),
    (#"{"imei":"4901542032375"}"#, LUStatusQuery(.unusable(UnusableIdentity("4901542032375")))),
    (
      #"{"imei":"49015420323751899999"}"#,
      LUStatusQuery(.unusable(UnusableIdentity("490154203237518\u{2026}")))
    ),
    (
      #"{"imei":"49015420323751","msisdn":"+491711234567","network":"00101","#
        + #""askedAt":"2026-11-23T06:23:17Z"}"#,
      LUStatusQuery(
        device(), msisdn: try? MSISDN("491711234567"), network: try? PLMN("00101"),
        askedAt: Samples.issuedAt)
    ),
  ])
  func `one question is read in any spelling`(text: String, query: LUStatusQuery) throws {
    let one = try LUStatusRequest(json: Array(text.utf8))
    #expect(one == LUStatusRequest(query))
    #expect(query.check.imsi == query.imsi)
    #expect(try LUStatusRequest(json: one.json) == one)
    let many = try LUStatusRequest(json: Array(#"{"queries":[\#(text),\#(text)]}"#.utf8))
    #expect(many == LUStatusRequest(many: [query, query]))
    #expect(try LUStatusRequest(json: many.json) == many)
  }

  @Test(arguments: [
    ("", ExchangeCode.badRequest), ("[]", .badRequest), ("{}", .badRequest),
    (#"{"imei":""}"#, .badRequest), (#"{"imei":490154203237518}"#, .badRequest),
    (#"{"imei":null}"#, .badRequest),
    (#"{"imei":"49015420323751","imsi":"0010"}"#, .badRequest),
    (#"{"imei":"49015420323751","imsi":"0010101234567890"}"#, .badRequest),
    (#"{"imei":"49015420323751","imsi":"00101x"}"#, .badRequest),
    (#"{"imei":"49015420323751","imei":"49015420323751"}"#, .badRequest),
    (#"{"imei":"49015420323751","msisdn":"1234567890123456"}"#, .badRequest),
    (#"{"imei":"49015420323751","network":"001-01"}"#, .badRequest),
    (#"{"imei":"49015420323751","askedAt":"2026-11-23T06:23:17+01:00"}"#, .badRequest),
    (#"{"imei":"49015420323751"}{"imei":"49015420323751"}"#, .badRequest),
    (#"{"imei":"49015420323751""#, .badRequest),
    (#"{"imei":"\#(String(repeating: "1", count: 65))"}"#, .badRequest),
    (#"{"queries":[]}"#, .badRequest), (#"{"queries":{}}"#, .badRequest),
    (#"{"queries":[{"imei":"49015420323751"},]}"#, .badRequest),
    (#"{"queries":[{"imei":"49015420323751"},7]}"#, .badRequest),
    (#"{"queries":[{"imei":"49015420323751"}]}}"#, .badRequest),
    (
      #"{"queries":[{"imei":"49015420323751"},{"imei":"49015420323751"},"#
        + #"{"imei":"49015420323751"},{"imei":"49015420323751"}]}"#, .tooLarge
    ),
    (#"{"imei":"49015420323751","a":[[[[[[[[[1]]]]]]]]]}"#, .badRequest),
  ])
  func `a question that is none is refused`(text: String, code: ExchangeCode) {
    let error = #expect(throws: ExchangeError.self) {
      try LUStatusRequest(json: Array(text.utf8), most: 3)
    }
    #expect(error?.code == code)
    #expect(error?.detail.contains("00101") == false)
  }

  @Test func `bytes that are no UTF-8 and far too many values are refused`() {
    let noText = Array(#"{"imei":"4901542032375"#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
    let values = Array(
      #"{"x":[\#(String(repeating: "1,", count: 20_000))1],"imei":"49015420323751"}"#.utf8)
    for bytes in [noText, values] {
      let error = #expect(throws: ExchangeError.self) { try LUStatusRequest(json: bytes) }
      #expect(error?.code == .badRequest)
    }
  }

  @Test func `an error names the question and not what it says`() {
    let text = #"{"queries":[{"imei":"49015420323751"},{"imei":"1","imsi":"x99"}]}"#
    let error = #expect(throws: ExchangeError.self) { try LUStatusRequest(json: Array(text.utf8)) }
    #expect(error?.detail == #"query 2: no usable "imsi""#)
  }

  @Test func `a time that lies ahead refuses the question`() throws {
    let now = Samples.issuedAt
    var query = LUStatusQuery(Self.device(), askedAt: now.adding(seconds: 300))
    try LUStatusRequest(query).refuseTimes(aheadOf: now)
    query.askedAt = now.adding(seconds: 301)
    let error = #expect(throws: ExchangeError.self) {
      try LUStatusRequest(many: [LUStatusQuery(Self.device()), query]).refuseTimes(aheadOf: now)
    }
    #expect(error?.code == .wrongTime)
  }

  /// The quick way must never read anything otherwise than JSON says.
  @Test(arguments: 1...300 as ClosedRange<UInt64>)
  func `the quick way and the JSON reader agree`(seed: UInt64) throws {
    var chance = SeededGenerator(seed: seed)
    let text =
      "{\"queries\":["
      + (0..<8).map { _ in Self.spelling(using: &chance) }
      .joined(separator: Bool.random(using: &chance) ? "," : " ,\n") + "]}"
    let quick = Result { try LUStatusRequest(json: Array(text.utf8)) }
    let slow = Result {
      LUStatusRequest(
        many: try JSONValue(bytes: Array(text.utf8))["queries"]!.array!
          .map { value in try LUStatusQuery(value) })
    }
    switch (quick, slow) {
    case (.success(let quick), .success(let slow)): #expect(quick == slow, "seed \(seed): \(text)")
    case (.failure, .failure): break
    default: Issue.record("seed \(seed): \(quick) is not \(slow) for \(text)")
    }
  }

  @Test func `answers are written as the contract shows them`() throws {
    var encoder = LUStatusEncoder()
    let verdict = Verdict(.black, by: .imei, codes: [.init(.lost), .init(.stolen)])
    let validUntil = Samples.issuedAt
    let one = encoder.one(
      verdict, epoch: Samples.epoch, position: Position(7), validUntil: validUntil)
    #expect(
      String(decoding: one, as: UTF8.self)
        == #"{"status":"black","grounds":["lost","stolen"],"rule":"imei","#
        + #""validUntil":"2026-11-23T06:23:17Z","epoch":"00000000000000010000000000000002","#
        + #""position":7}"#)
    let response = LUStatusResponse(
      LUStatusVerdict(verdict), validUntil: validUntil, epoch: Samples.epoch,
      position: Position(7))
    #expect(try LUStatusResponse(json: one) == response)
    #expect(response.json == one)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `many answers are read as they were written, whatever was remembered`(seed: UInt64) throws {
    var chance = SeededGenerator(seed: seed)
    var encoder = LUStatusEncoder()
    let answers: [CheckAnswer] = [.white, .grey, .black, .unknown]
    for count in [1, 2, 5_000] {
      let verdicts = (0..<count).map { _ in
        Verdict(
          answers.randomElement(using: &chance)!,
          by: DecisionRule.allCases.randomElement(using: &chance)!,
          codes: GroundCodeSet(rawValue: .random(in: 0..<1 << 21, using: &chance)))
      }
      encoder.open(
        count: count, epoch: Samples.epoch, position: Position(7), validUntil: Samples.issuedAt)
      for verdict in verdicts { encoder.append(verdict) }
      let bytes = encoder.close()
      let read = try LUStatusAnswers(json: bytes)
      #expect(
        read
          == LUStatusAnswers(
            verdicts.map { LUStatusVerdict($0) }, validUntil: Samples.issuedAt,
            epoch: Samples.epoch, position: Position(7)))
      let id = QueryID(using: &chance)
      let answered = try QueryAnswer(json: QueryAnswer.json(id, answer: bytes))
      #expect(answered == QueryAnswer(query: id, answers: read))
      let pending = try QueryAnswer(json: QueryAnswer.json(id, answer: nil))
      #expect(pending == QueryAnswer(query: id))
    }
  }

  @Test(arguments: [
    (#"{"state":"pending"}"#, ExchangeCode.malformed),
    (#"{"query":"0123456789abcdef0123456789abcdef","state":"lost"}"#, .unknownWord),
    (#"{"query":"0123456789abcdef0123456789abcdef","state":"answered"}"#, .malformed),
    (
      #"{"query":"0123456789abcdef0123456789abcdef","state":"answered","answer":[]}"#, .malformed
    ),
    (#"{"query":"0123456789ABCDEF0123456789abcdef","state":"pending"}"#, .malformed),
  ])
  func `an asynchronous answer that is none is refused`(text: String, code: ExchangeCode) {
    let error = #expect(throws: ExchangeError.self) { try QueryAnswer(json: Array(text.utf8)) }
    #expect(error?.code == code)
  }

  private static func device(_ version: UInt8? = nil) -> ReportedIdentity {
    .device(IMEISV(imei: Samples.imei, softwareVersion: version))
  }

  /// One question in some spelling, now and then a wrong one.
  private static func spelling(using chance: inout SeededGenerator) -> String {
    func digits(_ counts: ClosedRange<Int>) -> String {
      var text = String(
        decoding: (0..<Int.random(in: counts, using: &chance)).map { _ in
          UInt8.random(in: 0x30...0x39, using: &chance)
        }, as: UTF8.self)
      if Int.random(in: 0..<20, using: &chance) == 0, let first = text.utf8.first {
        text = (Bool.random(using: &chance) ? "\\u003\(first & 15)" : "x") + text.dropFirst()
      }
      return text
    }
    func blank() -> String { Int.random(in: 0..<12, using: &chance) == 0 ? " " : "" }
    var members = ["\"imei\":\(blank())\"\(digits(14...16))\""]
    if Bool.random(using: &chance) { members.append("\"imsi\":\"\(digits(5...15))\"") }
    if Int.random(in: 0..<8, using: &chance) == 0 { members.append("\"other\":[null,1e3]") }
    if Int.random(in: 0..<100, using: &chance) == 0 { members.append("\"imei\":\"1\"") }
    if Int.random(in: 0..<5, using: &chance) == 0 { members.shuffle(using: &chance) }
    return "{\(blank())" + members.joined(separator: ",") + "\(blank())}"
  }
}
