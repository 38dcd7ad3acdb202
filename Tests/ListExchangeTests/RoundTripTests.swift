import DeviceIdentity
import DeviceLists
import Simulation
import Testing

@testable import ListExchange

/// Every message is read as it was written, in any spelling, and refused where it is none.
struct RoundTripTests {
  private static let standing = Standing(
    epoch: Samples.epoch, position: Position(7), digest: Samples.digest(3))
  private static let request = RequestID("0123456789abcdef0123456789abcdef")!
  private static let parameters = ExchangeParameters(
    version: 3, style: .pushAsync, effectiveAfter: 99, endpoint: "https://[::1]:9443",
    window: .init(changes: 12_500, seconds: 20),
    files: .init(compression: .gzip, fullSeconds: 3_600, incrementalSeconds: 60),
    sightings: .init(send: .sampled, oneIn: 100))
  private static let imsi = IMSI(packed: 15_001_010_123_456_789)!

  private static let messages: [any JSONMessage] = [
    standing,
    Acknowledgement(standing: standing, held: 2),
    BroadcastResponse(state: .applied, standing: standing, held: 0),
    BroadcastResponse(state: .accepted, standing: nil, held: 1),
    NodeStatus(
      registry: Samples.registry, standing: standing, held: 4,
      instance: InstanceID("0123456789abcdef0123456789abcdef")!),
    NodeStatus(
      registry: Samples.registry, standing: nil, held: 0,
      instance: InstanceID("0123456789abcdef0123456789abcdef")!),
    RegistryStatus(registry: Samples.registry, epoch: Samples.epoch, position: Position(9)),
    ExchangeProblem(standing: standing, detail: "so"), ExchangeProblem(standing: nil),
    ExchangeParameters(version: 1), parameters,
    ParametersAnswer(inForce: ExchangeParameters(version: 1), proposed: parameters),
    ParametersAnswer(inForce: parameters), ParametersConfirmation(version: 3),
    Sighting(
      identity: .device(IMEISV(imei: Samples.imei, softwareVersion: 7)), imsi: imsi,
      msisdn: MSISDN(packed: 12_000_491_711_234_567), technology: .nbIoT, status: .unknown,
      seenAt: Samples.issuedAt),
    Sighting(
      identity: .unusable(UnusableIdentity("*#06#\u{7}é")), imsi: imsi, status: .black,
      seenAt: Samples.issuedAt),
    SightingsAnswer(taken: 5, repeated: 1),
    DeviceRequest(kind: .block, imei: Samples.imei, imsi: imsi, reason: "found \"it\" – no"),
    DeviceRequest(kind: .unblock, imei: Samples.imei, reason: "x", caseReference: ""),
    DeviceRequestAnswer(request: request, state: .published, position: Position(4)),
    DeviceRequestAnswer(request: request, state: .refused, reason: "no police report"),
    DeviceRequestList(
      requests: [DeviceRequestAnswer(request: request, state: .pending)], next: request),
    DeviceRequestList(requests: []),
    OwnListEntry(imei: Samples.imei, reason: "unpaid", caseReference: "L-7"),
    OwnListChange(.remove, OwnListEntry(imei: Samples.imei)),
    OwnListAnswer(added: 1, ended: 2, unchanged: 3, position: Position(4)),
    OwnListAnswer(added: 0, ended: 0, unchanged: 0),
    ResendRequest(number: 12),
    MassMark(run: 1, after: Position(2), upTo: Position(3), blacks: 0),
  ]

  @Test(arguments: messages.indices)
  func `every message is read as it was written`(index: Int) throws {
    try Self.check(Self.messages[index])
  }

  private static func check<Message: JSONMessage>(_ message: Message) throws {
    let bytes = message.json
    #expect(try Message(json: bytes) == message)
    #expect(!bytes.contains(0x0A))
    // Members in the other order, blanks between them, and one that nobody knows.
    guard case .object(let members) = try JSONValue(bytes: bytes) else {
      Issue.record("no object")
      return
    }
    let value = JSONValue.object(
      members.reversed() + [.init(name: "colour", value: .array([.null, .otherNumber]))])
    #expect(try Message(value) == message)
    let spaced = [0x20, 0x0A] + bytes + [0x0D, 0x09, 0x20]
    #expect(try Message(json: spaced) == message)
    for length in bytes.indices {
      #expect(throws: ExchangeError.self) { try Message(json: bytes[..<length]) }
    }
  }

  /// A byte that is another makes another message, or none: never a crash.
  @Test(arguments: messages.indices)
  func `a damaged message is refused or says something else`(index: Int) {
    Self.damage(Self.messages[index], seed: UInt64(index))
  }

  private static func damage<Message: JSONMessage>(_ message: Message, seed: UInt64) {
    var chance = SeededGenerator(seed: seed)
    for index in message.json.indices {
      var bytes = message.json
      bytes[index] ^= UInt8.random(in: 1...255, using: &chance)
      guard let read = try? Message(json: bytes) else { continue }
      #expect((try? Message(json: read.json)) == read, "seed \(seed), byte \(index)")
    }
  }

  @Test(arguments: [
    #""held":0"#, #""epoch":"x","position":1,"digest":"x","held":0"#,
    #""epoch":"\#(Samples.epoch)","position":9223372036854775808,"digest":"\#(ListDigest.zero)","#
      + #""held":0"#,
    #""epoch":"\#(Samples.epoch)","position":1,"digest":"\#(ListDigest.zero)","held":-1"#,
    #""epoch":"\#(Samples.epoch)","position":1,"digest":"\#(ListDigest.zero)""#,
  ])
  func `an acknowledgement that is none is a bad request`(members: String) {
    expect(Acknowledgement.self, "{\(members)}", .badRequest)
  }

  @Test(arguments: [
    (#""state":"done","held":0"#, ExchangeCode.unknownWord),
    (#""state":"applied","held":0"#, .malformed), (#""state":"accepted""#, .malformed),
    (#""state":"accepted","held":0,"epoch":"\#(Samples.epoch)""#, .malformed),
  ])
  func `an answer to a broadcast that is none is refused`(members: String, code: ExchangeCode) {
    expect(BroadcastResponse.self, "{\(members)}", code)
  }

  @Test(arguments: [
    (#""version":1,"style":"mail","effectiveAfter":0"#, ExchangeCode.unknownWord),
    (#""version":1,"style":"push","effectiveAfter":0"#, .malformed),
    (#""version":1,"style":"push","effectiveAfter":0,"endpoint":"http://a:1""#, .malformed),
    (#""version":1,"style":"push","effectiveAfter":0,"endpoint":"https://a:1/x""#, .malformed),
    (#""version":1,"style":"push","effectiveAfter":0,"endpoint":"https://""#, .malformed),
    (#""version":1,"style":"push","effectiveAfter":0,"endpoint":"https://a:99999""#, .malformed),
    (#""version":1,"style":"push","effectiveAfter":0,"endpoint":"https://u@a:1""#, .malformed),
    (#""version":-1,"style":"follow","effectiveAfter":0"#, .malformed),
    (#""version":1,"style":"follow""#, .malformed),
    (
      #""version":1,"style":"follow","effectiveAfter":0,"window":{"changes":9999,"seconds":1}"#,
      .malformed
    ),
    (
      #""version":1,"style":"follow","effectiveAfter":0,"window":{"changes":20001,"seconds":1}"#,
      .malformed
    ),
    (#""version":1,"style":"follow","effectiveAfter":0,"window":7"#, .malformed),
    (
      #""version":1,"style":"files","effectiveAfter":0,"#
        + #""files":{"compression":"zip","fullSeconds":1,"incrementalSeconds":1}"#, .unknownWord
    ),
    (
      #""version":1,"style":"follow","effectiveAfter":0,"sightings":{"send":"all","oneIn":0}"#,
      .malformed
    ),
  ])
  func `parameters that cannot be are refused`(members: String, code: ExchangeCode) {
    expect(ExchangeParameters.self, "{\(members)}", code)
  }

  @Test func `parameters are checked before they are proposed`() throws {
    #expect(try Self.parameters.checked() == Self.parameters)
    var wrong = Self.parameters
    wrong.endpoint = nil
    #expect(throws: ExchangeError.self) { try wrong.checked() }
  }

  @Test(arguments: [
    (#""kind":"ban","imei":"49015420323751","reason":"x""#, ExchangeCode.unknownWord),
    (#""kind":"block","imei":"490154203237517","reason":"x""#, .badRequest),
    (#""kind":"block","imei":"4901542032375","reason":"x""#, .badRequest),
    (#""kind":"block","imei":"4901542032375181","reason":"x""#, .badRequest),
    (#""kind":"block","imei":"49015420323751""#, .badRequest),
    (#""kind":"block","imei":"49015420323751","reason":"""#, .badRequest),
    (#""kind":"block","imei":"49015420323751","reason":"a\nb""#, .badRequest),
    (
      #""kind":"block","imei":"49015420323751","reason":"\#(String(repeating: "x", count: 513))""#,
      .badRequest
    ),
    (
      #""kind":"block","imei":"49015420323751","reason":"x","#
        + #""caseReference":"\#(String(repeating: "x", count: 65))""#, .badRequest
    ),
    (#""kind":"block","imei":"49015420323751","reason":"x","imsi":"1""#, .badRequest),
  ])
  func `a request that cannot be is refused`(members: String, code: ExchangeCode) {
    expect(DeviceRequest.self, "{\(members)}", code)
  }

  @Test func `an IMEI with its check digit is the one without it`() throws {
    let text = #"{"kind":"block","imei":"490154203237518","reason":"x"}"#
    #expect(try DeviceRequest(json: Array(text.utf8)).imei == Samples.imei)
  }

  private static let seen =
    #"{"imei":"49015420323751","imsi":"001010123456789","status":"grey","#
    + #""seenAt":"2026-11-23T06:23:17Z"}"#

  @Test(
    arguments: [
      ("", 0, nil), (seen + "\n", 1, nil), (seen + "\n" + seen + "\n", 2, nil),
      (seen, 0, (ExchangeCode.cutShort, "line 1")),
      (seen + "\n\n", 0, (.malformed, "line 2")),
      (seen + "\n" + seen + "\n" + seen + "\n" + seen + "\n", 0, (.tooLarge, "over 3")),
      (seen + "\n{}\n", 0, (.malformed, "line 2")),
      (seen.replacing("grey", with: "pink") + "\n", 0, (.unknownWord, "line 1")),
      (seen.replacing("49015420323751", with: "") + "\n", 0, (.malformed, "line 1")),
      (
        seen.replacing("49015420323751", with: "49015420323751999") + "\n", 0,
        (.malformed, "line 1")
      ),
      (seen.replacing("06:23:17Z", with: "06:23:17") + "\n", 0, (.malformed, "line 1")),
      (String(repeating: " ", count: 2_048) + seen + "\n", 0, (.lineTooLong, "line 1")),
    ] as [(String, Int, (code: ExchangeCode, place: String)?)])
  func `one bad line refuses all, and is named`(
    text: String, count: Int, refusal: (code: ExchangeCode, place: String)?
  ) {
    do throws(ExchangeError) {
      let sightings = try RecordLines.read(Array(text.utf8), as: Sighting.self, most: 3)
      #expect(refusal == nil)
      #expect(sightings.count == count)
      #expect(RecordLines.write(sightings) == Array(text.utf8))
    } catch {
      #expect(error.code == refusal?.code)
      #expect(error.detail.hasPrefix(refusal?.place ?? "nothing"))
      #expect(!error.detail.contains("00101"))
    }
  }

  @Test func `an own list is read line by line`() throws {
    let entries = [
      OwnListEntry(imei: Samples.imei, reason: "unpaid"), OwnListEntry(imei: Samples.imei),
    ]
    #expect(try OwnListEntry.lines(RecordLines.write(entries)) == entries)
    let changes = [OwnListChange(.add, entries[0]), OwnListChange(.remove, entries[1])]
    #expect(try OwnListChange.lines(RecordLines.write(changes)) == changes)
    expect(OwnListChange.self, #"{"operation":"keep","imei":"49015420323751"}"#, .unknownWord)
  }

  @Test(arguments: [
    ("a", true), ("A.b_c-9", true), (String(repeating: "x", count: 64), true), ("", false),
    (String(repeating: "x", count: 65), false), ("a b", false), ("é", false), ("a\n", false),
  ])
  func `an idempotency key is a short plain word`(text: String, isKey: Bool) {
    do throws(ExchangeError) {
      #expect(try IdempotencyKey(header: text).description == text)
      #expect(isKey)
    } catch {
      #expect(!isKey)
      #expect(error.code == .noIdempotencyKey)
    }
  }

  @Test func `another method, path or body is another message`() {
    let hashes = [
      ("POST", "/a", "x"), ("PUT", "/a", "x"), ("POST", "/b", "x"), ("POST", "/a", "y"),
    ]
    .map { IdempotencyKey.messageHash(method: $0.0, path: $0.1, body: Array($0.2.utf8)) }
    #expect(Set(hashes).count == 4)
    // `printf 'POST /a\nx' | sha256sum`
    #expect(
      hashes[0].description == "5cab5676eafe3ddc25ee895af965cf9ebd283b0c4625c5b656374b207abf0108")
  }

  @Test func `random names are told apart and read again`() {
    var chance = SeededGenerator(seed: 5)
    let ids = (0..<100).map { _ in InstanceID(using: &chance) }
    #expect(Set(ids).count == 100)
    #expect(ids.allSatisfy { InstanceID($0.description) == $0 })
    #expect(InstanceID("0123456789abcdef0123456789abcde") == nil)
    #expect(InstanceID("0123456789ABCDEF0123456789abcdef") == nil)
  }

  @Test func `a document that is too long is refused unread`() {
    let text = #"{"version":1,"x":"\#(String(repeating: "x", count: 65_536))"}"#
    expect(ParametersConfirmation.self, text, .tooLarge)
  }

  private func expect<Message: JSONMessage>(
    _ type: Message.Type, _ text: String, _ code: ExchangeCode
  ) {
    let error = #expect(throws: ExchangeError.self) { try Message(json: Array(text.utf8)) }
    #expect(error?.code == code)
  }
}
