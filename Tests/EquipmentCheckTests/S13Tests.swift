import DeviceIdentity
import DeviceLists
import Diameter
import EquipmentCheck
import NIOCore
import Simulation
import Testing

/// ME-Identity-Check as TS 29.272 (6.2, 7.2.19, 7.2.20) and RFC 6733 say it.
struct S13Tests {
  private struct NoMessage: Error {}

  private static let s13 = S13(
    local: LocalNode(
      host: DiameterIdentity("eir.example.org")!, realm: DiameterIdentity("example.org")!,
      productName: "OpenCEIR", originStateID: 7), realms: [DiameterIdentity("epc.example.org")!])

  /// Written by python-diameter 0.9.0 (`MeIdentityCheckRequest.as_bytes()`).
  private static let theirs = """
    010000f0c0000144010000240102030405060708000001074000001e6d6d65312e6578616d706c652e6f7267
    3b313b323b33000000000104400000200000010a4000000c000028af000001024000000c0100002400000115
    4000000c0000000100000108400000186d6d65312e6578616d706c652e6f726700000128400000136578616d
    706c652e6f7267000000011b400000136578616d706c652e6f72670000000579c0000038000028af0000057a
    c000001a000028af343930313534323033323337353100000000057bc000000e000028af3132000000000001
    4000001730303130313031323334353637383900
    """

  @Test func `what another program writes is read`() throws {
    let digits = Self.theirs.filter(\.isHexDigit)
    let bytes = stride(from: 0, to: digits.count, by: 2).map { start in
      UInt8(digits.dropFirst(start).prefix(2), radix: 16) ?? 0
    }
    let request = try request(bytes)
    #expect(request.query.identity == .device(IMEISV(imei: Self.device, softwareVersion: 12)))
    #expect(request.query.imsi == (try IMSI("001010123456789")))
    #expect(request.header.hopByHop == 0x0102_0304)
    let answer = try answer(.black, to: bytes)
    #expect(answer[263]?.text == "mme1.example.org;1;2;3")
    #expect((answer.hopByHop, answer.endToEnd) == (0x0102_0304, 0x0506_0708))
  }

  private func request(_ bytes: [UInt8]) throws(DiameterRefusal) -> S13Request {
    let message = bytes.span.bytes
    guard case .message(let header) = MessageFrame(in: message, at: 0, mostBytes: 65_536) else {
      throw DiameterRefusal(.invalidMessageLength)
    }
    return try Self.s13.request(header, message)
  }

  private func refusal(
    _ avps: [(code: UInt32, bytes: [UInt8])]
  ) throws -> (refusal: DiameterRefusal, answer: DiameterReading) {
    let bytes = DiameterBytes.checkRequest(avps)
    let message = bytes.span.bytes
    guard case .message(let header) = MessageFrame(in: message, at: 0, mostBytes: 65_536) else {
      throw NoMessage()
    }
    do throws(DiameterRefusal) {
      _ = try Self.s13.request(header, message)
    } catch {
      var buffer = ByteBuffer()
      Self.s13.write(error, to: header, message, into: &buffer)
      return (error, try #require(DiameterReading(Array(buffer.readableBytesView))))
    }
    throw NoMessage()
  }

  private static let device = IMEI(number: 49_015_420_323_751)!

  @Test(
    arguments: [
      ("49015420323751", nil, nil), ("490154203237518", nil, nil), ("490154203237510", nil, nil),
      ("4901542032375112", nil, 12), ("49015420323751", "07", 7), ("490154203237518", "07", 7),
      ("4901542032375112", "07", 7), ("49015420323751F", nil, nil), ("490154203237518F", "", nil),
      ("49015420323751  ", "7", nil), ("490154203237518\0", "ab", nil),
    ] as [(String, String?, UInt8?)])
  func `14, 15 and 16 digits, padded or not, are one device`(
    imei: String, version: String?, expected: UInt8?
  ) throws {
    let avps = DiameterBytes.check(imei: imei, softwareVersion: version, imsi: "001010123456789")
    let request = try request(DiameterBytes.checkRequest(avps))
    #expect(
      request.query.identity == .device(IMEISV(imei: Self.device, softwareVersion: expected)))
    #expect(request.query.imsi == (try IMSI("001010123456789")))
  }

  @Test(arguments: ["", "4901542032375", "49015420323751812", "4901542A323751", "*#06#", "é\u{1F}"])
  func `what is no IMEI goes to the policy for it, as it came`(text: String) throws {
    let request = try request(DiameterBytes.checkRequest(DiameterBytes.check(imei: text)))
    #expect(request.query.identity == .unusable(UnusableIdentity(text)))
  }

  @Test func `an identity of another network is none here`() throws {
    var avps = DiameterBytes.check()
    avps[6].bytes = DiameterBytes.avp(
      1401, vendor: 10_415, DiameterBytes.avp(1471, vendor: 10_415, [1, 2, 3, 4, 5, 6, 7]))
    #expect(try request(DiameterBytes.checkRequest(avps)).query.identity == .none)
  }

  @Test(
    arguments: [
      (nil, nil), ("001010123456789", "001010123456789"), ("00101", "00101"), ("0010", nil),
      ("0010101234567890", nil), ("001010123456789@example.org", nil), ("", nil),
    ] as [(String?, String?)])
  func `the subscriber is optional, and what is no IMSI names none`(
    sent: String?, imsi: String?
  ) throws {
    let request = try request(DiameterBytes.checkRequest(DiameterBytes.check(imsi: sent)))
    #expect(request.query.imsi == (try imsi.map { try IMSI($0) }))
  }

  @Test(arguments: [(.white, 0), (.black, 1), (.grey, 2)] as [(CheckAnswer, UInt32)])
  func `a device on a list is answered with its status`(
    answer: CheckAnswer, status: UInt32
  ) throws {
    let reading = try self.answer(answer, to: DiameterBytes.checkRequest())
    #expect(reading.flags == 0x40)
    #expect((reading.command, reading.application) == (324, 16_777_252))
    #expect((reading.hopByHop, reading.endToEnd) == (2, 0x8000_0002))
    #expect(reading.items.map(\.code) == [263, 260, 268, 277, 264, 296, 1445])
    #expect(reading[263]?.text == "mme1.example.org;1;2")
    #expect(reading.resultCode == 2001)
    #expect(reading[277]?.number == 1)
    #expect(reading[264]?.text == "eir.example.org")
    #expect(reading.equipmentStatus == status)
    #expect(reading[1445]?.flags == 0xC0)
    #expect(reading[1445]?.vendor == 10_415)
  }

  @Test func `an AVP of vendor 0 that is refused is told without a vendor`() throws {
    let head = DiameterBytes.word(999) + DiameterBytes.word(0xC000_0FFF) + DiameterBytes.word(0)
    let (refusal, answer) = try refusal(DiameterBytes.check() + [(999, head)])
    #expect(refusal.code == .invalidAVPLength)
    let failed = try #require(answer[279]?.items?.first)
    #expect((failed.code, failed.flags, failed.data) == (999, 0x40, []))
  }

  @Test func `an unknown device is told by Experimental-Result alone`() throws {
    let reading = try answer(.unknown, to: DiameterBytes.checkRequest())
    #expect(reading.items.map(\.code) == [263, 260, 297, 277, 264, 296])
    #expect(reading[297]?.items?.map(\.number) == [10_415, 5422])
    #expect(reading.flags == 0x40, "it is no error of the protocol")
  }

  @Test func `each Proxy-Info comes back as it was, in order, whatever its length`() throws {
    var avps = DiameterBytes.check()
    let proxies = (1...3).map { number in
      DiameterBytes.avp(
        284,
        DiameterBytes.avp(280, "relay\(number).example.org")
          + DiameterBytes.avp(33, [UInt8](repeating: 7, count: number)))
    }
    avps.insert((284, proxies[0]), at: 2)
    avps += [(282, DiameterBytes.avp(282, "relay1.example.org")), (284, proxies[1])]
    avps.append((284, proxies[2]))
    let bytes = try answerBytes(.black, to: DiameterBytes.checkRequest(avps, flags: 0xD0))
    #expect(Array(bytes.suffix(proxies.joined().count)) == Array(proxies.joined()))
    #expect(try #require(DiameterReading(bytes)).flags == 0x40, "the T bit does not come back")
  }

  private func answer(_ answer: CheckAnswer, to bytes: [UInt8]) throws -> DiameterReading {
    try #require(DiameterReading(try answerBytes(answer, to: bytes)))
  }

  private func answerBytes(_ answer: CheckAnswer, to bytes: [UInt8]) throws -> [UInt8] {
    let request = try request(bytes)
    var buffer = ByteBuffer()
    Self.s13.write(answer, to: request, bytes.span.bytes, into: &buffer)
    return Array(buffer.readableBytesView)
  }

  @Test(arguments: [263, 277, 264, 296, 283, 1401] as [UInt32])
  func `what is required and missing is named, with an example`(code: UInt32) throws {
    let (refusal, answer) = try refusal(DiameterBytes.check().filter { $0.code != code })
    #expect(refusal.code == .missingAVP)
    #expect(answer.resultCode == 5005)
    #expect(answer.flags == 0x40)
    #expect(answer[279]?.items?.map(\.code) == [code])
    // A group is no example without a member.
    let example = try #require(answer[279]?.items?.first)
    let data = code == 1401 ? example.items?.first?.data : example.data
    #expect(data?.isEmpty == false)
    #expect(data?.allSatisfy { $0 == 0 } == true)
    #expect(answer[277]?.number == 1)
  }

  @Test func `Terminal-Information without an identity names the IMEI`() throws {
    var avps = DiameterBytes.check()
    avps[6].bytes = DiameterBytes.avp(
      1401, vendor: 10_415, DiameterBytes.avp(1403, vendor: 10_415, "12"))
    let (_, answer) = try refusal(avps)
    #expect(answer.resultCode == 5005)
    let inner = answer[279]?.items?.first?.items
    #expect(inner?.map(\.code) == [1402])
    #expect(inner?.first?.data == [UInt8](repeating: 0, count: 14))
  }

  @Test(arguments: [263, 264, 296, 283, 277, 1401, 260] as [UInt32])
  func `what may come once is refused when it comes twice`(code: UInt32) throws {
    let one = try #require(DiameterBytes.check().first { $0.code == code })
    let (_, answer) = try refusal(DiameterBytes.check() + [one])
    #expect(answer.resultCode == 5009)
    let failed = try #require(answer[279])
    #expect(DiameterBytes.avp(279, failed.data) == DiameterBytes.avp(279, one.bytes))
  }

  @Test(
    arguments: [
      ((283, DiameterBytes.avp(283, "example.com")), 3003),
      ((293, DiameterBytes.avp(293, "eir2.example.org")), 3002),
      ((282, DiameterBytes.avp(282, "eir.example.org")), 3005),
      ((277, DiameterBytes.avp(277, number: 7)), 5004),
      ((277, DiameterBytes.avp(277, [1])), 5014),
      ((60_000, DiameterBytes.avp(60_000, number: 1)), 5001),
      ((9, DiameterBytes.avp(9, vendor: 99, "x")), 5001),
      ((60_001, DiameterBytes.avp(60_001, flags: 0x44, "x")), 3009),
    ] as [((UInt32, [UInt8]), UInt32)])
  func `errors are told by the code that the standard has for them`(
    avp: (code: UInt32, bytes: [UInt8]), code: UInt32
  ) throws {
    let avps = DiameterBytes.check().filter { $0.code != avp.code } + [avp]
    let (_, answer) = try refusal(avps)
    #expect(answer.resultCode == code)
    #expect(answer.flags == (3000..<4000 ~= code ? 0x60 : 0x40))
    #expect(answer.items.first?.code == 263)
    #expect(answer[1445] == nil)
  }

  /// RFC 6733, 7.1.5.
  @Test(
    arguments: [
      ([0, 0, 0, 1, 0x40, 0, 0, 4], [0, 0, 0, 1, 0x40, 0, 0, 9, 0, 0, 0, 0]),
      ([0, 0, 1, 22, 0x40, 0, 0, 7], [0, 0, 1, 22, 0x40, 0, 0, 12, 0, 0, 0, 0]),
      ([0, 0, 1, 4, 0x40, 0, 0, 99], [0, 0, 1, 4, 0x40, 0, 0, 8]),
    ] as [([UInt8], [UInt8])])
  func `an AVP of a wrong length is told by its header and the least data that it can have`(
    avp: [UInt8], told: [UInt8]
  ) throws {
    let (_, answer) = try refusal(DiameterBytes.check() + [(0, avp)])
    #expect(answer.resultCode == 5014)
    #expect(answer[279]?.data == told)
  }

  @Test(
    arguments: [
      ([0, 0, 0, 1], [0, 0, 0, 1, 0, 0, 0, 8]),
      ([0, 0, 0, 77, 0xC0, 0, 0, 8], [0, 0, 0, 77, 0xC0, 0, 0, 12, 0, 0, 0, 0]),
    ] as [([UInt8], [UInt8])])
  func `a header that is cut comes back, filled up with zeros`(
    cut: [UInt8], failed: [UInt8]
  ) throws {
    let (_, answer) = try refusal(DiameterBytes.check() + [(0, cut)])
    #expect(answer.resultCode == 5014)
    #expect(answer[279]?.data == failed)
  }

  @Test func `what may be passed over is passed over`() throws {
    var avps = DiameterBytes.check()
    avps += [
      (60_000, DiameterBytes.avp(60_000, flags: 0, "vendor's own")),
      (9, DiameterBytes.avp(9, vendor: 99, flags: 0, "x")),
      (293, DiameterBytes.avp(293, "EIR.example.org")),
      (301, DiameterBytes.avp(301, number: 3)),
      (1032, DiameterBytes.avp(1032, vendor: 10_415, [0])),
      (282, DiameterBytes.avp(282, "relay1.example.org")),
    ]
    avps[5].bytes = DiameterBytes.avp(283, "EPC.example.org")
    let request = try request(DiameterBytes.checkRequest(avps))
    #expect(request.query.identity == .device(IMEISV(imei: Self.device)))
  }
}
